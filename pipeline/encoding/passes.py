"""Batches without end: one pass over the sentences after the other, each in an order of its own."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from torch import Tensor


class Shuffled(Protocol):
    """What can be gone through again and again in another order."""

    def __len__(self) -> int:
        """Batches in a pass."""

    def shuffled(self, seed: int) -> Sequence[Tensor]:
        """Ids of all sentences, batch by batch."""


def passes(batches: Shuffled, seed: int, start: int) -> Iterator[Tensor]:
    """Ids of the batches from the one with number `start` (from 0) on; the same for the same seed."""
    number, place = divmod(start, len(batches))
    while True:
        yield from batches.shuffled(seed * 1_000_003 + number)[place:]
        number, place = number + 1, 0
