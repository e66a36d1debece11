"""`further_teacher` trains all teachers but the first, each with a seed of its own."""

import json
from pathlib import Path

from pipeline.params import load_params
from pipeline.storage.sealed_folder import check
from tests.helpers.own_corpus_stages import one_line
from tests.helpers.workspace import Workspace
from tests.stages.conftest import Stage


def test_the_first_is_another_stages(stage: Stage) -> None:
    assert stage("further_teacher", item="further_teacher@1") == (0, "", "")
    assert check(Path("out/1")) == {}


def test_another_has_the_seed_behind(stage: Stage, own: Workspace) -> None:
    assert stage("further_teacher", item="further_teacher@3")[0] == 0
    made = json.loads(Path("out/3/history.json").read_text())["made"]
    assert made["seed"] == load_params(own.root / "params.yaml").teacher.seed + 2


def test_an_item_that_is_no_number_is_one_line(stage: Stage) -> None:
    said = one_line(stage("further_teacher", item="further_teacher@second"))
    assert said.startswith("--item: 'further_teacher@second' is not a TEACHER; name one, such as 1")
    assert not Path("out").exists()
