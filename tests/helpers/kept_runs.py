"""Runs kept under a temporary `results/`, for the tests of what is shown of them."""

import json
from pathlib import Path
from typing import Any

from benchmarks.pages.recorded_runs import keep
from pipeline.reporting.summary import summarise
from tests.helpers.sample_results import TIMING, outcome

RUN: dict[str, Any] = {
    "commit": "0123456789abcdef",
    "parameters": {"student": {"layers": 2, "epochs": 7}, "seeds": [1, 2]},
    "versions": {"torch": "2.13.0"},
    "date": "2030-01-02",
}


def write_metrics(place: Path, task: str, method: str) -> Path:
    """What a finished run of vanilla and another method leaves in the folder `metrics`; that folder."""
    metrics = place / "metrics"
    metrics.mkdir()
    students = {"vanilla": {1: outcome(0)}, method: {1: outcome(1)}}
    summary = summarise(outcome(), students, task=task, scheme="iob2", samples=10)
    (metrics / "summary.json").write_text(json.dumps(summary))
    (metrics / "timing.json").write_text(json.dumps(TIMING))
    return metrics


def kept_runs_in(place: Path) -> Path:
    """`toy-cpu` with scores and times, `other-gpu` with times alone; the folder `results` above them."""
    metrics, results = write_metrics(place, task="toy", method="kbest"), place / "results"
    for name in ("toy-cpu", "other-gpu"):
        keep(metrics, results / name, RUN)
    (results / "other-gpu" / "summary.json").unlink()
    return results
