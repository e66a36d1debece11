"""`teacher` trains a tagger of the corpus, or takes an existing one; a damaged input leaves no folder."""

import json
import shutil
from pathlib import Path

from pipeline.model.model_folder import load_model
from pipeline.storage.sealed_folder import check
from tests.helpers.own_corpus_stages import one_line
from tests.helpers.tiny_corpus import TAG_SET
from tests.helpers.workspace import Workspace
from tests.stages.conftest import Stage


def test_it_trains_a_tagger_of_the_corpus(stage: Stage) -> None:
    assert stage("teacher")[0] == 0
    assert load_model(Path("out")).tag_set == TAG_SET
    history = json.loads(Path("out/history.json").read_text())
    assert (history["made"]["method"], len(history["epochs"])) == ("teacher", 2)
    assert [*Path(".ckpt").iterdir()] == []  # no checkpoint is left


def test_it_takes_an_existing_model(stage: Stage, own: Workspace) -> None:
    shutil.rmtree(own.root / "encoder")
    shutil.copytree(own.root / "teacher", own.root / "encoder")
    own.set(teacher={"model": "org/model"})
    status, out, _ = stage("teacher")
    assert status == 0
    assert out.startswith("teacher: not trained here; its 5 labels are in iob2")
    weights = "model.safetensors"
    assert check(Path("out"))[weights] == check(own.root / "teacher")[weights]


def test_a_damaged_corpus_is_one_line(stage: Stage, own: Workspace) -> None:
    (own.root / "encoded/dev.parquet").write_bytes(b"PAR1")
    assert "encoded/dev.parquet: damaged" in one_line(stage("teacher"))
    assert not Path("out").exists()
