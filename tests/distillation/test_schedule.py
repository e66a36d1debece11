"""The weight of the distillation loss, step by step."""

from pipeline.distillation.schedule import weight_at


def scheduled(schedule: str, weight: float, epochs: int, per_epoch: int) -> list[float]:
    steps = epochs * per_epoch
    return [
        weight_at(schedule, weight, step=step, steps=steps, last_epoch_start=steps - per_epoch)  # type: ignore[arg-type]
        for step in range(steps)
    ]


def test_linear_falls_from_the_weight_to_zero():
    assert scheduled("linear", 1.0, 1, 5) == [1.0, 0.75, 0.5, 0.25, 0.0]
    assert scheduled("linear", 0.5, 3, 1) == [0.5, 0.25, 0.0]
    assert scheduled("linear", 0.8, 1, 1) == [0.8]


def test_last_epoch_turns_to_gold_in_the_last_epoch():
    assert scheduled("last_epoch", 1.0, 3, 2) == [1.0, 1.0, 1.0, 1.0, 0.0, 0.0]
    assert scheduled("last_epoch", 0.4, 2, 3) == [0.4, 0.4, 0.4, 0.0, 0.0, 0.0]
    assert scheduled("last_epoch", 1.0, 1, 3) == [1.0, 1.0, 1.0]


def test_constant_stays():
    assert scheduled("constant", 0.7, 2, 2) == [0.7] * 4
