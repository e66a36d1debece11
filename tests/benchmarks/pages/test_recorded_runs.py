import json
from pathlib import Path

import pytest

from benchmarks.pages.recorded_runs import keep, kept_runs, pictures
from pipeline.errors import UserError
from tests.helpers.kept_runs import RUN, kept_runs_in
from tests.helpers.sample_results import TIMING


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return kept_runs_in(tmp_path)


def test_kept_files_hold_the_metrics_and_the_run(results: Path) -> None:
    kept = json.loads((results / "toy-cpu" / "timing.json").read_text())
    assert kept == TIMING | {"run": RUN | {"device": TIMING["device"]}}


def test_a_missing_metric_cannot_be_kept(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"summary\.json: missing; run `dvc repro"):
        keep(tmp_path, tmp_path / "results" / "x", RUN)
    assert not (tmp_path / "results").exists()


def test_kept_runs_are_read_with_what_they_have(results: Path) -> None:
    (results / "toy-cpu" / "grid.json").write_text('{"cells": []}')
    (results / "empty").mkdir()
    other, toy = kept_runs(results)
    assert (other.name, other.summary, other.grid) == ("other-gpu", None, None)
    assert (toy.name, toy.grid) == ("toy-cpu", {"cells": []})
    assert toy.summary is not None
    assert toy.summary["task"] == "toy"
    assert [run["device"] for run in toy.runs] == ["a <small> machine", "a <slow> machine"]
    assert [run["device"] for run in other.runs] == ["a <slow> machine"]


def test_times_alone_leave_the_summary(results: Path) -> None:
    folder, later = results / "toy-cpu", RUN | {"commit": "fedcba9876543210"}
    keep(results.parent / "metrics", folder, later, times_only=True)
    summary, timing = (json.loads((folder / name).read_text()) for name in ("summary.json", "timing.json"))
    assert summary["run"]["commit"] == RUN["commit"]
    assert timing["run"]["commit"] == later["commit"]


def test_pictures_lie_beside_their_numbers(results: Path) -> None:
    drawn = pictures(results)
    assert {path.relative_to(results).as_posix() for path in drawn} == {
        "other-gpu/epoch_time.svg", "toy-cpu/epoch_time.svg", "toy-cpu/f1.svg",
    }  # fmt: skip
    assert all(text.startswith("<svg") for text in drawn.values())


@pytest.mark.parametrize("name", ["summary.json", "timing.json", "grid.json"])
def test_a_damaged_results_file_is_named(results: Path, name: str) -> None:
    (results / "toy-cpu" / name).write_text("{")
    with pytest.raises(UserError, match=rf"toy-cpu/{name}: no JSON"):
        kept_runs(results)
