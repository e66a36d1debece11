"""The group `prepare` of params.yaml."""

from typing import Annotated

from pydantic import Field, NonNegativeInt

from pipeline.settings import Group


class Prepare(Group):
    """How sentences are cut for the encoder, in word pieces."""

    window: Annotated[int, Field(ge=8)] = 512
    overlap: NonNegativeInt = 64
