"""The learning rate of every step, and what decays."""

import pytest

from pipeline.encoding.split_file import load
from pipeline.training.optimiser import learning_rate_scale, parameter_groups, share_without_gradient
from pipeline.training.settings import Training
from tests.helpers.tiny_inputs import tagger


@pytest.mark.parametrize(
    ("warmup", "expected"),
    [
        (0.0, [1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1]),
        (0.2, [0.5, 1, 1, 7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8, 2 / 8, 1 / 8]),
        (1.0, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]),
    ],
)
def test_learning_rate_rises_and_falls(warmup, expected):
    assert [learning_rate_scale(step, 10, warmup) for step in range(10)] == pytest.approx(expected)


def test_what_has_no_gradient_decays_by_the_rate_of_each_step():
    settings = Training(
        epochs=1, batch_size=1, learning_rate=0.1, head_learning_rate=0.1, weight_decay=0.5, warmup=0.5
    )
    rates = [0.1 * learning_rate_scale(step, 10, 0.5) for step in range(10)]
    assert share_without_gradient(settings, 10, 0) == 1.0
    assert share_without_gradient(settings, 10, 2) == pytest.approx(
        (1 - rates[0] * 0.5) * (1 - rates[1] * 0.5)
    )


def test_each_parameter_is_in_one_group(bert, corpus):
    model = tagger(bert, load(corpus / "train.parquet"), layers=1)
    settings = Training(epochs=1, batch_size=1, learning_rate=1e-5, head_learning_rate=1e-3)
    matrices, others, head = parameter_groups(model, settings)
    grouped = [parameter for group in (matrices, others, head) for parameter in group["params"]]
    assert sorted(map(id, grouped)) == sorted(map(id, model.parameters()))
    assert (matrices["lr"], others["lr"], head["lr"]) == (1e-5, 1e-5, 1e-3)
    assert (others["weight_decay"], head["weight_decay"]) == (0.0, 0.0)
    assert all(parameter.ndim > 1 for parameter in matrices["params"])
