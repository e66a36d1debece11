"""The settings that entries of `distill` in params.yaml share."""

from typing import Annotated, ClassVar

from pydantic import Field

from pipeline.distillation.schedule import Schedule
from pipeline.settings import Count, Group, Init, Positive, Share

# Below them one sequence has all the probability, above them all sequences have the same.
Temperature = Annotated[float, Field(ge=1e-3, le=1e3)]


class Settings(Group):
    """What every entry may set; None takes the student's value.

    matches_transitions: whether the student must have transitions as the teacher has them, so that a softmax
        student cannot learn from a CRF.
    """

    matches_transitions: ClassVar[bool] = False

    init: Init | None = None
    epochs: Count | None = None
    learning_rate: Positive | None = None


class Scheduled(Settings):
    """Settings of a method that learns from a teacher: how the weight λ of its term runs."""

    schedule: Schedule = "linear"
    weight: Share = 1.0


class Tempered(Scheduled):
    """Settings of a method that compares distributions: `temperature` divides both chains' scores.

    mixes_moments: whether the loss is the cross-entropy of the target's moments with the student
        (`tempered_cross_entropy`), so that the gold tags' moments can be mixed into them.
    """

    mixes_moments: ClassVar[bool] = False

    temperature: Temperature = 1.0
