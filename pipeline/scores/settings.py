"""The group `dump` of params.yaml."""

from typing import Literal

from pydantic import PositiveInt

from pipeline.settings import Group, Precision


class Dump(Group):
    """How the teacher's scores are computed and stored."""

    batch_size: PositiveInt = 64
    dtype: Literal["float32", "float16"] = "float32"
    precision: Precision = "float32"
    shard_sentences: PositiveInt = 20_000
