"""The group `prepare` of params.yaml."""

from typing import Annotated

from pydantic import Field

from pipeline.settings import Group


class Prepare(Group):
    """How sentences are cut for the encoder, in word pieces."""

    window: Annotated[int, Field(ge=8, le=10**9)] = 512
    overlap: Annotated[int, Field(ge=0, le=10**9)] = 64
