"""Text to be tagged, line by line from a file or a pipe; nothing is held but the sentence at hand."""

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Literal, cast

from pipeline.corpora.conll import DOCUMENT
from pipeline.corpora.textfile import GZIP_MAGIC
from pipeline.corpora.words import Text
from pipeline.errors import UserError

LONGEST = 200_000  # bytes of a sentence: some 30,000 words, which fit any memory

Layout = Literal["text", "words", "columns"]
"""text: raw, a sentence a line; words: likewise, words between spaces; columns: a word a line (CoNLL)."""


def read_file(path: Path, layout: Layout) -> Iterator[Text]:
    """`read_stream` of a file.

    Raises:
        UserError: the file cannot be opened; and as `read_stream`.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); name a file of text") from None
    with file:
        yield from read_stream(file, str(path), layout)


def read_stream(raw: BinaryIO, name: str, layout: Layout) -> Iterator[Text]:
    """Yield the sentences of UTF-8 text; gzip data is known by its first bytes.

    In `text` and `words` every line is a sentence, an empty one too. In `columns` the word stands in the
    first column, and blank lines and `-DOCSTART-` lines separate sentences.

    Args:
        raw: open for reading bytes, with `peek`.
        name: for messages.
        layout: see Layout.

    Raises:
        UserError: a line is no UTF-8 text or holds a NUL or a carriage return, a sentence is longer than
            LONGEST, or the gzip data are damaged. The message starts with `NAME:LINE`.
    """
    lines = _lines(raw, name)
    if layout == "columns":
        yield from _sentences(lines, name)
    else:
        make = Text.raw if layout == "text" else Text.spaced
        for _, line in lines:
            yield make(line)


def _lines(raw: BinaryIO, name: str) -> Iterator[tuple[int, str]]:
    """Yield (line number from 1, line without its end)."""
    number = 0
    try:
        data = _unzipped(raw)
        while line := data.readline(LONGEST + 2):
            number += 1
            yield number, _text(line, f"{name}:{number}", number == 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UserError(f"{name}:{number + 1}: damaged gzip data ({error}); fetch the file again") from None
    except OSError as error:
        raise UserError(
            f"{name}:{number + 1}: cannot be read ({error.strerror}); name a file of text"
        ) from None


def _unzipped(raw: BinaryIO) -> BinaryIO:
    peek = getattr(raw, "peek", None)
    zipped = peek is not None and peek(len(GZIP_MAGIC)).startswith(GZIP_MAGIC)
    return cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if zipped else raw


def _text(line: bytes, where: str, first: bool) -> str:
    line = line.removesuffix(b"\n").removesuffix(b"\r")
    if b"\0" in line:
        raise UserError(f"{where}: holds a NUL character, so this is no UTF-8 text; name a file of text")
    if len(line) > LONGEST:
        raise UserError(f"{where}: is longer than {LONGEST:,} bytes; put one sentence on a line")
    if b"\r" in line:
        raise UserError(f"{where}: holds a carriage return inside; end each line with a line feed")
    try:
        return line.decode("utf-8-sig" if first else "utf-8")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{where}: byte {error.start + 1} of the line (0x{line[error.start]:02x}) is not UTF-8; convert "
            "the file, for example with iconv -f latin1 -t utf8"
        ) from None


def _sentences(lines: Iterator[tuple[int, str]], name: str) -> Iterator[Text]:
    words: list[str] = []
    size = 0
    for number, line in lines:
        cells = line.replace("\t", " ").split(" ")
        word = next((cell for cell in cells if cell), "")
        if word and word != DOCUMENT:
            words.append(word)
            size += len(word.encode()) + 1
            if size > LONGEST:
                raise UserError(
                    f"{name}:{number}: the sentence is longer than {LONGEST:,} bytes; separate sentences "
                    "by a blank line"
                )
        elif words:
            yield Text.of_words(words)
            words, size = [], 0
    if words:
        yield Text.of_words(words)
