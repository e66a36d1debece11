"""A method, its settings and the teachers' scores, as the function that the training loop minimises."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from torch import Tensor

from pipeline.chain import LinearChain
from pipeline.device import on_device
from pipeline.distillation.objective import find_method, objective
from pipeline.distillation.schedule import weight_at
from pipeline.distillation.settings import Scheduled, Settings
from pipeline.encoding.batching import Batch
from pipeline.training.loss import Loss, gold_loss, gold_of
from pipeline.training.run_length import RunLength
from pipeline.training.targets import PartScores, target_sources


def student_loss(
    name: str,
    settings: Settings,
    scores: Sequence[PartScores],
    length: RunLength,
) -> Loss:
    """The loss of method `name` over a run.

    A step looks the targets of its batch up among those of the batch's part (see `target_sources`). A batch
    without gold tags has no gold loss: there λ = 1 whatever the schedule.

    Args:
        name: of the method.
        settings: its own.
        scores: the teacher's, for each part of the training sentences.
        length: of the run.
    """
    if not isinstance(settings, Scheduled):
        return gold_loss
    return _DistillationLoss(name, settings, scores, length)


class _DistillationLoss:
    """The loss of a method with a distillation loss; a step looks its targets up, unless `look_up` has."""

    def __init__(
        self, name: str, settings: Scheduled, scores: Sequence[PartScores], length: RunLength
    ) -> None:
        self.method, self.settings = find_method(name), settings
        self.sources = target_sources(scores, self.method, settings)
        self.schedule = partial(
            weight_at,
            settings.schedule,
            settings.weight,
            steps=length.steps,
            last_epoch_start=length.last_epoch_start,
        )

    def __call__(self, student: LinearChain, batch: Batch, step: int) -> Tensor:
        """The loss of each sentence [B]."""
        weight, target = self._weight(batch, step), None
        if weight > 0.0:
            source = self.sources[batch.part]
            inputs = source.fetch(batch.ids) if batch.target_inputs is None else batch.target_inputs
            target = source.compute(on_device(inputs, student.emissions.device))
        gold = None if weight == 1.0 else gold_of(batch, student.num_tags)
        return objective(self.method, self.settings, weight, student=student, target=target, gold=gold)

    def look_up(self, batch: Batch, step: int) -> Batch:
        """The batch with what its targets are made of, where the step has a distillation loss."""
        if self._weight(batch, step) == 0.0:
            return batch
        return replace(batch, target_inputs=self.sources[batch.part].fetch(batch.ids))

    def _weight(self, batch: Batch, step: int) -> float:
        """λ; 1 where there are no gold tags."""
        return 1.0 if batch.tags is None else self.schedule(step=step)
