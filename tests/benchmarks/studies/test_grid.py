from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from benchmarks.studies import grid
from benchmarks.studies.grid import CELLS, best_cells, settings
from pipeline.errors import UserError
from pipeline.params import load_params
from stages.command import application
from tests.helpers.params_cases import ROOT

PARAMS = load_params(ROOT / "params.yaml")


def test_each_method_gets_its_own_best_cell_and_the_earlier_of_equals() -> None:
    cells = [
        {
            "learning_rate": 2e-4,
            "epochs": 5,
            "development_f1": {"vanilla": 90.0, "kbest": 91.0, "efficient": 88.0},
        },
        {
            "learning_rate": 4e-4,
            "epochs": 5,
            "development_f1": {"vanilla": 90.5, "kbest": 91.0, "efficient": 87.0},
        },
        {
            "learning_rate": 2e-4,
            "epochs": 10,
            "development_f1": {"vanilla": 90.1, "kbest": 90.0, "efficient": 89.0},
        },
    ]
    assert best_cells(cells) == {"vanilla": (4e-4, 5), "kbest": (2e-4, 5), "efficient": (2e-4, 10)}


def test_what_every_student_has_is_null() -> None:
    student = PARAMS.student
    assert student.epochs is not None
    chosen = {"vanilla": (student.learning_rate, 7), "kbest": (1e-3, student.epochs)}
    assert list(settings(chosen, PARAMS)) == [
        "distill.vanilla.learning_rate=null",
        "distill.vanilla.epochs=7",
        "distill.kbest.learning_rate=0.001",
        "distill.kbest.epochs=null",
    ]


def test_what_a_run_changes_for_every_student_leaves_the_cell_as_it_is() -> None:
    student = PARAMS.student
    assert student.epochs is not None
    chosen = {"vanilla": (student.learning_rate, student.epochs)}
    put = ["teacher.epochs=2", "student.learning_rate=1e-4"]
    assert list(settings(chosen, PARAMS, put)) == [
        f"distill.vanilla.learning_rate={student.learning_rate}",
        "distill.vanilla.epochs=null",
    ]


def test_the_search_starts_from_the_default_rate_and_repeats_no_cell() -> None:
    assert CELLS[0][0] == PARAMS.student.learning_rate
    assert len(set(CELLS)) == len(CELLS)


def test_a_search_that_never_ran_is_one_line() -> None:
    app = application()
    app.command()(grid.main)
    found = CliRunner().invoke(app, ["nothing", "--device", "toy", "--best"]).exception
    assert isinstance(found, UserError)  # which stages.command prints in one line
    assert str(found) == (
        "results/nothing-2-layers-toy/grid.json: missing; "
        "benchmarks/studies/reproduce.sh shows what writes it"
    )


def test_a_search_that_was_stopped_has_no_best_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def run(*_: Any) -> None:
        asked.append(1)
        if len(asked) == 2:
            raise SystemExit(1)

    monkeypatch.setattr(grid, "RESULTS", tmp_path)
    monkeypatch.setattr(grid, "committed_params", lambda: PARAMS)
    monkeypatch.setattr(grid, "load_params", lambda _: PARAMS)
    monkeypatch.setattr(grid, "provenance", lambda _: {})
    monkeypatch.setattr(grid, "development_f1", lambda _: 90.0)
    monkeypatch.setattr(grid, "run_pipeline", run)
    with pytest.raises(SystemExit):
        grid.main("toy", "cpu")
    with pytest.raises(UserError, match=r"grid\.json: the search was stopped after 1 of 3 cells; run it"):
        grid.best_settings("toy", "cpu", 2)
    grid.main("toy", "cpu")
    cells = grid.searched_cells(grid.path_of("toy", "cpu", 2))
    assert best_cells(cells) == dict.fromkeys(PARAMS.methods, CELLS[0])
