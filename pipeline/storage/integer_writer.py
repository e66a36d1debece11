"""Writes lists of integers to a safetensors file part by part, so that no list is held in memory."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import numpy.typing as npt

_DTYPES = {"int32": ("I32", "<i4"), "int64": ("I64", "<i8")}
_ALIGNED = 8  # bytes of which a header's length is a multiple


class IntegerWriter:
    """Takes the numbers of several tensors, a part at a time, and keeps them on disk."""

    def __init__(self, files: Mapping[str, IO[bytes]], dtypes: Mapping[str, str]) -> None:
        """Use `integer_writer`."""
        self._files, self._dtypes = files, dtypes

    def add(self, **parts: npt.NDArray[Any]) -> None:
        """Append the numbers of each part to the tensor of its name."""
        for name, numbers in parts.items():
            self._files[name].write(numbers.astype(_DTYPES[self._dtypes[name]][1]).tobytes())


@contextmanager
def integer_writer(path: Path, dtypes: Mapping[str, str]) -> Iterator[IntegerWriter]:
    """Yield a writer of one list of integers for each name; on a clean exit, write them to `path`.

    The bytes are those that safetensors itself writes. Meanwhile the numbers lie in nameless files beside it.

    Args:
        path: the file to write.
        dtypes: int32 or int64, by the tensor's name.
    """
    with ExitStack() as files:
        parts = {name: files.enter_context(TemporaryFile(dir=path.parent)) for name in dtypes}
        yield IntegerWriter(parts, dtypes)
        header, end = {}, 0
        order = sorted(dtypes, key=lambda name: (-int(dtypes[name][3:]), name))  # safetensors' own
        for name in order:
            code, width = _DTYPES[dtypes[name]][0], int(dtypes[name][3:]) // 8
            size = parts[name].seek(0, 2)
            header[name] = {"dtype": code, "shape": [size // width], "data_offsets": [end, end + size]}
            end += size
        text = json.dumps(header, separators=(",", ":")).encode()
        text += b" " * (-len(text) % _ALIGNED)
        with path.open("wb") as file:
            file.write(len(text).to_bytes(8, "little") + text)
            for name in order:
                parts[name].seek(0)
                shutil.copyfileobj(parts[name], file, 1 << 20)
