"""A card of another corpus or teacher than DVC's last run had is refused."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from pipeline.errors import UserError
from pipeline.exporting.last_run import check_last_run
from pipeline.params import Params, load_params

ROOT = Path(__file__).parents[2]


@pytest.fixture
def read() -> Params:
    return load_params(ROOT / "params.yaml")


def check(read: Params, params: Path) -> None:
    check_last_run(params, task=read.task, files=read.corpus.files, teacher=read.teacher)


def test_the_projects_own_lock_fits_its_parameters(read: Params) -> None:
    check(read, ROOT / "params.yaml")


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"task": "conll2000"}, "task is conll2000, but in the last run .* newsdesk"),
        ({"teacher": {"epochs": 30}}, "teacher.epochs is 30, but in the last run .* 6"),
    ],
)
def test_other_parameters_than_those_of_the_last_run_are_refused(
    read: Params, changed: dict[str, Any], says: str
) -> None:
    teacher = read.teacher.model_copy(update=changed.get("teacher"))
    given = read.model_copy(update=changed | {"teacher": teacher})
    with pytest.raises(UserError, match=says):
        check(given, ROOT / "params.yaml")


def test_another_corpus_under_the_same_name_is_refused(read: Params, tmp_path: Path) -> None:
    yaml = YAML(typ="safe", pure=True)
    lock = yaml.load((ROOT / "dvc.lock").read_text())
    ran = lock["stages"]["download@corpus"]["params"]["params.yaml"]
    ran["corpora.newsdesk"]["files"]["train"] = "other.conll"
    yaml.dump(lock, tmp_path / "dvc.lock")
    with pytest.raises(UserError, match=r"corpora\.newsdesk\.files is "):
        check(read, tmp_path / "params.yaml")


@pytest.mark.parametrize("content", ["", "[]", "schema: '2.0'", "stages: 3"])
def test_a_lock_without_stages_is_refused(read: Params, tmp_path: Path, content: str) -> None:
    (tmp_path / "dvc.lock").write_text(content)
    with pytest.raises(UserError, match=r"dvc\.lock: holds no stages; run `dvc repro`"):
        check(read, tmp_path / "params.yaml")


def test_without_a_lock_nothing_is_compared(read: Params, tmp_path: Path) -> None:
    check(read, tmp_path / "params.yaml")
