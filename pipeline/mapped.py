"""Tensors that stay on disk: a safetensors file mapped into memory."""

import json
import mmap
from contextlib import suppress
from pathlib import Path

import torch
from torch import Tensor

UNREADABLE = (OSError, ValueError, KeyError, TypeError, RuntimeError)
_DTYPES = {"I32": torch.int32, "I64": torch.int64}


class MappedTensors:
    """The integer tensors of a safetensors file; what is touched of them is read then, and not kept.

    Attributes:
        tensors: by name; a change of theirs never reaches the file.
    """

    def __init__(self, path: Path) -> None:
        """Map the file at `path`; raises one of UNREADABLE where it is none."""
        with path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        if hasattr(mmap, "MADV_NOHUGEPAGE"):
            # A number touched may bring 2 MiB. This avoids it where the file was read in, but not where it
            # was just written: a fault then maps the whole block that the system's cache holds.
            with suppress(OSError):  # a kernel without huge pages
                self._map.madvise(mmap.MADV_NOHUGEPAGE)
        start = 8 + int.from_bytes(self._map[:8], "little")
        header = dict(json.loads(self._map[8:start]))
        whole = torch.frombuffer(self._map, dtype=torch.uint8)
        self.tensors: dict[str, Tensor] = {}
        for name, entry in header.items():
            if name != "__metadata__":
                first, last = entry["data_offsets"]
                flat = whole[start + first : start + last].view(_DTYPES[entry["dtype"]])
                self.tensors[name] = flat.view(entry["shape"])

    def release(self) -> None:
        """Give back what was read: it stays in the system's cache, but is no memory of this process."""
        self._map.madvise(mmap.MADV_DONTNEED)
