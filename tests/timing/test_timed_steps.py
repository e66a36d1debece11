"""The block `published` runs a teacher live; the block `pipeline` runs what `distill` runs."""

from pathlib import Path

import pytest
import torch
from accelerate import Accelerator
from torch import Tensor

from pipeline.chain import LinearChain
from pipeline.encoding.batching import Batches
from pipeline.model.chain_tagger import ChainTagger
from pipeline.model.model_folder import load_model
from pipeline.scores.store import ScoreStore
from pipeline.timing.measurement import TEACHER_FORWARD, measure, representative
from pipeline.timing.timed_steps import in_pipeline, lower_bound, published
from pipeline.training.run_length import RunLength
from pipeline.training.settings import Student
from pipeline.training.targets import PartScores


def test_only_the_published_block_runs_a_teacher(
    batches: Batches,
    model: ChainTagger,
    student: Student,
    teacher: Path,
    device: Accelerator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    live = load_model(teacher).eval()
    runs: list[bool] = []
    forward = live.forward

    def counted(*args: Tensor) -> LinearChain:
        runs.append(torch.is_grad_enabled())
        return forward(*args)

    monkeypatch.setattr(live, "forward", counted)
    timed_steps = [*published(["vanilla", "structural"], live, device), lower_bound()]
    chosen = [batches.collate(ids) for ids in representative(batches, 3)]
    taken = measure(timed_steps, model, chosen, student, steps=4, passes=1, accelerator=device)
    assert runs == [False] * 6  # `structural`, for each batch, once to warm up and once to count
    assert [passes[0][TEACHER_FORWARD] > 0 for passes in taken] == [False, True, False]


@pytest.mark.parametrize(
    ("method", "in_a_step"),
    [
        ("vanilla", 1),
        ("kbest", 1),  # one log Z for both terms
        ("structural", 1),
        ("posterior", 3),  # log marginals, their gradient, and the gold loss's log Z
        ("efficient", 0),
        ("efficient_emission", 0),
    ],
)
def test_the_pipeline_block_runs_the_regime_of_most_steps(
    method: str,
    in_a_step: int,
    batches: Batches,
    model: ChainTagger,
    student: Student,
    store: ScoreStore,
    device: Accelerator,
    programs: list[str],
) -> None:
    timed_steps, once = in_pipeline([method], [PartScores((store,))], RunLength(14, 7))
    assert list(once) == [method]
    programs.clear()
    chosen = [batches.collate(next(batches.in_order()))]
    measure(timed_steps, model, chosen, student, steps=14, passes=1, accelerator=device)
    assert len(programs) == in_a_step * 2  # the warm-up and the pass that counts
