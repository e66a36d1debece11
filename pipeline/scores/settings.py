"""The group `dump` of params.yaml."""

from typing import Literal

from pipeline.settings import Address, Count, Group, Precision


class Dump(Group):
    """Where the scores come from, and how they are stored."""

    scores: Address | None = None
    batch_size: Count = 64
    dtype: Literal["float32", "float16"] = "float32"
    precision: Precision = "float32"
    shard_sentences: Count = 20_000
