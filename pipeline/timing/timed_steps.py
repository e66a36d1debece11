"""What is timed: each method as published and as this pipeline runs it, and the encoder alone."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor

from pipeline.chain import LinearChain
from pipeline.distillation.registry import method_settings
from pipeline.encoding.batching import Batch
from pipeline.model.chain_tagger import ChainTagger
from pipeline.timing import as_published
from pipeline.training.loss import Loss
from pipeline.training.run_length import RunLength
from pipeline.training.student_loss import student_loss
from pipeline.training.targets import PartScores

PUBLISHED, PIPELINE, LOWER_BOUND = "published", "pipeline", "lower_bound"


@dataclass(frozen=True)
class TimedStep:
    """One kind of training step.

    block, method: where its times go; the lower bound has no method.
    teach: what the step needs of a live teacher; None where none is run.
    loss: (the student's chains, the batch, what `teach` gave, the step) → the loss of each sentence [B].
    """

    block: str
    method: str
    teach: Callable[[Batch], Any] | None
    loss: Callable[[LinearChain, Batch, Any, int], Tensor]


def published(
    methods: Iterable[str],
    teacher: ChainTagger,
    accelerator: Accelerator,
    as_teacher: Callable[[Batch], Batch] = lambda batch: batch,
) -> list[TimedStep]:
    """The methods as peers compute them (see `timing.as_published`); one that has no such form is left out.

    Args:
        methods: their names.
        teacher: in evaluation mode on the accelerator's device; it runs in the students' precision.
        accelerator: device and precision.
        as_teacher: from a student's batch to that of the same sentences in the teacher's word pieces.
    """

    def timed_step(method: str, form: as_published.PublishedForm | None) -> TimedStep:
        @torch.no_grad()
        def teach(batch: Batch) -> Any:
            assert form is not None
            with accelerator.autocast():
                chain = teacher.chain(as_teacher(batch))
            return form.target(chain)

        def loss(chain: LinearChain, batch: Batch, target: Any, step: int) -> Tensor:
            assert batch.tags is not None
            return as_published.loss(chain, form, target, batch.tags)

        return TimedStep(PUBLISHED, method, None if form is None else teach, loss)

    return [timed_step(name, as_published.FORMS[name]) for name in methods if name in as_published.FORMS]


def in_pipeline(
    methods: Iterable[str], scores: Sequence[PartScores], length: RunLength
) -> tuple[list[TimedStep], dict[str, float]]:
    """The methods as `distill` runs them with their default settings, in a run of that length.

    No teacher runs; looking the targets of a batch up is part of the student's forward phase.

    Returns:
        The timed steps, and the seconds that each method took to compute the targets of all sentences, which
        happens once per run and is in no phase.
    """
    timed_steps, once = [], {}
    for method in methods:
        start = time.perf_counter()
        loss = student_loss(method, method_settings(method)(), scores, length)
        once[method] = time.perf_counter() - start
        timed_steps.append(TimedStep(PIPELINE, method, None, without_teacher(loss)))
    return timed_steps, once


def without_teacher(loss: Loss) -> Callable[[LinearChain, Batch, Any, int], Tensor]:
    """A loss of the training loop as that of a `TimedStep`."""
    return lambda chain, batch, _, step: loss(chain, batch, step)


def lower_bound() -> TimedStep:
    """Encoder, emission layer and optimiser under a loss that costs next to nothing."""
    return TimedStep(
        LOWER_BOUND, "", None, lambda chain, batch, target, step: chain.emissions.square().mean((1, 2))
    )
