"""The batches of a pass in their order; the ids of a batch are laid out when it is asked for."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import overload

from torch import Tensor


class BatchOrder(Sequence[Tensor]):
    """B batches of S sentences, in 4 bytes a sentence: a batch is the int64 tensor of its sentences' ids."""

    def __init__(self, ids: Tensor, starts: Tensor, order: Tensor) -> None:
        """Take the ids of all sentences, and where each batch starts among them.

        Args:
            ids: [S] int32.
            starts: [B + 1] of each batch; the last one is S.
            order: [B] of the batches.
        """
        self._ids, self._starts, self._order = ids, starts, order

    def __len__(self) -> int:
        """How many batches there are."""
        return len(self._order)

    @overload
    def __getitem__(self, place: int) -> Tensor: ...

    @overload
    def __getitem__(self, place: slice) -> "BatchOrder": ...

    def __getitem__(self, place: int | slice) -> "Tensor | BatchOrder":
        """A batch, or several of them in their order."""
        if isinstance(place, slice):
            return BatchOrder(self._ids, self._starts, self._order[place])
        batch = int(self._order[place])
        start, stop = self._starts[batch : batch + 2].tolist()
        return self._ids[start:stop].long()


class MixedOrder(Sequence[Tensor]):
    """The batches of several orders, mixed; a number is added to the ids of each."""

    def __init__(self, parts: Sequence[Sequence[Tensor]], added: Sequence[int], order: Tensor) -> None:
        """Take the parts, a number for each, and the order [B] of all their batches, counted through."""
        self._parts, self._added, self._order = parts, added, order
        self._ends = list(accumulate(map(len, parts)))

    def __len__(self) -> int:
        """How many batches there are."""
        return len(self._order)

    @overload
    def __getitem__(self, place: int) -> Tensor: ...

    @overload
    def __getitem__(self, place: slice) -> "MixedOrder": ...

    def __getitem__(self, place: int | slice) -> "Tensor | MixedOrder":
        """A batch, or several of them in their order."""
        if isinstance(place, slice):
            return MixedOrder(self._parts, self._added, self._order[place])
        batch = int(self._order[place])
        part = bisect_right(self._ends, batch)
        of_part = self._parts[part]
        return of_part[batch - self._ends[part] + len(of_part)] + self._added[part]
