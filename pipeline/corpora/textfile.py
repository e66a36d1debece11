"""Lines of a text file, plain or gzipped; whatever is no clean text is refused by file and line."""

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, cast

from pipeline.errors import UserError, is_unicode

GZIP_MAGIC = b"\x1f\x8b"
UTF8_BOM_IN_LATIN1 = "\u00ef\u00bb\u00bf"


def refuse(problem: str) -> None:
    """What a reader does with a problem unless told otherwise: raise it as UserError."""
    raise UserError(problem)


def read_lines(path: Path, encoding: str = "utf-8") -> Iterator[tuple[int, str]]:
    """Yield (line number from 1, line without its end) of a file; a gzipped one is known by its first bytes.

    Lines end with a line feed and nothing else, so that the other separators of Unicode stay inside words.

    Raises:
        UserError: the file cannot be read or is empty, `encoding` is unknown, bytes are not in that encoding,
            or a line holds a byte order mark, a carriage return (Windows line ends) or a NUL.
    """
    _check_encoding(encoding)
    number = 0
    try:
        with (
            path.open("rb") as raw,
            _unzipped(raw) as data,
            io.TextIOWrapper(data, encoding, newline="\n") as text,
        ):
            for number, line in enumerate(text, 1):
                line = line.removesuffix("\n")
                if problem := _problem(line, number, encoding):
                    raise UserError(f"{path}:{number}: {problem}")
                yield number, line
    except UnicodeError:
        raise UserError(_bad_bytes(path, encoding)) from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UserError(f"{path}:{number + 1}: damaged gzip data ({error}); fetch the file again") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from None
    if not number:
        raise UserError(f"{path}: is empty; give a file with sentences")


def _check_encoding(encoding: str) -> None:
    try:
        codecs.lookup(encoding)
        "".encode(encoding)  # refuses codecs between bytes, such as base64
    except (LookupError, ValueError):
        raise UserError(f"encoding: {encoding!r} is unknown; try utf-8 or latin-1") from None


def _unzipped(raw: io.BufferedReader) -> BinaryIO:
    zipped = raw.peek(len(GZIP_MAGIC)).startswith(GZIP_MAGIC)
    return cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if zipped else raw


def _problem(line: str, number: int, encoding: str) -> str | None:
    if number == 1 and line.startswith(("\ufeff", UTF8_BOM_IN_LATIN1)):
        return f"starts with a byte order mark, which {encoding} keeps; set encoding: utf-8-sig, or remove it"
    if line.endswith("\r"):
        return "ends with a carriage return (Windows line ends); convert the file, for example with dos2unix"
    if "\r" in line:
        return "holds a carriage return inside; end each line with a line feed alone"
    if "\0" in line:
        return (
            f"holds a NUL character; this is no text in {encoding}: correct the file or the setting encoding"
        )
    if not is_unicode(line):
        return (
            f"holds half a surrogate pair, which is no character; correct the file or the encoding {encoding}"
        )
    return None


def _bad_bytes(path: Path, encoding: str) -> str:
    """Which line and byte cannot be decoded: the stream decodes in blocks and cannot tell."""
    try:
        with path.open("rb") as raw, _unzipped(raw) as stream:
            data = stream.read()
    except (EOFError, zlib.error, OSError) as error:
        return f"{path}:1: damaged gzip data ({error}); fetch the file again"
    advice = f"not {encoding}; set encoding to what the file is in, for example latin-1"
    with suppress(UnicodeError):  # some codecs cannot say where
        try:
            data.decode(encoding)
        except UnicodeDecodeError as error:
            line = data[: error.start].decode(encoding).count("\n") + 1
            return (
                f"{path}:{line}: byte {error.start + 1} of the file (0x{data[error.start]:02x}) is {advice}"
            )
    return f"{path}:1: the bytes are {advice}"
