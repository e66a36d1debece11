"""Table 2: student training in phases, as published and in this pipeline, beside the encoder alone."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor
from transformers import BertConfig

from pipeline.chain import LinearChain
from pipeline.device import device_name, synchronize
from pipeline.distillation.registry import method_settings
from pipeline.distillation.roles import EXACT, PAPER
from pipeline.encoding.batching import Batch
from pipeline.encoding.encoded import Encoded
from pipeline.model.chain_tagger import ChainTagger
from pipeline.model.tagger_config import ChainTaggerConfig
from pipeline.progress import progress
from pipeline.settings import Head
from pipeline.timing import as_published
from pipeline.timing.settings import TimeEpochs
from pipeline.training.loop import Loss, Run, TrainingBatches
from pipeline.training.settings import Student, Training
from pipeline.training.student_loss import student_loss
from pipeline.training.targets import PartScores

PUBLISHED, PIPELINE, FLOOR = "published", "pipeline", "floor"
TEACHER_FORWARD, STUDENT_FORWARD, STUDENT_BACKWARD = "teacher_forward", "student_forward", "student_backward"

BERT_BASE_LAYERS = 3  # of the paper's student; its teacher's are BertConfig's default

TURN = 20  # batches that one contender trains on before the next one does

Pass = dict[str, float]
"""Seconds of one pass by phase."""


def epoch_times(
    methods: Sequence[str],
    batches: TrainingBatches,
    scores: Sequence[PartScores],
    teacher: ChainTagger,
    model: ChainTagger,
    student: Student,
    settings: TimeEpochs,
    accelerator: Accelerator,
) -> dict[str, Any]:
    """Measure both blocks and the floor in one run.

    Args:
        methods: what to time, with default settings.
        batches: the training sentences.
        scores: the teacher's, for each part of them.
        teacher: run live in the block `published`.
        model: the student; its weights are used up.
        student: how it is trained.
        settings: how much is measured.
        accelerator: device and precision.

    Returns:
        The content of timing.json: seconds are those of an epoch of `epoch_batches` batches, from `batches`
        measured ones (see `times`). Where no sentence is labelled, nothing is measured and both are 0.
    """
    if len(batches) == 0:
        return {"batches": 0, "epoch_batches": 0}
    model.to(accelerator.device)
    teacher.to(accelerator.device).eval()
    chosen = [batches.batch(ids).to(accelerator.device) for ids in representative(batches, settings.batches)]
    steps = len(batches) * student.epochs
    here, once = pipeline(methods, scores, student, steps=steps)
    contenders = [*published(methods, teacher, accelerator), *here, floor()]
    taken = measure(
        contenders, model, chosen, student, steps=steps, passes=settings.epochs, accelerator=accelerator
    )
    return {
        "device": device_name(accelerator.device),
        "precision": accelerator.mixed_precision,
        "batches": len(chosen),
        "epoch_batches": len(batches),
        "batch_size": student.batch_size,
        "epochs": settings.epochs,
        "shape": {
            "teacher_layers": teacher.encoder.config.num_hidden_layers,
            "student_layers": model.encoder.config.num_hidden_layers,
            "hidden_size": model.encoder.config.hidden_size,
        },
        **times(contenders, taken, scale=len(batches) / len(chosen)),
        "targets_once_per_run": once,
    }


def bert_base(
    encoded: Encoded, *, layers: int | None = None, dropout: float = 0.1, head: Head = "crf"
) -> ChainTagger:
    """A tagger of BERT-base's shape with random weights, for which `encoded` is in range."""
    shape = BertConfig()
    pieces = encoded.pieces.in_memory().values
    largest = int(pieces.max()) if len(pieces) else 0
    config = BertConfig(
        vocab_size=max(shape.vocab_size, largest + 1, *_special(encoded)),
        max_position_embeddings=max(shape.max_position_embeddings, encoded.layout.window),
        num_hidden_layers=layers or shape.num_hidden_layers,
    )
    layout = asdict(encoded.layout)
    tag_set = encoded.tag_set.to_json()
    return ChainTagger(ChainTaggerConfig(config.to_dict(), tag_set, layout, dropout, head))


def _special(encoded: Encoded) -> list[int]:
    """The least sizes of a vocabulary that holds the special pieces."""
    of = encoded.layout
    return [piece + 1 for piece in (*of.prefix, *of.suffix, of.pad, of.unknown)]


