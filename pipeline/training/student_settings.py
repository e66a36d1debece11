"""The training settings of one method's student."""

from pipeline.distillation.settings import Settings
from pipeline.training.settings import Student


def student_settings(student: Student, method: Settings) -> Student:
    """The group `student` with the epochs and the learning rate that `distill.<method>` sets for itself."""
    own = method.model_dump(include={"epochs", "learning_rate"}, exclude_none=True)
    return student.model_copy(update=own)
