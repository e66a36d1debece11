"""The training settings of one method's student, and whether its head fits the method."""

from pipeline.distillation.settings import Settings
from pipeline.errors import UserError
from pipeline.settings import Head
from pipeline.training.settings import Student


def student_settings(student: Student, method: Settings) -> Student:
    """The group `student` with what `distill.<method>` sets for itself."""
    given = method.model_dump(include={"init", "epochs", "learning_rate"}, exclude_none=True)
    return student.model_copy(update=given)


def check_transitions(method: str, settings: Settings, student: Head) -> None:
    """Check that a student with this head can learn by `method` from a teacher with transitions.

    Raises:
        UserError: the method matches transitions, and the student has none.
    """
    if settings.matches_transitions and student == "softmax":
        raise UserError(
            f"student.head: softmax has no transitions, which {method} matches to those of the "
            f"teacher's CRF; set crf, or remove {method} from methods"
        )
