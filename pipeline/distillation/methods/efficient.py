"""Efficient sub-structured distillation (Lin et al. 2022, Eq. 9): match every sub-structure's score."""

from typing import ClassVar

from torch import Tensor

from pipeline.chain import LinearChain
from pipeline.distillation.schedule import Schedule
from pipeline.distillation.settings import Scheduled


class Settings(Scheduled):
    """As in the paper, λ is 1, and 0 in the last epoch, which learns the gold tags alone."""

    matches_transitions: ClassVar[bool] = True

    schedule: Schedule = "last_epoch"


def targets(teacher: LinearChain, settings: Settings) -> LinearChain:
    """The teacher's scores themselves."""
    return teacher


def loss(student: LinearChain, target: LinearChain, settings: Settings) -> Tensor:
    """Mean squared difference of the scores of all sub-structures of each sentence [B].

    A sentence of L words and N tags has N starts b[j] + e[1,j], (L-1) N² pairs T[i,j] + e[l,j], N ends d[j].
    With Δ = student - teacher the pairs need no [L, N, N]:

        Σ_{l≥2,i,j} (ΔT_ij + Δe_lj)² = (L-1) ‖ΔT‖² + N Σ_{l≥2} ‖Δe_l‖² + 2 Σ_j (Σ_i ΔT_ij) (Σ_{l≥2} Δe_lj)
    """
    tags = student.num_tags
    steps = student.lengths - 1
    transitions = student.transitions - target.transitions
    emissions = (student.emissions - target.emissions).where(student.mask[..., None], 0.0)
    later = emissions[:, 1:]

    starts = (student.start - target.start + emissions[:, 0]).square().sum(1)
    ends = (student.end - target.end).square().sum()
    pairs = (
        steps * transitions.square().sum()
        + tags * later.square().sum((1, 2))
        + 2 * later.sum(1) @ transitions.sum(0)
    )
    return (starts + pairs + ends) / (2 * tags + steps * tags**2)
