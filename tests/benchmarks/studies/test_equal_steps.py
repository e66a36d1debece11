from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmarks.studies import equal_steps
from benchmarks.studies.compared_runs import EVALUATIONS
from benchmarks.studies.equal_steps import kinds
from benchmarks.studies.experiment import PARAMS
from benchmarks.studies.parts import Tenth
from pipeline.params import load_params
from tests.helpers.params_cases import ROOT

LENGTH = ("student.epochs", "student.steps", "student.evaluate_every")


def length(changed: Mapping[str, str]) -> list[str | None]:
    return [changed.get(key) for key in LENGTH]


def test_students_with_text_and_their_control_differ_in_the_text_alone() -> None:
    (_, labelled), (_, longer), (_, with_text) = kinds("text.txt", 8, 4_395).values()
    assert length(labelled)[:2] == ["8", "null"]
    assert length(longer) == length(with_text) == ["null", "4395", str(440)]
    assert EVALUATIONS * 440 >= 4_395
    assert {**longer, "unlabelled.files": "text.txt"} == with_text
    assert labelled["unlabelled.files"] == longer["unlabelled.files"] == "null"


@pytest.mark.parametrize(("put", "steps"), [([], 3 * (2 + 7)), (["student.batch_size=100"], 3 * (1 + 2))])
def test_steps_are_counted_in_the_batches_that_all_runs_have(
    monkeypatch: pytest.MonkeyPatch, put: list[str], steps: int
) -> None:
    found: dict[str, Any] = {}
    tenth = Tenth("toy_tenth", [], Path("text.txt"), {"train": 33, "text": 200})
    monkeypatch.setattr(equal_steps, "write_tenth", lambda _: tenth)
    monkeypatch.setattr(equal_steps, "committed_params", lambda: load_params(ROOT / PARAMS))
    monkeypatch.setattr(equal_steps, "compare_runs", lambda _, kinds, *__, **___: found.update(kinds))
    equal_steps.main("toy", "cpu", passes=3, put=put)
    assert found["with text"][1]["student.steps"] == str(steps)
