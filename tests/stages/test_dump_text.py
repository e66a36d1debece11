"""`dump_text` stores a teacher's scores of the unlabelled text, which may be none."""

import shutil
from pathlib import Path

import torch

from pipeline.scores.store import ScoreStore
from pipeline.storage.sealed_folder import check, write_empty
from tests.helpers.own_corpus_stages import one_line
from tests.helpers.workspace import Workspace
from tests.stages.conftest import Stage


def test_every_sentence_of_the_text_has_the_teachers_scores(stage: Stage, own: Workspace) -> None:
    assert stage("dump_text", item="dump_text@1")[0] == 0
    found, expected = ScoreStore.open(Path("out/1")), ScoreStore.open(own.root / "text_scores/1")
    assert found.sentences == expected.sentences > 0
    every = torch.arange(found.sentences)
    torch.testing.assert_close(found.words(every)[0], expected.words(every)[0], rtol=1e-4, atol=1e-5)


def test_without_text_the_folder_is_empty(stage: Stage, own: Workspace) -> None:
    shutil.rmtree(own.root / "text_encoded")
    write_empty(own.root / "text_encoded")
    assert stage("dump_text") == (0, "", "")
    assert check(Path("out/1")) == {}


def test_a_text_that_is_not_finished_is_one_line(stage: Stage, own: Workspace) -> None:
    (own.root / "text_encoded/seal.json").unlink()
    assert "text_encoded: not a finished output of the pipeline" in one_line(stage("dump_text"))
    assert not Path("out/1").exists()
