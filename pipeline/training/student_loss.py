"""A method, its settings and the teachers' scores, as the function that the training loop minimises."""

from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor

from pipeline.chain import LinearChain
from pipeline.device import on_device
from pipeline.distillation.objective import Target, find_method, objective
from pipeline.distillation.schedule import weight_at
from pipeline.distillation.settings import Scheduled, Settings
from pipeline.encoding.batching import Batch
from pipeline.training.loop import Loss, gold_loss, gold_of
from pipeline.training.targets import PartScores, tabulate


def student_loss(
    name: str,
    settings: Settings,
    scores: Sequence[PartScores],
    *,
    steps: int,
    epochs: int,
) -> Loss:
    """The loss of method `name` over a run of `steps` steps in `epochs` epochs.

    The targets of all sentences are computed here, once; a step looks up those of its batch among those of
    the batch's part. A batch without gold tags has no gold term: there λ = 1 whatever the schedule.

    Args:
        name: of the method.
        settings: its own.
        scores: the teacher's, for each part of the training sentences.
        steps: of the run.
        epochs: likewise.
    """
    if not isinstance(settings, Scheduled):
        return gold_loss
    return _DistillationLoss(name, settings, scores, steps, epochs)


class _DistillationLoss:
    """The loss of a method with a teacher's term; a step looks its targets up, unless `look_up` has."""

    def __init__(
        self, name: str, settings: Scheduled, scores: Sequence[PartScores], steps: int, epochs: int
    ) -> None:
        self.method, self.settings, self.steps, self.epochs = find_method(name), settings, steps, epochs
        self.tables = [tabulate(part, self.method, settings) for part in scores]

    def __call__(self, student: LinearChain, batch: Batch, step: int) -> Tensor:
        """The loss of each sentence [B]."""
        weight, target = self._weight(batch, step), batch.target
        if weight == 0.0:
            target = None
        elif target is None:
            target = on_device(self._target(batch), student.emissions.device)
        gold = None if weight == 1.0 else gold_of(batch, student.num_tags)
        return objective(self.method, self.settings, weight, student=student, target=target, gold=gold)

    def look_up(self, batch: Batch, step: int) -> Batch:
        """The batch with its target, where the step has a teacher's term."""
        return batch if self._weight(batch, step) == 0.0 else replace(batch, target=self._target(batch))

    def _weight(self, batch: Batch, step: int) -> float:
        """λ; 1 where there are no gold tags."""
        if batch.tags is None:
            return 1.0
        schedule, weight = self.settings.schedule, self.settings.weight
        return weight_at(schedule, weight, step=step, steps=self.steps, epochs=self.epochs)

    def _target(self, batch: Batch) -> Target:
        return self.tables[batch.part](batch.ids)
