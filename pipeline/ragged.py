"""Rows of different lengths in one flat tensor."""

from dataclasses import dataclass

import torch
from torch import Tensor


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

    @property
    def lengths(self) -> Tensor:
        """The length of every row [S]."""
        return self.offsets.diff()

    def padded(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Gather rows [B] into a tensor [B, L, ...], zero behind each row's end, and their lengths [B]."""
        starts = self.offsets[rows]
        lengths = self.offsets[rows + 1] - starts
        position = torch.arange(int(lengths.max()), device=rows.device)
        inside = position < lengths[:, None]
        gathered = self.values[(starts[:, None] + position).where(inside, 0)]
        gathered[~inside] = 0
        return gathered, lengths
