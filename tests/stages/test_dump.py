"""`dump` stores a teacher's scores of the training sentences, or of one fold of them."""

from pathlib import Path

import torch

from pipeline.scores.store import ScoreStore
from tests.helpers.own_corpus_stages import one_line
from tests.helpers.workspace import Workspace
from tests.stages.conftest import Stage


def test_every_training_sentence_has_the_teachers_scores(stage: Stage, own: Workspace) -> None:
    assert stage("dump", item="dump@1-1")[0] == 0
    found, expected = ScoreStore.open(Path("out/1/1")), ScoreStore.open(own.root / "scores/1/1")
    assert (found.sentences, found.tags) == (expected.sentences, expected.tags)
    for ours, theirs in zip(
        (*found.words(torch.arange(found.sentences)), *found.parameters),
        (*expected.words(torch.arange(found.sentences)), *expected.parameters),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_a_teacher_that_is_not_listed_is_one_line(stage: Stage) -> None:
    said = one_line(stage("dump", item="dump@2-1"))
    assert said == "--item: params.yaml lists no 2 under `teachers`; choose one that is listed"
    assert not Path("out/2").exists()


def test_a_damaged_teacher_is_one_line(stage: Stage, own: Workspace) -> None:
    (own.root / "teacher/model.safetensors").write_bytes(b"x")
    assert "teacher/model.safetensors: damaged" in one_line(stage("dump"))
    assert not Path("out/1/1").exists()
