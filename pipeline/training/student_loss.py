"""A method, its settings and the teacher's scores, as the function that the training loop minimises."""

from torch import Tensor

from pipeline.chain import LinearChain
from pipeline.distillation.objective import find_method, objective
from pipeline.distillation.schedule import weight_at
from pipeline.distillation.settings import Scheduled, Settings
from pipeline.encoding.batching import Batch
from pipeline.scores.store import ScoreStore
from pipeline.training.loop import Loss, gold_loss, gold_of
from pipeline.training.targets import tabulate


def student_loss(
    name: str,
    settings: Settings,
    store: ScoreStore,
    *,
    unlabelled: ScoreStore | None = None,
    steps: int,
    epochs: int,
) -> Loss:
    """The loss of method `name` over a run of `steps` steps in `epochs` epochs.

    The targets of all sentences are computed here, once; a step looks its batch's up: one with tags has them
    in `store`, one without in `unlabelled`, and there λ = 1 whatever the schedule, as there is no gold term.
    """
    if not isinstance(settings, Scheduled):
        return gold_loss
    method = find_method(name)
    targets = tabulate(store, method, settings)
    targets_of_unlabelled = None if unlabelled is None else tabulate(unlabelled, method, settings)

    def loss(student: LinearChain, batch: Batch, step: int) -> Tensor:
        if batch.tags is None and targets_of_unlabelled is not None:
            table, weight = targets_of_unlabelled, 1.0
        else:
            table = targets
            weight = weight_at(settings.schedule, settings.weight, step=step, steps=steps, epochs=epochs)
        target = None if weight == 0.0 else table(batch.ids).to(student.emissions.device)
        gold = None if weight == 1.0 else gold_of(batch, student.num_tags)
        return objective(method, settings, weight, student=student, target=target, gold=gold)

    return loss
