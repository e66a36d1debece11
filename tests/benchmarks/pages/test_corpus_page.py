import json
from pathlib import Path

import pytest

from benchmarks.pages.corpus_page import corpus_page
from benchmarks.pages.recorded_runs import recorded_runs
from tests.helpers.recorded_runs import recorded_in


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return recorded_in(tmp_path)


def test_every_run_is_shown_with_its_pictures(results: Path) -> None:
    text = corpus_page(recorded_runs(results), "../results")
    other, toy = text.split("## toy-cpu")
    assert other.startswith("## other-gpu")
    assert "token F1" in toy
    assert "token F1" not in other
    assert "Students of 2 layers." in toy
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
    text = corpus_page(recorded_runs(results), "results")
    assert "| 2e-04, 5 epochs | 90.00 | **91.25** |" in text
    assert "| 4e-04, 10 epochs | **90.50** | 91.00 |" in text


def test_one_cell_is_no_search(results: Path) -> None:
    cells = [{"learning_rate": 2e-4, "epochs": 5, "development_f1": {"vanilla": 90.0, "kbest": 91.25}}]
    (results / "toy-cpu" / "grid.json").write_text(json.dumps({"task": "toy", "cells": cells}))
    text = corpus_page(recorded_runs(results), "results")
    assert "| 2e-04, 5 epochs | 90.00 | 91.25 |" in text
    assert "there was no search" in text
    assert "best cell" not in text
