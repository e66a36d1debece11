"""Which heads a student may have that starts from its teacher's layers."""

import itertools

import pytest

from pipeline.errors import UserError
from pipeline.model.student_head import check_start
from pipeline.settings import Head

HEADS: list[tuple[Head, Head]] = list(itertools.product(("crf", "softmax"), repeat=2))  # type: ignore[arg-type]
PLAIN, PROJECTED = {"model_type": "bert"}, {"model_type": "modernbert"}


@pytest.mark.parametrize(("teacher", "student"), HEADS)
def test_any_two_heads_fit_where_softmax_has_no_layer_of_its_own(teacher: Head, student: Head) -> None:
    check_start(PLAIN, teacher=teacher, student=student, converts=False)


@pytest.mark.parametrize(("teacher", "student"), HEADS)
def test_only_equal_heads_fit_where_softmax_has_a_layer_more(teacher: Head, student: Head) -> None:
    if teacher == student:
        check_start(PROJECTED, teacher=teacher, student=student, converts=False)
        return
    with pytest.raises(UserError) as caught:
        check_start(PROJECTED, teacher=teacher, student=student, converts=False)
    assert str(caught.value) == (
        "student.init, distill.METHOD.init: `teacher` needs the same head for teacher and student over "
        "modernbert, whose softmax head has one layer more than its crf head; set `pretrained`, or give both "
        "the same head"
    )


@pytest.mark.parametrize(("teacher", "student"), HEADS)
def test_a_teacher_that_converts_labels_starts_no_student(teacher: Head, student: Head) -> None:
    with pytest.raises(UserError, match=r"needs a teacher whose labels are the corpus's tags; set `pretrain"):
        check_start(PLAIN, teacher=teacher, student=student, converts=True)


def test_a_softmax_over_an_encoder_that_has_none_is_refused() -> None:
    check_start({"model_type": "reformer"}, teacher="crf", student="crf", converts=False)
    with pytest.raises(UserError, match="reformer, which softmax needs; set crf"):
        check_start({"model_type": "reformer"}, teacher="softmax", student="softmax", converts=False)
