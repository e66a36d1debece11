import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from benchmarks.studies import experiment
from benchmarks.studies.experiment import (
    START,
    Finished,
    as_settings,
    as_values,
    compare,
    name_ending,
    shared_settings,
)
from pipeline.errors import UserError
from tests.helpers.sample_results import evaluation


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
    monkeypatch.setattr(experiment, "git", lambda *words: commands.append(["git", *words]))
    monkeypatch.setattr(subprocess, "run", stand_in)
    experiment.run_pipeline(["seeds=[1,2]", "student.init=teacher"], ["distill"])
    restored, words = commands
    assert restored == [
        "git",
        "checkout",
        "HEAD",
        "--",
        "params.yaml",
    ]  # else it has the values of the run before
    given = dict(word.split("=", 1) for flag, word in pairwise(words) if flag == "-S")
    assert given == experiment.PAPER | {"student.init": "teacher", "seeds": "[1,2]"}
    assert words[-1] == "distill"


def test_students_are_compared_with_those_from_the_teachers_layers() -> None:
    teacher, worse, better = evaluation(repeat=20), evaluation(0, 1, 2, repeat=20), evaluation(0, repeat=20)
    start, text = (
        Finished(teacher, {"vanilla": {1: worse}}, {}),
        Finished(teacher, {"kbest": {1: better}}, {}),
    )
    result = compare("toy", {"as given": start, "from the teacher": start, "with text": text})
    as_vanilla = result["summary"]["methods"]["kbest with text"]["p_value_vs_vanilla"]
    assert result["p_value_vs"] == {START: {"vanilla": 1.0, "kbest with text": as_vanilla}}
    assert 0 < as_vanilla < 1
    assert compare("toy", {"as given": start, "with text": text})["p_value_vs"] == {}


def test_settings_are_read_as_they_are_written() -> None:
    values = {"student.epochs": "3", "corpora.own.separator": "="}
    assert as_values(as_settings(values)) == values
    assert as_values(["a=1", "a=2"]) == {"a": "2"}


def test_a_run_leaves_no_scores_of_further_teachers_or_folds_to_the_next(tmp_path: Path) -> None:
    for name in ("1/1", "1/2", "2/1", "10/1", "fold/1", "fold/2"):
        (tmp_path / name / "shards").mkdir(parents=True)
    experiment.remove_further([tmp_path, tmp_path / "missing"])
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.glob("*/*")) == ["1/1", "fold/1"]


def test_runs_of_two_commits_are_not_compared() -> None:
    teacher, student = evaluation(repeat=20), evaluation(0, repeat=20)
    runs = {
        name: Finished(teacher, {"vanilla": {1: student}}, {"commit": commit * 40})
        for name, commit in {"as given": "a", "with text": "b"}.items()
    }
    with pytest.raises(UserError, match="commits aaaaaaaaaaaa and bbbbbbbbbbbb; run the same command again"):
        compare("toy", runs)
