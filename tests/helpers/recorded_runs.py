"""Runs recorded under a temporary `results/`, for the tests of the pages."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.pages.recorded_runs import record_run
from pipeline.reporting.summary import summarise
from tests.helpers.sample_results import TIMING, evaluation

RUN: dict[str, Any] = {
    "commit": "0123456789abcdef",
    "parameters": {"student": {"layers": 2, "epochs": 7}, "seeds": [1, 2]},
    "versions": {"torch": "2.13.0"},
    "date": "2030-01-02",
}


def write_reports(place: Path, task: str, methods: Sequence[str]) -> Path:
    """The folder `reports` of a finished run of these methods."""
    reports = place / "reports"
    reports.mkdir()
    students = {method: {1: evaluation(wrong)} for wrong, method in enumerate(methods)}
    summary = summarise(evaluation(), students, task=task, scheme="iob2", samples=10)
    (reports / "summary.json").write_text(json.dumps(summary))
    (reports / "timing.json").write_text(json.dumps(TIMING | {"task": task}))
    return reports


def recorded_in(place: Path, task: str = "toy") -> Path:
    """The folder `results` with TASK-cpu (metrics and times) and other-gpu (times alone)."""
    reports, results = write_reports(place, task, ("vanilla", "kbest")), place / "results"
    for name in (f"{task}-cpu", "other-gpu"):
        record_run(reports, results / name, RUN)
    (results / "other-gpu" / "summary.json").unlink()
    return results
