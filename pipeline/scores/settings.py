"""The group `dump` of params.yaml."""

from typing import Literal

from pipeline.settings import Count, Group, Precision


class Dump(Group):
    """How the teacher's scores are computed and stored."""

    batch_size: Count = 64
    dtype: Literal["float32", "float16"] = "float32"
    precision: Precision = "float32"
    shard_sentences: Count = 20_000
