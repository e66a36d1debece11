"""The paper's method and those it is compared with are methods that exist."""

from pipeline.distillation.registry import method_names
from pipeline.distillation.roles import BASELINES, PAPER, STRUCTURAL, UNDISTILLED


def test_they_are_methods() -> None:
    assert {*BASELINES, STRUCTURAL, PAPER, UNDISTILLED} <= set(method_names())
    assert {STRUCTURAL, UNDISTILLED} < set(BASELINES)
    assert PAPER not in BASELINES
