import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.pages.recorded_runs import RecordedRun, check_reports, pictures, record_run, recorded_runs
from pipeline.errors import UserError
from pipeline.params import Params, load_params
from tests.helpers.params_cases import ROOT
from tests.helpers.recorded_runs import RUN, recorded_in
from tests.helpers.sample_results import TIMING


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return recorded_in(tmp_path)


def test_recorded_files_hold_the_figures_and_the_run(results: Path) -> None:
    kept = json.loads((results / "toy-cpu" / "timing.json").read_text())
    assert kept == TIMING | {"run": RUN | {"device": TIMING["device"]}}


def test_what_was_written_is_said(results: Path) -> None:
    folder = results / "new-cpu"
    written = record_run(results.parent / "reports", folder, RUN)
    assert written == sorted(folder.iterdir()) == [folder / "summary.json", folder / "timing.json"]


def test_a_missing_metric_cannot_be_kept(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"summary\.json: missing; run `dvc repro"):
        record_run(tmp_path, tmp_path / "results" / "x", RUN)
    assert not (tmp_path / "results").exists()


OF_THE_REPORTS = {"task": "toy", "methods": ("vanilla", "kbest"), "seeds": (1,)}


def params_of(**changes: Any) -> Params:
    """The parameters that the reports of `write_reports` are of, but for `changes`."""
    return load_params(ROOT / "params.yaml").model_copy(update=OF_THE_REPORTS | changes)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"task": "newsdesk"}, r"summary\.json: was made with task toy, and params\.yaml has newsdesk; run"),
        (
            {"methods": ("vanilla",)},
            r"summary\.json: was made with methods vanilla, kbest, and params\.yaml has vanilla; run",
        ),
        (
            {"seeds": (1, 2)},
            r"summary\.json: was made with seeds 1, and params\.yaml has 1, 2; run `dvc repro`",
        ),
    ],
)
def test_reports_of_other_parameters_are_refused(changed: dict[str, Any], told: str, results: Path) -> None:
    check_reports(results.parent / "reports", params_of())
    with pytest.raises(UserError, match=told):
        check_reports(results.parent / "reports", params_of(**changed))


def test_times_of_another_corpus_are_refused(results: Path) -> None:
    reports = results.parent / "reports"
    (reports / "summary.json").unlink()
    check_reports(reports, params_of(seeds=(1, 2)), times_only=True)
    with pytest.raises(
        UserError, match=r"timing\.json: was made with task toy, and params\.yaml has conll2003"
    ):
        check_reports(reports, params_of(task="conll2003"), times_only=True)


def test_recorded_runs_are_read_with_what_they_have(results: Path) -> None:
    (results / "toy-cpu" / "grid.json").write_text('{"cells": []}')
    (results / "empty").mkdir()
    other, toy = recorded_runs(results)
    assert (other.name, other.summary, other.grid) == ("other-gpu", None, None)
    assert (toy.name, toy.grid) == ("toy-cpu", {"cells": []})
    assert toy.summary is not None
    assert toy.summary["task"] == "toy"
    assert [run["device"] for run in toy.runs] == ["a <small> machine", "a <slow> machine"]
    assert [run["device"] for run in other.runs] == ["a <slow> machine"]
    assert [run.task for run in (other, toy)] == ["toy", "toy"]
    assert recorded_runs(results, "mine") == []


def test_times_alone_leave_the_summary(results: Path) -> None:
    folder, later = results / "toy-cpu", RUN | {"commit": "fedcba9876543210"}
    record_run(results.parent / "reports", folder, later, times_only=True)
    summary, timing = (json.loads((folder / name).read_text()) for name in ("summary.json", "timing.json"))
    assert summary["run"]["commit"] == RUN["commit"]
    assert timing["run"]["commit"] == later["commit"]


def test_pictures_lie_beside_their_numbers(results: Path) -> None:
    study = {"task": "toy", "summary": json.loads((results / "toy-cpu" / "summary.json").read_text())}
    (results / "toy-confirmed-augmentation-cpu.json").write_text(json.dumps(study))
    drawn = pictures(results)
    assert {path.relative_to(results).as_posix() for path in drawn} == {
        "other-gpu/epoch_time.svg", "toy-cpu/epoch_time.svg", "toy-cpu/f1.svg",
        "toy-confirmed-augmentation-cpu.svg",
    }  # fmt: skip
    points = [
        drawn[results / name].count("<path")
        for name in ("toy-cpu/f1.svg", "toy-confirmed-augmentation-cpu.svg")
    ]
    assert points[0] == points[1] > 0
    assert all(text.startswith("<svg") for text in drawn.values())


@pytest.mark.parametrize("name", ["summary.json", "timing.json", "grid.json"])
def test_a_damaged_results_file_is_named(results: Path, name: str) -> None:
    (results / "toy-cpu" / name).write_text("{")
    with pytest.raises(UserError, match=rf"toy-cpu/{name}: not JSON"):
        recorded_runs(results)


@pytest.mark.parametrize(
    ("student", "unlabelled", "files", "says"),
    [
        (
            {"init": "teacher"},
            {"files": None, "sentences": None},
            {"unlabelled": "a.txt"},
            ", from the teacher, with text",
        ),
        ({"init": "teacher"}, {"files": None, "sentences": 0}, {"unlabelled": "a.txt"}, ", from the teacher"),
        ({"init": "pretrained"}, {"files": "b.txt", "sentences": None}, {}, ", with text"),
        ({"init": "pretrained"}, {"files": None, "sentences": None}, {}, ""),
    ],
)
def test_what_a_run_has_beyond_the_papers_setting_is_said(
    student: dict[str, Any], unlabelled: dict[str, Any], files: dict[str, str], says: str
) -> None:
    parameters = {"student": student, "unlabelled": unlabelled, "corpora": {"toy": {"files": files}}}
    summary = {"task": "toy", "run": {"parameters": parameters}}
    assert RecordedRun(Path("toy-cpu"), summary, None, None).beyond_the_paper == says
    assert (
        RecordedRun(Path("toy-cpu"), {"run": {"parameters": {"student": {}}}}, None, None).beyond_the_paper
        == ""
    )
