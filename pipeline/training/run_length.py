"""How long a training run is, and when it is evaluated."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class RunLength:
    """A run of `steps` steps.

    steps_per_epoch: an epoch ends with an evaluation on development; so does the last, shorter one.
    patience: epochs in a row without a rise of the development F1 after which the run ends; None: never.
    """

    steps: int
    steps_per_epoch: int
    patience: int | None = None

    @property
    def last_epoch_start(self) -> int:
        """The first step (from 0) of the last epoch."""
        return (self.steps - 1) // self.steps_per_epoch * self.steps_per_epoch

    def ends_epoch(self, step: int) -> bool:
        """Whether an epoch is over after `step` steps."""
        return step % self.steps_per_epoch == 0 or step == self.steps

    def is_over(self, step: int, f1s: Sequence[float]) -> bool:
        """Whether a run is over after `step` steps and these development F1s."""
        if step == self.steps:
            return True
        if self.patience is None or not f1s:
            return False
        return len(f1s) - 1 - f1s.index(max(f1s)) >= self.patience
