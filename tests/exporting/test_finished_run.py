"""Folders and parameters that do not belong together are refused, as `publish` reads them."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from pipeline.encoding.split_file import read_column
from pipeline.errors import UserError
from pipeline.evaluation.evaluate import Evaluation, save_evaluation
from pipeline.storage.sealed_folder import SEAL, new_folder
from stages import publish
from tests.helpers.published_runs import published


def rewrite(folder: Path, file: str, content: Any) -> None:
    """Put other content into a JSON file of a sealed folder, under a new seal."""
    with new_folder(folder) as aside:
        shutil.copytree(folder, aside, dirs_exist_ok=True, ignore=shutil.ignore_patterns(SEAL))
        (aside / file).write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("model", "scored", "says"),
    [
        ("students/efficient/1", "eval/efficient/2", "has the metrics of a student other than"),
        ("students/efficient/1", "eval/teacher", "METHOD/SEED"),
        ("students/efficient", "eval/efficient/1", "METHOD/SEED"),
        ("students/efficient/x", "eval/efficient/x", "METHOD/SEED"),
        ("students/efficient/3", "eval/efficient/3", "dvc repro distill@efficient-3"),
        ("eval/efficient/1", "eval/efficient/1", "config.json"),
    ],
)
def test_wrong_folders_are_refused(
    runs: Path, tmp_path: Path, parameters: Any, model: str, scored: str, says: str
) -> None:
    with pytest.raises(UserError, match=re.escape(says)):
        publish.main(runs / model, runs / scored, tmp_path / "out", params=parameters())
    assert not (tmp_path / "out").exists()


def test_figures_of_another_training_are_refused(runs: Path, tmp_path: Path, parameters: Any) -> None:
    again = shutil.copytree(runs, tmp_path / "again")
    metrics = json.loads((runs / "eval/efficient/1/metrics.json").read_text())
    with new_folder(again / "eval/efficient/1") as aside:
        shutil.copy(runs / "eval/efficient/1/predictions.parquet", aside)
        (aside / "metrics.json").write_text(json.dumps(metrics | {"development_f1": 59.0}))
    with pytest.raises(UserError, match="not measured on"):
        published(again, tmp_path / "out", parameters())


def test_another_seed_of_another_training_is_refused(runs: Path, tmp_path: Path, parameters: Any) -> None:
    again = shutil.copytree(runs, tmp_path / "again")
    history = json.loads((again / "students/efficient/2/history.json").read_text())
    history["made"]["training"]["learning_rate"] = 0.05
    rewrite(again / "students/efficient/2", "history.json", history)
    says = r"student\.learning_rate: .* was made with 0\.05; .* `dvc repro evaluate@efficient-2`"
    with pytest.raises(UserError, match=says):
        published(again, tmp_path / "out", parameters())


def test_a_seed_whose_student_is_not_there_does_not_count(
    runs: Path, tmp_path: Path, parameters: Any
) -> None:
    again = shutil.copytree(runs, tmp_path / "again")
    shutil.rmtree(again / "students/efficient/2")
    assert "| span F1 | 40.00 | 40.00 | 50.00 |" in published(again, tmp_path / "out", parameters())


def test_a_teacher_on_another_test_set_is_refused(
    runs: Path, corpus: Path, tmp_path: Path, parameters: Any
) -> None:
    again = shutil.copytree(runs, tmp_path / "again")
    metrics = json.loads((runs / "eval/teacher/metrics.json").read_text())
    words, gold = read_column(corpus / "dev.parquet", "words"), read_column(corpus / "dev.parquet", "tags")
    transitions = json.loads((runs / "eval/teacher/transitions.json").read_text())
    other = Evaluation(metrics, transitions, gold, [[1.0] * len(row) for row in gold])
    save_evaluation(again / "eval/teacher", other, words, gold)
    with pytest.raises(UserError, match=r"not evaluated on the same test sentences as .*; run `dvc repro`"):
        published(again, tmp_path / "out", parameters())


@pytest.mark.parametrize(
    ("group", "change", "says"),
    [
        ("student", {"layers": 3}, r"student\.layers: 3, but .* was made with 2; give its params"),
        ("student", {"epochs": 5}, r"student\.epochs: 5"),
        ("student", {"dropout": 0.3}, r"student\.dropout: 0\.3"),
        ("distill", {"efficient": {"weight": 0.5}}, r"distill\.efficient\.weight: 0\.5, but .* with 0\.75"),
        ("teachers", [1, 2, 3], r"teachers: lists 3, but .* was made with 1"),
        ("folds", [1, 2], r"folds: lists 2, but .* was made with 1"),
    ],
)
def test_other_parameters_are_refused(
    runs: Path, tmp_path: Path, parameters: Any, group: str, change: Any, says: str
) -> None:
    with pytest.raises(UserError, match=says):
        published(runs, tmp_path / "out", parameters(**{group: change}))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"seed": 3}, "was made by efficient with seed 3"),
        ({"method": "kbest"}, "was made by kbest with seed 1"),
        (None, "does not say how it was made"),
        ({"training": ...}, "does not say how it was made"),
        ({"folds": ...}, "does not say how it was made"),
    ],
)
def test_a_student_made_otherwise_than_its_name_says_is_refused(
    runs: Path, tmp_path: Path, parameters: Any, change: Any, says: str
) -> None:
    again = shutil.copytree(runs, tmp_path / "again")
    history = json.loads((runs / "students/efficient/1/history.json").read_text())
    made = {} if change is None else history["made"] | change
    history["made"] = {key: value for key, value in made.items() if value is not ...}
    rewrite(again / "students/efficient/1", "history.json", history)
    with pytest.raises(UserError, match=says):
        published(again, tmp_path / "out", parameters())


@pytest.mark.parametrize(
    ("file", "change", "says"),
    [
        ("config.json", {"tag_set": None, "input_layout": ...}, "config.json: has no input_layout"),
        ("history.json", {"kept": 3}, "history.json: has no epoch 3"),
        ("history.json", {"kept": 0}, "history.json: has no epoch 0"),
    ],
)
def test_a_student_that_lacks_what_the_card_says_is_refused(
    runs: Path, tmp_path: Path, parameters: Any, file: str, change: dict[str, Any], says: str
) -> None:
    again = shutil.copytree(runs, tmp_path / "again")
    said = json.loads((runs / "students/efficient/1" / file).read_text()) | change
    kept = {key: value for key, value in said.items() if value is not ...}
    rewrite(again / "students/efficient/1", file, kept)
    with pytest.raises(UserError, match=says):
        published(again, tmp_path / "out", parameters())


def test_a_damaged_student_is_refused(runs: Path, tmp_path: Path, parameters: Any) -> None:
    again = shutil.copytree(runs, tmp_path / "again")
    (again / "students/efficient/1" / SEAL).unlink()
    with pytest.raises(UserError, match="efficient/1"):
        published(again, tmp_path / "out", parameters())
