"""When an epoch, and when a run, is over."""

from typing import Any

import pytest

from pipeline.training.run_length import RunLength
from pipeline.training.settings import Student, Training

RATES: dict[str, Any] = {"learning_rate": 1e-3, "head_learning_rate": 1e-3}


@pytest.mark.parametrize(
    ("length", "ends", "last"),
    [
        (RunLength(6, 2), [2, 4, 6], 4),
        (RunLength(7, 3), [3, 6, 7], 6),
        (RunLength(5, 5), [5], 0),
        (RunLength(3, 500), [3], 0),
    ],
)
def test_an_epoch_ends_every_so_many_steps_and_with_the_run(
    length: RunLength, ends: list[int], last: int
) -> None:
    assert [step for step in range(1, length.steps + 1) if length.ends_epoch(step)] == ends
    assert length.last_epoch_start == last
    assert [length.is_over(step, [1.0] * 9) for step in (0, length.steps)] == [False, True]


@pytest.mark.parametrize(
    ("scores", "over"),
    [
        ([], False),
        ([10.0], False),
        ([10.0, 9.0], False),
        ([10.0, 9.0, 9.5], True),
        ([10.0, 10.0, 10.0], True),
        ([10.0, 9.0, 10.1], False),
        ([10.0, 9.0, 10.1, 10.1, 8.0], True),
        ([0.0, 0.0, 0.0], True),
    ],
)
def test_patience_counts_epochs_since_the_best(scores: list[float], over: bool) -> None:
    assert RunLength(100, 10, patience=2).is_over(50, scores) is over
    assert not RunLength(100, 10).is_over(50, scores)


def test_a_run_is_counted_in_epochs_or_in_steps() -> None:
    epochs = Student(layers=1, epochs=3, patience=4, **RATES)
    steps = Student(layers=1, epochs=None, steps=70, evaluate_every=20, **RATES)
    assert Training(epochs=3, **RATES).length(11) == RunLength(33, 11)
    assert epochs.length(11) == RunLength(33, 11, 4)
    assert steps.length(11) == RunLength(70, 20)
