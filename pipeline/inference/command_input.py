"""The sentences that a command is given: from a file, a pipe, or typed at a terminal."""

import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal

from pipeline.corpora.text_stream import Layout, open_text, read_stream
from pipeline.corpora.word_columns import Columns
from pipeline.corpora.words import Text
from pipeline.errors import UserError

PROMPT = "> "
ROWS = 5  # that look like columns before a warning
_ROW = re.compile(r"\S.*[ \t](?:O|[BILUES]-\S+)[ \t]*")  # a word, maybe more columns, and a tag of spans
_BETWEEN_ROWS = re.compile(r"\s*|#.*|-DOCSTART-.*")
log = logging.getLogger(__name__)


def columns_of(word: int | None, separator: str | None, comment: str | None) -> Columns:
    r"""What the options of `predict` say of columns; the separator may be written `\t`.

    Raises:
        UserError: the separator is empty.
    """
    if separator == "":
        raise UserError("--separator: is empty; leave it out, or give what stands between columns")
    return Columns(word, separator and separator.replace(r"\t", "\t"), comment)


def is_typed(file: Path | None) -> bool:
    """Whether a person types the sentences, so that each is to be answered at once."""
    return file is None and sys.stdin.isatty()


@contextmanager
def read_input(
    file: Path | None, layout: Layout, *, cut: Literal["conll", "characters"], columns: Columns
) -> Iterator[Iterator[Text]]:
    """The sentences of a file, which is opened at once, or of standard input.

    A prompt on standard error asks for typed ones. Columns that are read as lines of text get a warning.

    Args:
        file: None is standard input.
        layout: see Layout.
        cut: raw text into words: as CoNLL corpora are cut, or every character a word.
        columns: how columns are read.

    Raises:
        UserError: `cut` or `columns` do not fit the layout, or the file cannot be opened; and, while the
            sentences are read, as `text_stream.read_stream`.
    """
    if cut == "characters" and layout != "text":
        raise UserError(
            f"--words: applies only to --input text, as the words of {layout} are cut already; leave it out"
        )
    if columns != Columns() and layout != "columns":
        raise UserError(
            f"--word, --separator, --comment: apply to --input columns, not to {layout}; leave them out"
        )
    layout = "characters" if cut == "characters" else layout
    if file is None:
        typed = is_typed(file)
        texts = _read(sys.stdin.buffer, "standard input", layout, columns, typed=typed)
        yield _asked_for(texts) if typed else texts
        return
    with open_text(file) as raw:
        yield _read(raw, str(file), layout, columns)


def _read(
    raw: BinaryIO, name: str, layout: Layout, columns: Columns, *, typed: bool = False
) -> Iterator[Text]:
    texts = read_stream(raw, name, layout, columns, typed=typed)
    return texts if layout == "columns" else _watched(texts, name)


def _watched(texts: Iterator[Text], name: str) -> Iterator[Text]:
    """The texts as they come, with a warning if the first lines are all rows of words and tags."""
    rows = 0
    for text in texts:
        between = _BETWEEN_ROWS.fullmatch(text.text)
        row = not between and _ROW.fullmatch(text.text)
        rows += bool(row)
        if rows == ROWS:
            log.warning(f"{name}: looks like columns of words and tags; use --input columns")
        yield text
        if rows == ROWS or not (between or row):
            break
    yield from texts


def _asked_for(texts: Iterator[Text]) -> Iterator[Text]:
    while True:
        print(end=PROMPT, file=sys.stderr, flush=True)
        text = next(texts, None)
        if text is None:
            print(file=sys.stderr)
            return
        yield text
