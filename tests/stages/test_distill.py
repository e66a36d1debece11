"""`distill` trains one student by one method, under its name and seed."""

import json
from pathlib import Path

from pipeline.model.model_folder import load_model
from tests.helpers.own_corpus_stages import one_line
from tests.helpers.tiny_corpus import TAG_SET
from tests.helpers.workspace import METHOD, Workspace
from tests.stages.conftest import Stage


def test_the_student_lies_under_its_method_and_seed(stage: Stage) -> None:
    assert stage("distill", item=f"distill@{METHOD}-7")[0] == 0
    student = Path("out") / METHOD / "7"
    model = load_model(student)
    assert (model.tag_set, model.encoder.config.num_hidden_layers) == (TAG_SET, 1)
    made = json.loads((student / "history.json").read_text())["made"]
    assert (made["method"], made["seed"], made["teachers"], made["folds"]) == (METHOD, 7, 1, 1)


def test_a_method_that_does_not_exist_is_one_line(stage: Stage) -> None:
    assert "there is no method 'nope'" in one_line(stage("distill", item="distill@nope-1"))
    assert not Path("out").exists()


def test_scores_of_another_corpus_are_one_line(stage: Stage, own: Workspace) -> None:
    (own.root / "scores/1/1/seal.json").unlink()
    assert "scores/1/1: not a finished output of the pipeline" in one_line(stage("distill"))
    assert not (Path("out") / METHOD).exists()
