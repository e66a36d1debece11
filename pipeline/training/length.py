"""How long a training run is, and when it is evaluated."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Length:
    """A run of `steps` steps.

    every: steps of an epoch, which ends with an evaluation on development; so does the last, shorter one.
    patience: epochs in a row without a rise of the development F1 after which the run ends; None: never.
    """

    steps: int
    every: int
    patience: int | None = None

    @property
    def last_epoch_start(self) -> int:
        """The first step (from 0) of the last epoch."""
        return (self.steps - 1) // self.every * self.every

    def ends_epoch(self, step: int) -> bool:
        """Whether an epoch is over after `step` steps."""
        return step % self.every == 0 or step == self.steps

    def is_over(self, step: int, f1s: Sequence[float]) -> bool:
        """Whether a run is over after `step` steps and these development F1s."""
        if step == self.steps:
            return True
        if self.patience is None or not f1s:
            return False
        return len(f1s) - 1 - f1s.index(max(f1s)) >= self.patience
