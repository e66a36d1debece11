"""The training settings of one method's student."""

from pipeline.distillation.settings import Settings
from pipeline.training.settings import Student


def student_settings(student: Student, method: Settings) -> Student:
    """The group `student` with what `distill.<method>` sets for itself."""
    given = method.model_dump(include={"init", "epochs", "learning_rate"}, exclude_none=True)
    return student.model_copy(update=given)
