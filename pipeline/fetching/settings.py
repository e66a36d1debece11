"""The entries of `sources` in params.yaml."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from pipeline.settings import Address, Group


class Source(Group):
    """One entry of `sources`: an encoder's address and the SHA-256 of its files."""

    source: Address
    sha256: dict[str, Annotated[str, Field(pattern="^[0-9a-f]{64}$")]] = Field(default={})


def encoder_source(*names: str | None, sources: Mapping[str, Source]) -> Source:
    """Where the first encoder that is named comes from: an entry of `sources`, or the address itself."""
    name = next(name for name in names if name)
    return sources.get(name, Source(source=name))
