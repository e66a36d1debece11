"""The group `evaluate` of params.yaml."""

from pydantic import PositiveInt

from pipeline.settings import Group, Precision


class Evaluate(Group):
    """How the test split is tagged."""

    batch_size: PositiveInt = 64
    precision: Precision = "float32"
