import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.pages.results_page import details
from tests.helpers.kept_runs import RUN, kept_runs_in


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return kept_runs_in(tmp_path)


def test_a_setting_changed_is_a_row(results: Path) -> None:
    rows = [
        {"method": "efficient", "change": "as tuned", "development_f1": 88.664},
        {"method": "efficient", "change": "twice the epochs", "development_f1": 89.0},
    ]
    summary = json.loads((results / "toy-cpu" / "summary.json").read_text())
    result = {"task": "toy", "device": "a <small> machine", "rows": rows, "run": RUN}
    result |= {"confirmed": "twice the epochs", "summary": summary, "development_f1": {"vanilla": 91.236}}
    (results / "toy-ablation-cpu.json").write_text(json.dumps(result))
    _, side = details(results, "results").split("### toy, one setting changed")
    assert "| `efficient`, as tuned | 88.66 |" in side
    assert "| `efficient`, twice the epochs | 89.00 |" in side
    assert "Students of 2 layers, one seed." in side
    assert "And with twice the epochs, 1 seeds, scored on test:\n\n|  | precision |" in side
    assert "On development, means over seeds: `vanilla` 91.24.\n\nCommit 0123456789ab" in side


def test_how_sure_the_teacher_is_has_a_row_for_each_split(results: Path) -> None:
    row = {
        "split": "dev",
        "sentences": 1_234,
        "f1": 91.237,
        "unsure": 0.0182,
        "entropy": 0.0076,
        "margin": 13.25,
    }
    result = {"task": "toy", "sure": 0.99, "rows": [row], "commit": "abc", "device": "a <small> machine"}
    (results / "toy-confidence-cpu.json").write_text(json.dumps(result))
    _, side = details(results, "results").split("### toy, how sure the teacher is")
    assert "| dev | 1,234 | 91.24 | 1.82% | 0.0076 | 13.2 |" in side
    assert side.endswith("Commit abc, a <small> machine.")


def test_every_run_is_shown_with_its_pictures(results: Path) -> None:
    text = details(results, "../results")
    other, toy = text.split("### toy-cpu")
    assert other.startswith("### other-gpu")
    assert "token F1" in toy
    assert "token F1" not in other
    assert "toy, students of 2 layers." in toy
    assert "Commit 0123456789ab, a <slow> machine, 2030-01-02." in other
    made = "Commit 0123456789ab, a <small> machine, 2030-01-02."
    assert f"{made} Times at commit 0123456789ab, a <slow> machine, 2030-01-02." in toy
    shown = [part.split(")")[0] for part in text.split("](")[1:]]
    assert shown == [
        "../results/other-gpu/epoch_time.svg",
        "../results/toy-cpu/f1.svg",
        "../results/toy-cpu/epoch_time.svg",
    ]


def test_the_search_before_a_run_shows_what_was_best(results: Path) -> None:
    cells = [
        {"learning_rate": 2e-4, "epochs": 5, "development_f1": {"vanilla": 90.0, "kbest": 91.25}},
        {"learning_rate": 4e-4, "epochs": 10, "development_f1": {"vanilla": 90.5, "kbest": 91.0}},
    ]
    (results / "toy-cpu" / "grid.json").write_text(json.dumps({"task": "toy", "cells": cells}))
    text = details(results, "results")
    assert "| 2e-04, 5 epochs | 90.00 | **91.25** |" in text
    assert "| 4e-04, 10 epochs | **90.50** | 91.00 |" in text


@pytest.mark.parametrize(
    ("kind", "title"),
    [
        ("unlabelled", "a tenth of it labelled"),
        ("heads", "with a CRF and without"),
        ("variants", "other schedules and starts"),
    ],
)
def test_what_is_measured_beside_the_pipeline_comes_after_it(results: Path, kind: str, title: str) -> None:
    longer = RUN | {"parameters": {"student": {"layers": 2, "epochs": 9}, "seeds": [1, 2]}}
    result: dict[str, Any] = {
        "task": "toy",
        "summary": json.loads((results / "toy-cpu" / "summary.json").read_text()),
        "sentences": {"train": 1_234, "text": 98_765},
        "development_f1": {"teacher": 95.0, "kbest": 93.456},
        "runs": {"labelled": RUN, "with text": longer},
    }
    (results / f"toy-{kind}-cpu.json").write_text(json.dumps(result))
    runs, side = details(results, "results").split(f"### toy, {title}")
    assert "### toy-cpu" in runs
    assert "`kbest`" in side
    assert "students of 2 layers, mean ± standard deviation over 2 seeds" in side
    assert "On development, means over seeds: teacher 95.00, `kbest` 93.46." in side
    assert "Commit 0123456789ab, a <small> machine, 2030-01-02." in side
    if kind == "unlabelled":
        assert "1,234 sentences with tags, 98,765 without." in side
        assert "epochs: 7 (labelled) and 9 (with text)." in side
