"""Ragged rows that stay on disk: those asked for are read."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pipeline.storage.open_file import OpenFile
from pipeline.storage.ragged import Ragged

UNREADABLE = (OSError, ValueError, KeyError, TypeError)
_SOME = 1 << 16  # offsets that are read at a time
_VALUES = 1 << 20  # values that are read at a time
_DTYPES: dict[str, np.dtype[Any]] = {"I32": np.dtype("<i4"), "I64": np.dtype("<i8")}


class StoredIntegers:
    """A tensor of integers in one dimension, in a file that is open as long as one of its tensors is used."""

    def __init__(self, file: OpenFile, start: int, size: int, dtype: np.dtype[Any]) -> None:
        """Take `size` numbers of the file, the first of them at byte `start`."""
        self._file, self._start, self._size, self._dtype = file, start, size, dtype

    def __len__(self) -> int:
        """How many numbers there are."""
        return self._size

    def read(self, *ranges: tuple[int, int]) -> Tensor:
        """The numbers from each range's start up to its stop, one range behind the other.

        Raises:
            OSError: the file has become shorter.
        """
        width = self._dtype.itemsize
        content = self._file.read_all((self._start + a * width, (b - a) * width) for a, b in ranges)
        return torch.from_numpy(np.frombuffer(content, self._dtype))


def stored_integers(path: Path) -> dict[str, StoredIntegers]:
    """The tensors of the safetensors file at `path`, by name.

    Raises:
        OSError, ValueError, KeyError, TypeError: it is none, is cut short, or holds no lists of integers.
    """
    file = OpenFile(path)
    start = 8 + int.from_bytes(file.read(0, 8), "little")
    if start > file.size:
        raise ValueError("its header is cut short")
    tensors: dict[str, StoredIntegers] = {}
    for name, entry in dict(json.loads(file.read(8, start - 8))).items():
        if name == "__metadata__":
            continue
        dtype, (first, last), (length,) = _DTYPES[entry["dtype"]], entry["data_offsets"], entry["shape"]
        if not 0 <= first <= last <= file.size - start or last - first != length * dtype.itemsize:
            raise ValueError(f"its tensor {name} is cut short")
        tensors[name] = StoredIntegers(file, start + first, length, dtype)
    return tensors


class StoredRagged:
    """Rows laid end to end in a file, as `Ragged` has them in memory."""

    def __init__(self, values: StoredIntegers, offsets: StoredIntegers) -> None:
        """Take values [W] and offsets [S + 1]; raises ValueError where they cannot belong together."""
        self._values, self._offsets = values, offsets
        if not len(offsets) or int(offsets.read((len(self), len(self) + 1))) != len(values):
            raise ValueError("a row ends beyond its numbers")

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self._offsets) - 1

    @property
    def lengths(self) -> Tensor:
        """The length of every row [S], int32."""
        lengths = torch.empty(len(self), dtype=torch.int32)
        for start in range(0, len(self), _SOME):
            offsets = self._offsets.read((start, min(start + _SOME, len(self)) + 1))
            lengths[start : start + _SOME] = offsets.diff()
        return lengths

    def take(self, rows: Tensor) -> Ragged:
        """Read the rows `rows` [B], in that order."""
        bounds = self._offsets.read(*((row, row + 2) for row in rows.tolist())).view(-1, 2)
        values = self._values.read(*((start, stop) for start, stop in bounds.tolist()))
        return Ragged.of(values, bounds[:, 1] - bounds[:, 0])

    def in_memory(self) -> Ragged:
        """Read all rows."""
        return Ragged(self._values.read((0, len(self._values))), self._offsets.read((0, len(self._offsets))))

    def distinct(self) -> Tensor:
        """The values of all rows, ascending, each once; they are read in pieces."""
        found = torch.empty(0, dtype=torch.int32, device="cpu")
        for start in range(0, len(self._values), _VALUES):
            some = self._values.read((start, min(start + _VALUES, len(self._values))))
            found = torch.cat([found, some]).unique()
        return found