class PhaseClock:
    """Seconds by phase; the device is idle at each boundary."""

    def __init__(self, device: torch.device) -> None:
        """Stand at zero."""
        self.seconds: Pass = dict.fromkeys((TEACHER_FORWARD, STUDENT_FORWARD, STUDENT_BACKWARD), 0.0)
        self._device = device
        self._since = 0.0

    def start(self) -> None:
        """What follows counts."""
        synchronize(self._device)
        self._since = time.perf_counter()

    def lap(self, phase: str) -> None:
        """What was done since the last boundary belongs to `phase`."""
        synchronize(self._device)
        now = time.perf_counter()
        self.seconds[phase] += now - self._since
        self._since = now


@dataclass(frozen=True)
class Contender:
    """One way to make a training step.

    block, method: where its times go; the floor has no method.
    teach: what the step needs of a live teacher; None where none is run.
    loss: (the student's chains, the batch, what `teach` gave, the step) → the loss of each sentence [B].
    """

    block: str
    method: str
    teach: Callable[[Batch], Any] | None
    loss: Callable[[LinearChain, Batch, Any, int], Tensor]


def published(methods: Iterable[str], teacher: ChainTagger, accelerator: Accelerator) -> list[Contender]:
    """The methods as peers compute them (see `timing.as_published`); one that has no such form is left out.

    `teacher` is in evaluation mode on the accelerator's device, and runs in the students' precision.
    """

    def contender(method: str, form: as_published.Form | None) -> Contender:
        @torch.no_grad()
        def teach(batch: Batch) -> Any:
            assert form is not None
            with accelerator.autocast():
                chain = teacher.chain(batch)
            return form.target(chain)

        def loss(chain: LinearChain, batch: Batch, target: Any, step: int) -> Tensor:
            assert batch.tags is not None
            return as_published.loss(chain, form, target, batch.tags)

        return Contender(PUBLISHED, method, None if form is None else teach, loss)

    return [contender(name, as_published.FORMS[name]) for name in methods if name in as_published.FORMS]


def pipeline(
    methods: Iterable[str], scores: Sequence[PartScores], student: Student, *, steps: int
) -> tuple[list[Contender], dict[str, float]]:
    """The methods as `distill` runs them with their default settings, in a run of `steps` steps.

    No teacher runs; looking the targets of a batch up is part of the student's forward phase.

    Returns:
        The contenders, and the seconds that each method took to compute the targets of all sentences, which
        happens once per run and is in no phase.
    """
    contenders, once = [], {}
    for method in methods:
        start = time.perf_counter()
        own = student_loss(method, method_settings(method)(), scores, steps=steps, epochs=student.epochs)
        once[method] = time.perf_counter() - start
        contenders.append(Contender(PIPELINE, method, None, _without_teacher(own)))
    return contenders, once


def _without_teacher(loss: Loss) -> Callable[[LinearChain, Batch, Any, int], Tensor]:
    return lambda chain, batch, _, step: loss(chain, batch, step)


def floor() -> Contender:
    """Encoder, emission layer and optimiser under a loss that costs next to nothing."""
    return Contender(
        FLOOR, "", None, lambda chain, batch, target, step: chain.emissions.square().mean((1, 2))
    )


