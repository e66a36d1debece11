"""A card of another corpus, text or teacher than DVC's last run had is refused."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UserError
from pipeline.exporting.last_run import check_last_run
from pipeline.storage.yaml_file import read_yaml

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def trees() -> tuple[Any, Any]:
    """This project's params.yaml and dvc.lock."""
    return read_yaml(ROOT / "params.yaml"), read_yaml(ROOT / "dvc.lock", limit=10**7)


@pytest.fixture
def project(trees: tuple[Any, Any], tmp_path: Path) -> Callable[..., Path]:
    """This project's params.yaml and dvc.lock, each after a change; the path of the first."""

    def write(
        edit: Callable[[Any], object] = lambda _: None, ran: Callable[[Any], object] = lambda _: None
    ) -> Path:
        params, lock = copy.deepcopy(trees)
        edit(params)
        ran(lock["stages"])
        for name, tree in (("params.yaml", params), ("dvc.lock", lock)):
            (tmp_path / name).write_text(json.dumps(tree))  # which is YAML too
        return tmp_path / "params.yaml"

    return write


def check(params: Path) -> None:
    check_last_run(params, "structural-1", "1-1")


def test_the_projects_own_lock_fits_its_parameters() -> None:
    check(ROOT / "params.yaml")


def put(path: str, value: Any) -> Callable[[Any], None]:
    """An edit of params.yaml that sets GROUP.….NAME."""
    *groups, name = path.split("/")

    def edit(tree: Any) -> None:
        for group in groups:
            tree = tree[group]
        tree[name] = value

    return edit


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("task", "conll2000", "task is conll2000, but was newsdesk in the last run"),
        ("teacher/epochs", 30, "teacher.epochs is 30, but was 6 in the last run"),
        ("corpora/newsdesk/files/train", "other", r"corpora\.newsdesk\.files\.train is other"),
        ("corpora/newsdesk/counts", {"train": [999, 9999]}, r"corpora\.newsdesk\.counts is .*999.* empty"),
        ("unlabelled/files", "more.txt", r"unlabelled\.files is more\.txt, but .* empty"),
        ("unlabelled/sentences", 0, r"unlabelled\.sentences is 0, but"),
        ("unlabelled/augmented", 1, r"unlabelled\.augmented is 1, but .* 0"),
        ("student/encoder", "org/name", r"student\.encoder is org/name, but .* empty"),
        ("dump/dtype", "float16", r"dump\.dtype is float16, but .* float32"),
        ("evaluate/batch_size", 7, r"evaluate\.batch_size is 7, but .* 64"),
        ("sources/all-MiniLM-L6-v2/source", "org/other", r"sources\.all-MiniLM-L6-v2\.source is org/other"),
    ],
)
def test_other_parameters_than_those_of_the_last_run_are_refused(
    project: Callable[..., Path], path: str, value: Any, says: str
) -> None:
    with pytest.raises(UserError, match=says):
        check(project(put(path, value)))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("corpora/newsdesk/licence", "mit"),
        ("corpora/newsdesk/language", "de"),
        ("sources/another", {"source": "org/other"}),
        ("time_epochs/epochs", 9),
        ("student/layers", 2),  # which the student's own folder says
    ],
)
def test_what_a_card_takes_from_elsewhere_may_differ(
    project: Callable[..., Path], path: str, value: Any
) -> None:
    check(project(put(path, value)))


def test_metrics_of_a_teacher_of_before_are_refused(project: Callable[..., Path]) -> None:
    def again(stages: Any) -> None:
        stages["teacher"]["outs"][0]["md5"] = "0123.dir"

    with pytest.raises(
        UserError, match="trained again after it was evaluated; run `dvc repro evaluate_teacher`"
    ):
        check(project(ran=again))


@pytest.mark.parametrize("content", ["", "[]", "schema: '2.0'", "stages: 3"])
def test_a_lock_without_stages_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "dvc.lock").write_text(content)
    with pytest.raises(UserError, match=r"dvc\.lock: holds no stages; run `dvc repro`"):
        check(tmp_path / "params.yaml")


def test_without_a_lock_nothing_is_compared(tmp_path: Path) -> None:
    check(tmp_path / "params.yaml")
