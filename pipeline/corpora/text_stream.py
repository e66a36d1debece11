"""Text to be tagged, line by line from a file or a pipe; nothing is held but the sentence at hand."""

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Literal

from pipeline.corpora.textfile import stream_lines
from pipeline.corpora.word_columns import LONGEST, Columns, check_words, read_words
from pipeline.corpora.words import Text, is_unspaced
from pipeline.errors import UserError, unreadable

FIRST_COLUMN = Columns()  # unless it numbers the words
log = logging.getLogger(__name__)

Layout = Literal["text", "characters", "words", "columns"]
"""How unlabelled text is laid out.

text: raw, a sentence a line, cut by `split_words`; characters: likewise, every character a word; words: a
sentence a line, words between spaces; columns: a word a line (CoNLL).
"""

CUTS: dict[Layout, Callable[[str], Text]] = {
    "text": Text.raw,
    "characters": Text.characters,
    "words": Text.spaced,
}
"""How a line is cut into words, where it is a sentence."""


def open_text(path: Path) -> BinaryIO:
    """A file of text, open for `read_stream`.

    Raises:
        UserError: the file cannot be opened.
    """
    try:
        return path.open("rb")
    except OSError as error:
        raise unreadable(path, error, "name a text file") from None


def read_stream(raw: BinaryIO, name: str, layout: Layout, columns: Columns = FIRST_COLUMN) -> Iterator[Text]:
    """Yield the sentences of UTF-8 text; gzip data is known by its first bytes.

    In `columns` blank lines and `-DOCSTART-` lines separate sentences. Otherwise every line is a sentence, an
    empty one too. The first clause of a script without spaces that is read as a word gets a warning.

    Args:
        raw: open for reading bytes, with `peek` and `read1`.
        name: for messages.
        layout: see Layout.
        columns: how `columns` are read.

    Raises:
        UserError: as `textfile.stream_lines` and `word_columns.read_words`, a line is longer than LONGEST or
            MOST_WORDS, or the first is a JSON object. The message starts with `NAME:LINE`.
    """
    lines = text_lines(raw, name)
    if layout == "columns":
        yield from map(Text.of_words, read_words(lines, name, columns))
        return
    begun, clauses = False, ClauseWarning()
    for number, line in lines:
        if not begun and line.strip():
            begun = True
            if is_json(line):
                raise UserError(
                    f"{name}:{number}: is a JSON object, not a sentence; write a sentence on each line, for "
                    "example with jq -r .text"
                )
        text = CUTS[layout](line)
        check_words(len(text.words), f"{name}:{number}", "put one sentence on a line")
        clauses.look_at(text.words, f"{name}:{number}")
        yield text


def text_lines(raw: BinaryIO, name: str) -> Iterator[tuple[int, str]]:
    """`stream_lines` of UTF-8 text, with Windows line ends or without."""
    advice = "convert the file, for example with iconv -f latin1 -t utf8"
    return stream_lines(raw, name, "utf-8-sig", windows=True, longest=LONGEST, advice=advice)


def is_json(line: str) -> bool:
    """Whether a line is a JSON object."""
    try:
        return line.lstrip().startswith("{") and isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


class ClauseWarning:
    """Warns once that a text is cut at spaces which its script does not have."""

    def __init__(self) -> None:
        self._given = False

    def look_at(self, words: Sequence[str], place: str) -> None:
        """Warn if these words are clauses, and none were before."""
        if self._given or not is_unspaced(words):
            return
        self._given = True
        log.warning(
            f"{place}: clauses of a script without spaces are read as words; put spaces between words, or "
            "make every character a word (predict: --words characters; a corpus in params.yaml: words: "
            "characters)"
        )
