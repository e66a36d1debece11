"""A method, its settings and the teachers' scores, as the function that the training loop minimises."""

from collections.abc import Sequence
from functools import partial

from torch import Tensor

from pipeline.chain import LinearChain
from pipeline.distillation.objective import find_method, objective
from pipeline.distillation.schedule import weight_at
from pipeline.distillation.settings import Scheduled, Settings
from pipeline.encoding.batching import Batch
from pipeline.training.length import Length
from pipeline.training.loop import Loss, gold_loss, gold_of
from pipeline.training.targets import PartScores, target_look_ups


def student_loss(
    name: str,
    settings: Settings,
    scores: Sequence[PartScores],
    length: Length,
) -> Loss:
    """The loss of method `name` over a run.

    A step looks the targets of its batch up among those of the batch's part (see `target_look_ups`). A batch
    without gold tags has no gold term: there λ = 1 whatever the schedule.

    Args:
        name: of the method.
        settings: its own.
        scores: the teacher's, for each part of the training sentences.
        length: of the run.
    """
    if not isinstance(settings, Scheduled):
        return gold_loss
    method = find_method(name)
    look_ups = target_look_ups(scores, method, settings)
    schedule = partial(
        weight_at, settings.schedule, settings.weight, steps=length.steps, last_epoch=length.last_epoch
    )

    def loss(student: LinearChain, batch: Batch, step: int) -> Tensor:
        weight = 1.0
        if batch.tags is not None:
            weight = schedule(step=step)
        target = None if weight == 0.0 else look_ups[batch.part](batch.ids, student.emissions.device)
        gold = None if weight == 1.0 else gold_of(batch, student.num_tags)
        return objective(method, settings, weight, student=student, target=target, gold=gold)

    return loss
