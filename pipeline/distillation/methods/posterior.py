"""Posterior distillation (Wang et al. 2020): the teacher's tag marginals at every word."""

from torch import Tensor

from pipeline.chain import LinearChain
from pipeline.distillation.settings import Tempered as Settings


def targets(teacher: LinearChain, settings: Settings) -> Tensor:
    """The teacher's log marginals log q_t(y_l | x) at temperature τ, [B, L, N]; padding is 0."""
    return teacher.tempered(settings.temperature).log_marginals()


def loss(student: LinearChain, target: Tensor, settings: Settings) -> Tensor:
    """τ² Σ_l KL(q_t(y_l | x) ‖ q_s(y_l | x)) for each sentence [B]."""
    log_marginals = student.tempered(settings.temperature).log_marginals()
    difference = (target - log_marginals).masked_fill(target.isneginf(), 0.0)  # 0 log 0 is 0
    divergence = (target.exp() * difference).sum((1, 2))
    return settings.temperature**2 * divergence