def representative(batches: TrainingBatches, count: int | None) -> list[Tensor]:
    """`count` of an epoch's batches (ids [B] each; None: all), evenly spaced in the order of their size."""
    epoch = sorted(batches.shuffled(0), key=batches.size)
    count = min(count or len(epoch), len(epoch))
    return [epoch[(2 * place + 1) * len(epoch) // (2 * count)] for place in range(count)]


def measure(
    contenders: Sequence[Contender],
    model: ChainTagger,
    batches: Sequence[Batch],
    settings: Training,
    *,
    steps: int,
    passes: int,
    accelerator: Accelerator,
) -> list[list[Pass]]:
    """Train `model` over the batches, each contender in turn, `passes` times after one pass to warm up.

    A pass is cut into turns of a few batches, which the contenders take one after the other: all meet the
    machine as fast or slow as it is in the same seconds. Their order is rotated as the run goes on. Every
    turn starts from the same weights, and all its steps are the one in the middle of a run: λ is between 0
    and 1 under `linear`, and 1 under `last_epoch`. Laying the batches out is in no phase, as in the paper;
    the checks for NaN and the clipping of gradients are, as a run makes them.

    Args:
        contenders: what to measure.
        model: the student, on the accelerator's device.
        batches: on the accelerator's device.
        settings: of the optimiser.
        steps: of the run that the passes stand for.
        passes: how many count.
        accelerator: device and precision.

    Returns:
        The passes of each contender.
    """
    run = Run(model.train(), settings, steps)
    weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    turns = [batches[start : start + TURN] for start in range(0, len(batches), TURN)]
    rounds = (passes + 1) * len(turns)
    clocks = [[PhaseClock(accelerator.device) for _ in range(passes + 1)] for _ in contenders]
    with progress("timing", rounds * len(contenders)) as meter:
        for number in range(rounds):
            first = number * len(contenders) // rounds
            for place in range(len(contenders)):
                which = (first + place) % len(contenders)
                contender, clock = contenders[which], clocks[which][number // len(turns)]
                model.load_state_dict(weights)
                for batch in turns[number % len(turns)]:
                    run.step = (steps - 1) // 2
                    _step(contender, run, batch, clock, accelerator)
                meter.advance(1, f"{contender.block} {contender.method}")
    return [[clock.seconds for clock in passes_of[1:]] for passes_of in clocks]


def _step(contender: Contender, run: Run, batch: Batch, clock: PhaseClock, accelerator: Accelerator) -> None:
    target: Any = None
    clock.start()
    if contender.teach is not None:
        target = contender.teach(batch)
        clock.lap(TEACHER_FORWARD)
    losses = run.forward(
        batch, lambda chain, batch, step: contender.loss(chain, batch, target, step), accelerator
    )
    clock.lap(STUDENT_FORWARD)
    run.backward(losses, batch, accelerator)
    clock.lap(STUDENT_BACKWARD)


def times(
    contenders: Sequence[Contender], taken: Sequence[Sequence[Pass]], *, scale: float
) -> dict[str, Any]:
    """The measured figures as timing.json has them.

    A contender's phases are those of its median pass (the lower of two), so that they add up to its total.

    Args:
        contenders: what was measured.
        taken: what `measure` returned.
        scale: batches of an epoch per measured batch.

    Returns:
        published, pipeline: by method; floor: seconds of an epoch by phase and their total.
        spread: the least and the greatest total of each.
        ratios: totals as multiples of the floor's; `efficient` here as a share of `structural` as published.
    """
    medians: dict[str, dict[str, Any]] = {PUBLISHED: {}, PIPELINE: {}, FLOOR: {}}
    spread: dict[str, dict[str, Any]] = {PUBLISHED: {}, PIPELINE: {}, FLOOR: {}}
    for contender, passes in zip(contenders, taken, strict=True):
        epochs = [{phase: seconds * scale for phase, seconds in one.items()} for one in passes]
        ordered = sorted(epochs, key=_total)
        middle = ordered[(len(ordered) - 1) // 2]
        medians[contender.block][contender.method] = middle | {"total": _total(middle)}
        spread[contender.block][contender.method] = {"min": _total(ordered[0]), "max": _total(ordered[-1])}
    base = {phase: seconds for phase, seconds in medians[FLOOR][""].items() if phase != TEACHER_FORWARD}
    totals = {
        block: {method: phases["total"] for method, phases in medians[block].items()}
        for block in (PUBLISHED, PIPELINE)
    }
    ratios: dict[str, Any] = {
        f"{block}_to_floor": {method: total / base["total"] for method, total in of_block.items()}
        for block, of_block in totals.items()
    }
    if PAPER in totals[PIPELINE] and EXACT in totals[PUBLISHED]:
        ratio = totals[PIPELINE][PAPER] / totals[PUBLISHED][EXACT]
        ratios[f"{PAPER}_in_pipeline_to_{EXACT}_as_published"] = ratio
    return {
        PUBLISHED: medians[PUBLISHED],
        PIPELINE: medians[PIPELINE],
        FLOOR: base,
        "ratios": ratios,
        "spread": spread | {FLOOR: spread[FLOOR][""]},
    }


def _total(phases: Mapping[str, float]) -> float:
    return sum(phases.values())
