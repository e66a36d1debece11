"""Structural knowledge distillation (Wang et al. 2021; Eq. 8): the teacher's exact distribution."""

from typing import ClassVar

from torch import Tensor

from pipeline.chain import LinearChain, Moments
from pipeline.distillation.objective import tempered_cross_entropy
from pipeline.distillation.settings import Tempered


class Settings(Tempered):
    """Those of every method that compares distributions."""

    mixes_moments: ClassVar[bool] = True


def targets(teacher: LinearChain, settings: Settings) -> Moments:
    """The teacher's exact moments ∇ log Z at temperature τ, which for a linear chain say all of Eq. 5."""
    return teacher.tempered(settings.temperature).moments()


def loss(student: LinearChain, target: Moments, settings: Settings) -> Tensor:
    """Cross-entropy of the teacher's distribution with the student's, for each sentence [B]."""
    return tempered_cross_entropy(student, target, settings.temperature)
