"""The minutes of a recipe are those of all tries, however often the study was stopped."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.studies import recipe
from benchmarks.studies.experiment import Finished
from tests.helpers.sample_results import evaluation

TRAINED, CACHED, STOPPED = 600.0, 6.0, 30.0  # CPU seconds of a row


@pytest.fixture
def minutes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int | None], dict[str, float]]:
    """Runs the study on a clock of its own, stopped in the row of this number; the minutes it has written."""
    made: set[tuple[str, ...]] = set()
    clock, rows = [0.0], [0]
    teacher, student = evaluation(repeat=20), evaluation(0, repeat=20)

    def finish(settings: Sequence[str], methods: Sequence[str], seeds: Sequence[int]) -> Finished:
        rows[0] -= 1
        if rows[0] == -1:
            clock[0] += STOPPED
            raise SystemExit(1)
        key = (*settings, *methods)
        clock[0] += CACHED if key in made else TRAINED
        made.add(key)
        return Finished(teacher, {method: {1: student} for method in methods}, {"commit": "a"})

    def run(stopped_in: int | None) -> dict[str, float]:
        rows[0] = -2 if stopped_in is None else stopped_in
        if stopped_in is None:
            recipe.main("toy", "cpu", [100])
        else:
            with pytest.raises(SystemExit):
                recipe.main("toy", "cpu", [100])
        path = tmp_path / "toy-recipe-100-cpu.json"
        found: dict[str, float] = json.loads(path.read_text())["minutes"] if path.exists() else {}
        return found

    replaced: dict[str, Any] = {
        "RESULTS": tmp_path,
        "read_corpus": lambda _: (SimpleNamespace(scheme="iob2"), {}),
        "write_parts": lambda *_, **__: {"train": 100, "text": 5},
        "processor_seconds": lambda: clock[0],
        "finish": finish,
        "show": lambda _: None,
    }
    for name, value in replaced.items():
        monkeypatch.setattr(recipe, name, value)
    monkeypatch.chdir(tmp_path)
    return run


def test_a_row_that_ended_before_the_study_was_stopped_keeps_its_minutes(
    minutes: Callable[[int | None], dict[str, float]],
) -> None:
    assert minutes(1) == {}  # in the first row with students, behind the teacher's
    found = minutes(None)
    assert found["teacher"] == pytest.approx((TRAINED + CACHED) / 60)
    assert found["undistilled"] == pytest.approx((STOPPED + TRAINED) / 60)
    assert found["with text"] == pytest.approx(TRAINED / 60)


def test_a_finished_study_that_comes_from_the_cache_keeps_its_minutes(
    minutes: Callable[[int | None], dict[str, float]],
) -> None:
    first = minutes(None)
    assert minutes(None) == first == dict.fromkeys(first, TRAINED / 60)
