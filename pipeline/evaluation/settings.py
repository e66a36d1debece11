"""The group `evaluate` of params.yaml."""

from pipeline.settings import Count, Group, Precision


class Evaluate(Group):
    """How the test split is tagged."""

    batch_size: Count = 64
    precision: Precision = "float32"
