"""A method, its settings and the teachers' scores, as the function that the training loop minimises."""

from collections.abc import Sequence

from torch import Tensor

from pipeline.chain import LinearChain
from pipeline.distillation.objective import find_method, objective
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
    method = find_method(name)
    tables = [tabulate(part, method, settings) for part in scores]

    def loss(student: LinearChain, batch: Batch, step: int) -> Tensor:
        weight = 1.0
        if batch.tags is not None:
            weight = weight_at(settings.schedule, settings.weight, step=step, steps=steps, epochs=epochs)
        target = None if weight == 0.0 else tables[batch.part](batch.ids).to(student.emissions.device)
        gold = None if weight == 1.0 else gold_of(batch, student.num_tags)
        return objective(method, settings, weight, student=student, target=target, gold=gold)

    return loss
