"""Text without tags → sentences, however it is laid out."""

import tempfile
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from pipeline.corpora.conll import in_columns
from pipeline.corpora.tagging import Sentence
from pipeline.corpora.text_stream import Layout, read_stream
from pipeline.corpora.words import Text
from pipeline.errors import UserError
from pipeline.fetching.sources import fetch_file

LOOK_AT = 1000  # lines that decide how a text is laid out
MARKS = (",", ";", ":", "?", "!")


def fetch_unlabelled(source: str, *, mirror: Path | None = None) -> list[Sentence]:
    """`read_unlabelled` of a path or an https address.

    Raises:
        UserError: see sources.fetch_file and `read_unlabelled`.
    """
    with tempfile.TemporaryDirectory(prefix="unlabelled-") as place:
        file = Path(place, "text")
        fetch_file(source, file, mirror=mirror)
        return read_unlabelled(file, source)


def read_unlabelled(file: Path, name: str) -> list[Sentence]:
    """The sentences of UTF-8 text without tags, plain or gzipped; empty ones are left out.

    It is in columns, words in the first, if blank lines part its lines into blocks and all have equally many
    columns. Otherwise each line is a sentence: cut at its spaces if marks stand between spaces, as corpora
    have them, or like the raw text that `predict` tags if they mostly stand at words' ends.

    Args:
        file: to read.
        name: of the file in messages.

    Raises:
        UserError: it holds no sentence, or as `text_stream.read_stream`.
    """
    lines = [text.text for text in islice(_read(file, name, "words"), LOOK_AT)]
    layout: Layout = "columns" if in_columns(lines) else "text" if _is_raw(lines) else "words"
    sentences = [Sentence(text.words) for text in _read(file, name, layout) if text.words]
    if not sentences:
        raise UserError(f"{name}: holds no sentence; give text with one sentence a line")
    return sentences


def _read(file: Path, name: str, layout: Layout) -> Iterator[Text]:
    with file.open("rb") as raw:
        yield from read_stream(raw, name, layout)


def _is_raw(lines: Sequence[str]) -> bool:
    """Whether more marks stand at a word's end than alone.

    A period is one at a line's end only: elsewhere corpora have it at a word's end too (U.S., Mr.).
    """
    attached = alone = 0
    for line in lines:
        words = line.split()
        marked = [word for word in words if word.endswith(MARKS)]
        marked += [word for word in words[-1:] if word.endswith(".")]
        alone += sum(len(word) == 1 for word in marked)
        attached += sum(len(word) > 1 for word in marked)
    return attached > alone
