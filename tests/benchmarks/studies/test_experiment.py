import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from benchmarks.studies import experiment
from benchmarks.studies.experiment import as_settings, as_values, name_ending, shared_settings


def test_an_encoder_is_part_of_the_results_name() -> None:
    assert name_ending("cpu", None) == "cpu"
    assert name_ending("gpu", "google-bert/bert-base-cased") == "bert-base-cased-gpu"
    assert name_ending("cpu", "/models/mine") == "mine-cpu"


def test_an_encoder_is_a_parameter_of_the_run() -> None:
    assert shared_settings("conll2000", None) == ["task=conll2000"]
    assert shared_settings("conll2000", "org/name", ["teacher.epochs=4"]) == [
        "task=conll2000",
        "teacher.encoder=org/name",
        "teacher.epochs=4",
    ]


def test_a_run_has_the_papers_setting_but_for_what_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []

    def stand_in(words: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        commands.append(words)
        return subprocess.CompletedProcess(words, 0)

    monkeypatch.setattr(experiment, "provenance", lambda _: {})
    monkeypatch.setattr(subprocess, "run", stand_in)
    experiment.run_pipeline(["seeds=[1,2]", "student.init=teacher"], ["distill"])
    (words,) = commands
    given = dict(word.split("=", 1) for flag, word in pairwise(words) if flag == "-S")
    assert given == experiment.PAPER | {"student.init": "teacher", "seeds": "[1,2]"}
    assert words[-1] == "distill"


def test_settings_are_read_as_they_are_written() -> None:
    values = {"student.epochs": "3", "corpora.own.separator": "="}
    assert as_values(as_settings(values)) == values
    assert as_values(["a=1", "a=2"]) == {"a": "2"}


def test_a_run_leaves_no_scores_of_further_teachers_or_folds_to_the_next(tmp_path: Path) -> None:
    for name in ("1/1", "1/2", "2/1", "10/1", "fold/1", "fold/2"):
        (tmp_path / name / "shards").mkdir(parents=True)
    experiment.remove_further([tmp_path, tmp_path / "missing"])
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.glob("*/*")) == ["1/1", "fold/1"]
