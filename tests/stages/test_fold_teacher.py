"""`fold_teacher` trains on the other folds, and on nothing where there is one."""

import json
from pathlib import Path

from pipeline.storage.sealed_folder import check
from pipeline.storage.yaml_file import read_yaml
from tests.helpers.own_corpus_stages import one_line
from tests.helpers.workspace import Workspace
from tests.stages.conftest import Stage


def set_folds(own: Workspace, folds: list[int]) -> None:
    path = own.root / "params.yaml"
    path.write_text(json.dumps(read_yaml(path) | {"folds": folds}))  # JSON is YAML


def test_one_fold_needs_no_teacher(stage: Stage) -> None:
    assert stage("fold_teacher", item="fold_teacher@1") == (0, "", "")
    assert check(Path("out/1")) == {}


def test_a_folds_teacher_says_which_it_has_not_seen(stage: Stage, own: Workspace) -> None:
    set_folds(own, [1, 2])
    assert stage("fold_teacher", item="fold_teacher@2")[0] == 0
    made = json.loads(Path("out/2/history.json").read_text())["made"]
    assert made["settings"] == {"fold": 2, "folds": 2}


def test_a_fold_that_is_not_listed_is_one_line(stage: Stage) -> None:
    said = one_line(stage("fold_teacher", item="fold_teacher@2"))
    assert said == "--item: params.yaml lists no 2 under `folds`; choose one that is listed"
    assert not Path("out/2").exists()
