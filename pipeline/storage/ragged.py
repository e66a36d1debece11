"""Rows of different lengths in one flat tensor."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


class Rows(Protocol):
    """S rows of different lengths, in memory (`Ragged`) or on disk (`pipeline.storage.ragged_file`)."""

    def __len__(self) -> int:
        """How many rows there are."""

    @property
    def lengths(self) -> Tensor:
        """The length of every row [S]."""

    def take(self, rows: Tensor) -> "Ragged":
        """The rows `rows` [B], in that order."""

    def in_memory(self) -> "Ragged":
        """All rows."""

    def distinct(self) -> Tensor:
        """The values of all rows, ascending, each once."""


@dataclass(frozen=True)
class Ragged:
    """S rows laid end to end.

    values: [W, ...], the rows one after the other.
    offsets: [S + 1] int64; row s is `values[offsets[s]:offsets[s + 1]]`.
    """

    values: Tensor
    offsets: Tensor

    @classmethod
    def of(cls, values: Tensor, lengths: Tensor) -> "Ragged":
        """Lay out rows of the given lengths [S]."""
        return cls(values, torch.cat([lengths.new_zeros(1, dtype=torch.int64), lengths.cumsum(0)]))

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.offsets) - 1

    @property
    def lengths(self) -> Tensor:
        """The length of every row [S]."""
        return self.offsets.diff()

    def take(self, rows: Tensor) -> "Ragged":
        """See Rows."""
        starts, lengths = self.offsets[rows], self.lengths[rows]
        return Ragged.of(self.slices(starts, lengths), lengths)

    def in_memory(self) -> "Ragged":
        """See Rows."""
        return self

    def distinct(self) -> Tensor:
        """See Rows."""
        return self.values.unique()

    def slices(self, starts: Tensor, sizes: Tensor) -> Tensor:
        """Concatenate `values[start:start + size]` for every pair of `starts` [V] and `sizes` [V]."""
        position = torch.arange(int(sizes.sum())) - (sizes.cumsum(0) - sizes).repeat_interleave(sizes)
        return self.values[starts.repeat_interleave(sizes) + position]

    def padded(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Gather rows [B] into a tensor [B, L, ...], zero behind each row's end, and their lengths [B]."""
        starts = self.offsets[rows]
        lengths = self.offsets[rows + 1] - starts
        position = torch.arange(int(lengths.max()), device=rows.device)
        inside = position < lengths[:, None]
        gathered = self.values[(starts[:, None] + position).where(inside, 0)]
        gathered[~inside] = 0
        return gathered, lengths
