"""Table 2: student training in phases, as published and in this pipeline, beside the encoder alone."""

from collections.abc import Mapping, Sequence
from typing import Any

from accelerate import Accelerator

from pipeline.device import device_name
from pipeline.distillation.roles import PAPER, STRUCTURAL
from pipeline.model.chain_tagger import ChainTagger
from pipeline.timing.measurement import TEACHER_FORWARD, Pass, measure, representative
from pipeline.timing.settings import TimeEpochs
from pipeline.timing.timed_steps import (
    LOWER_BOUND,
    PIPELINE,
    PUBLISHED,
    TimedStep,
    in_pipeline,
    lower_bound,
    published,
)
from pipeline.training.loop import TrainingBatches
from pipeline.training.settings import Student
from pipeline.training.targets import PartScores


def epoch_times(
    methods: Sequence[str],
    batches: TrainingBatches,
    scores: Sequence[PartScores],
    teacher: ChainTagger,
    model: ChainTagger,
    student: Student,
    settings: TimeEpochs,
    accelerator: Accelerator,
    *,
    teacher_batches: TrainingBatches | None = None,
) -> dict[str, Any]:
    """Measure both blocks and the lower bound in one run.

    Args:
        methods: what to time, with default settings.
        batches: the training sentences.
        scores: the teacher's, for each part of them.
        teacher: run live in the block `published`.
        model: the student; its weights are used up.
        student: how it is trained.
        settings: how much is measured.
        accelerator: device and precision.
        teacher_batches: the training split in the teacher's word pieces; None: the student's are the same.

    Returns:
        The content of timing.json: seconds are those of an epoch of `epoch_batches` batches, from `batches`
        measured ones (see `times`). Where no sentence is labelled, nothing is measured and both are 0.
    """
    if len(batches) == 0:
        return {"batches": 0, "epoch_batches": 0}
    model.to(accelerator.device)
    teacher.to(accelerator.device).eval()
    chosen = [
        batches.collate(ids).to(accelerator.device) for ids in representative(batches, settings.batches)
    ]
    length = student.length(len(batches))
    here, once = in_pipeline(methods, scores, length)
    seen = {batch: batch for batch in chosen}
    if teacher_batches is not None:
        seen = {batch: teacher_batches.collate(batch.ids).to(accelerator.device) for batch in chosen}
    as_published = published(methods, teacher, accelerator, seen.__getitem__)
    timed_steps = [*as_published, *here, lower_bound()]
    taken = measure(
        timed_steps,
        model,
        chosen,
        student,
        steps=length.steps,
        passes=settings.epochs,
        accelerator=accelerator,
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
        **times(timed_steps, taken, scale=len(batches) / len(chosen)),
        "targets_once_per_run": once,
    }


def times(
    timed_steps: Sequence[TimedStep], taken: Sequence[Sequence[Pass]], *, scale: float
) -> dict[str, Any]:
    """The measured figures as timing.json has them.

    A step's phases are those of its median pass (the lower of two), so that they add up to its total.

    Args:
        timed_steps: what was measured.
        taken: what `measure` returned.
        scale: batches of an epoch per measured batch.

    Returns:
        published, pipeline: by method; lower_bound: seconds of an epoch by phase and their total.
        spread: the least and the greatest total of each.
        ratios: totals / the lower bound's; `efficient` here / `structural` as published.
    """
    medians: dict[str, dict[str, Any]] = {PUBLISHED: {}, PIPELINE: {}, LOWER_BOUND: {}}
    spread: dict[str, dict[str, Any]] = {PUBLISHED: {}, PIPELINE: {}, LOWER_BOUND: {}}
    for timed_step, passes in zip(timed_steps, taken, strict=True):
        epochs = [{phase: seconds * scale for phase, seconds in one.items()} for one in passes]
        ordered = sorted(epochs, key=_total)
        middle = ordered[(len(ordered) - 1) // 2]
        medians[timed_step.block][timed_step.method] = middle | {"total": _total(middle)}
        spread[timed_step.block][timed_step.method] = {"min": _total(ordered[0]), "max": _total(ordered[-1])}
    base = {phase: seconds for phase, seconds in medians[LOWER_BOUND][""].items() if phase != TEACHER_FORWARD}
    totals = {
        block: {method: phases["total"] for method, phases in medians[block].items()}
        for block in (PUBLISHED, PIPELINE)
    }
    ratios: dict[str, Any] = {
        f"{block}_to_lower_bound": {method: total / base["total"] for method, total in of_block.items()}
        for block, of_block in totals.items()
    }
    if PAPER in totals[PIPELINE] and STRUCTURAL in totals[PUBLISHED]:
        ratio = totals[PIPELINE][PAPER] / totals[PUBLISHED][STRUCTURAL]
        ratios[f"{PAPER}_in_pipeline_to_{STRUCTURAL}_as_published"] = ratio
    return {
        PUBLISHED: medians[PUBLISHED],
        PIPELINE: medians[PIPELINE],
        LOWER_BOUND: base,
        "ratios": ratios,
        "spread": spread | {LOWER_BOUND: spread[LOWER_BOUND][""]},
    }


def _total(phases: Mapping[str, float]) -> float:
    return sum(phases.values())
