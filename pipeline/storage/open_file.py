"""A file that is read from any place, without a position and without a mapping.

A mapping would count as this process's memory what the system's cache holds around each number: up to 2 MiB.
"""

import os
import weakref
from collections.abc import Iterable
from pathlib import Path


class OpenFile:
    """A file open for reading, closed with its last user.

    Attributes:
        size: in bytes, when it was opened.
        changed: when it was last changed, in nanoseconds since 1970.
    """

    def __init__(self, path: Path) -> None:
        """Open the file at `path`; raises OSError."""
        self._number = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._number)
        found = os.fstat(self._number)
        self.size, self.changed = found.st_size, found.st_mtime_ns

    def read(self, start: int, size: int) -> bytes:
        """`size` bytes from byte `start` on.

        Raises:
            OSError: the file has become shorter.
        """
        parts = []
        while size:  # the system gives at most 2 GiB at once
            part = os.pread(self._number, size, start)
            if not part:
                raise OSError("cut short")
            parts.append(part)
            start, size = start + len(part), size - len(part)
        return b"".join(parts)

    def read_all(self, ranges: Iterable[tuple[int, int]]) -> bytearray:
        """The bytes of each range, its start and its size, one behind the other; raises as `read`."""
        return bytearray().join(self.read(start, size) for start, size in ranges)
