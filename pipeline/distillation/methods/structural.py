"""Structural knowledge distillation (Wang et al. 2021; Eq. 8): the teacher's exact distribution."""

from typing import ClassVar

from torch import Tensor

from pipeline.chain import LinearChain, Moments
from pipeline.distillation.objective import tempered_cross_entropy
from pipeline.distillation.settings import Tempered


class Settings(Tempered):
    """The settings of every method that compares distributions, and no others."""

    mixes_moments: ClassVar[bool] = True


def targets(teacher: LinearChain, settings: Settings) -> Moments:
    """The teacher's exact moments ∇ log Z at temperature τ, all that the cross-entropy needs of it."""
    return teacher.tempered(settings.temperature).moments()


def loss(student: LinearChain, target: Moments, settings: Settings) -> Tensor:
    """Cross-entropy of the teacher's distribution with the student's, for each sentence [B]."""
    return tempered_cross_entropy(student, target, settings.temperature)
