"""The weight λ of the distillation loss, step by step."""

from typing import Literal

Schedule = Literal["linear", "last_epoch", "constant"]


def weight_at(schedule: Schedule, weight: float, *, step: int, steps: int, last_epoch_start: int) -> float:
    """λ at `step` (from 0) of `steps`; the last epoch begins at the step `last_epoch_start`.

    linear: `weight` at the first step, 0 at the last (the paper's for K-best and Struct. KD).
    last_epoch: `weight`, then 0 in the last epoch (the paper's for Efficient KD); a single epoch keeps
        `weight`, or nothing would be distilled.
    constant: `weight` throughout.
    """
    if schedule == "linear":
        return weight * (1 - step / max(1, steps - 1))
    if schedule == "last_epoch" and 0 < last_epoch_start <= step:
        return 0.0
    return weight
