"""The arithmetic of the figures, and what is in them."""

import math
from pathlib import Path

import pytest
from accelerate import Accelerator

from pipeline.distillation.registry import method_names
from pipeline.encoding.batching import Batches
from pipeline.model.chain_tagger import ChainTagger
from pipeline.model.model_folder import load_model
from pipeline.scores.store import ScoreStore
from pipeline.timing import as_published
from pipeline.timing.epochs import epoch_times, times
from pipeline.timing.measurement import STUDENT_BACKWARD, STUDENT_FORWARD, TEACHER_FORWARD
from pipeline.timing.settings import TimeEpochs
from pipeline.timing.timed_steps import LOWER_BOUND, PIPELINE, PUBLISHED, TimedStep
from pipeline.training.settings import Student
from pipeline.training.targets import PartScores


def a_pass(teacher: float, forward: float, backward: float) -> dict[str, float]:
    return {TEACHER_FORWARD: teacher, STUDENT_FORWARD: forward, STUDENT_BACKWARD: backward}


def test_the_median_pass_is_what_counts() -> None:
    def timed_step(block: str, method: str) -> TimedStep:
        return TimedStep(block, method, None, lambda chain, batch, target, step: chain.emissions)

    named = ((PUBLISHED, "structural"), (PIPELINE, "efficient"), (LOWER_BOUND, ""))
    timed_steps = [timed_step(block, method) for block, method in named]
    taken = [
        [a_pass(1.5, 1.5, 1), a_pass(0.5, 0.5, 0.5), a_pass(4.5, 4.5, 4.5)],
        [a_pass(0, 0.5, 1), a_pass(0, 1, 1)],
        [a_pass(0, 0.5, 0.5)],
    ]
    figures = times(timed_steps, taken, scale=2.0)
    assert figures["published"] == {"structural": {**a_pass(3, 3, 2), "total": 8}}
    assert figures["pipeline"] == {"efficient": {**a_pass(0, 1, 2), "total": 3}}
    assert figures["lower_bound"] == {STUDENT_FORWARD: 1, STUDENT_BACKWARD: 1, "total": 2}
    assert figures["spread"] == {
        "published": {"structural": {"min": 3, "max": 27}},
        "pipeline": {"efficient": {"min": 3, "max": 4}},
        "lower_bound": {"min": 2, "max": 2},
    }
    assert figures["ratios"] == {
        "published_to_lower_bound": {"structural": 4.0},
        "pipeline_to_lower_bound": {"efficient": 1.5},
        "efficient_in_pipeline_to_structural_as_published": 3 / 8,
    }


def test_every_method_is_measured_in_both_blocks(
    batches: Batches,
    model: ChainTagger,
    student: Student,
    teacher: Path,
    store: ScoreStore,
    device: Accelerator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    forms = {name: form for name, form in as_published.FORMS.items() if name != "kbest"}
    monkeypatch.setattr(as_published, "FORMS", forms)
    figures = epoch_times(
        method_names(),
        batches,
        [PartScores((store,))],
        load_model(teacher),
        model,
        student,
        TimeEpochs(epochs=1, batches=2),
        device,
    )
    assert set(figures["published"]) == set(forms)  # a method without a published form is left out
    assert set(figures["pipeline"]) == set(figures["targets_once_per_run"]) == set(method_names())
    for phases in (*figures["published"].values(), *figures["pipeline"].values(), figures["lower_bound"]):
        assert math.isclose(phases["total"], sum(s for name, s in phases.items() if name != "total"))
    assert figures["shape"] == {"teacher_layers": 2, "student_layers": 1, "hidden_size": 16}
    assert (figures["batches"], figures["epoch_batches"], figures["batch_size"]) == (2, 7, 4)
