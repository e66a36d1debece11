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
    """

    def __init__(self, path: Path) -> None:
        """Open the file at `path`; raises OSError."""
        self._number = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._number)
        self.size = os.fstat(self._number).st_size

    def read(self, start: int, size: int) -> bytes:
        """`size` bytes from byte `start` on.

        Raises:
            OSError: the file has become shorter.
        """
        content = os.pread(self._number, size, start)
        if len(content) != size:
            raise OSError("cut short")
        return content

    def read_all(self, ranges: Iterable[tuple[int, int]]) -> bytearray:
        """The bytes of each range, its start and its size, one behind the other; raises as `read`."""
        return bytearray().join(self.read(start, size) for start, size in ranges)
