"""Whether a student's head fits its teacher's, where it starts from the teacher's layers."""

from typing import Any

from pipeline.errors import UserError
from pipeline.model import token_classifier
from pipeline.settings import Head


def check_start(shape: dict[str, Any], *, teacher: Head, student: Head, converts: bool) -> None:
    """Check that a student may start from its teacher's layers and emission layer.

    Args:
        shape: of their encoder, see `token_classifier.shape_of`.
        teacher, student: their heads.
        converts: whether the teacher has labels that are converted into the corpus's tags.

    Raises:
        UserError: it converts labels, one has a layer between encoder and emission that the other has not,
            or the encoder has no softmax head.
    """
    if converts:
        raise UserError(
            "student.init, distill.METHOD.init: `teacher` needs a teacher whose labels are the corpus's "
            "tags; set `pretrained`, which starts from the same encoder"
        )
    one, other = (head == "softmax" and token_classifier.has_projection(shape) for head in (teacher, student))
    if one != other:
        raise UserError(
            "student.init, distill.METHOD.init: `teacher` needs the same head for teacher and student "
            f"over {shape['model_type']}, whose softmax head has one layer more than its crf head; set "
            "`pretrained`, or give both the same head"
        )
