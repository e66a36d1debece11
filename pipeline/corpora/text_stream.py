"""Text to be tagged, line by line from a file or a pipe; nothing is held but the sentence at hand."""

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Literal

from pipeline.corpora.conll import MOST_WORDS, too_many_words
from pipeline.corpora.file_kinds import Advice
from pipeline.corpora.held_back import MisreadError, held_back
from pipeline.corpora.json_text import Json, JsonStart
from pipeline.corpora.lines import stream_lines
from pipeline.corpora.word_columns import LONGEST_SENTENCE, Columns, read_words
from pipeline.corpora.words import Text, is_unspaced
from pipeline.errors import unreadable

FIRST_COLUMN = Columns()  # unless it numbers the words
TO_TAG = Advice(
    encoding="save it as UTF-8, for example with iconv -f ENCODING -t utf8",
    latin="convert the file, for example with iconv -f latin1 -t utf8",
    unicode="convert it, for example with iconv -f {} -t utf8",
    table="write its sentences to a text file, one on each line",
)
"""What to do about files that are no UTF-8 text, where sentences to tag are expected."""

_SENTENCES: dict[Json, str] = {"object": ".text", "array of objects": "'.[].text'", "array": "'.[]'"}
"""jq's filter for the sentences in JSON of the usual form."""

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


def read_stream(
    raw: BinaryIO,
    name: str,
    layout: Layout,
    columns: Columns = FIRST_COLUMN,
    *,
    advice: Advice = TO_TAG,
    typed: bool = False,
) -> Iterator[Text]:
    """Yield the sentences of UTF-8 text; gzip data is known by its first bytes.

    In `columns` blank lines and `-DOCSTART-` lines separate sentences. Otherwise every line is a sentence, an
    empty one too. The first clause of a script without spaces that is read as a word gets a warning. Opening
    brackets at the start wait for the line that shows whether the text is JSON, so that nothing of JSON is
    given; typed ones do not. For columns see `word_columns.read_words`.

    Args:
        raw: open for reading bytes, with `peek` and `read1`.
        name: for messages.
        layout: see Layout.
        columns: how `columns` are read.
        advice: what to do about a file that is no UTF-8 text.
        typed: whether a person types the text, so that each line is to be given at once.

    Raises:
        UserError: as `lines.stream_lines` and `word_columns.read_words`, a line is longer than
            LONGEST_SENTENCE or MOST_WORDS, or the text is JSON. The message starts with `NAME:LINE`.
    """
    lines = held_back(_without_json(text_lines(raw, name, advice, warn=log.warning), name, typed))
    if layout == "columns":
        yield from map(Text.of_words, read_words(lines, name, columns, typed=typed))
        return
    clauses = ClauseWarning()
    for number, line in lines:
        text = CUTS[layout](line)
        if len(text.words) > MOST_WORDS:
            raise too_many_words(f"{name}:{number}", "put one sentence on a line")
        clauses.look_at(text.words, f"{name}:{number}")
        yield text


def _without_json(
    lines: Iterable[tuple[int, str]], name: str, typed: bool
) -> Iterator[tuple[tuple[int, str], bool]]:
    """The lines, each with whether it waits: it may begin JSON, is not typed, and another decides.

    No more than LONGEST_SENTENCE characters wait.
    """
    start, first, size = JsonStart(), 0, 0
    for number, line in lines:
        first = first or (number if line.strip() else 0)
        if kind := start.look_at(line):
            raise MisreadError(
                f"{name}:{first}: is a JSON {kind}, not a sentence; write a sentence on each line, for "
                f"example with jq -r {_SENTENCES[kind]}"
            )
        size += len(line) + 1
        yield (number, line), start.is_open and not typed and size <= LONGEST_SENTENCE


def text_lines(
    raw: BinaryIO, name: str, advice: Advice, *, warn: Callable[[str], None] | None = None
) -> Iterator[tuple[int, str]]:
    """`stream_lines` of UTF-8 text, with Windows line ends or without."""
    return stream_lines(
        raw, name, "utf-8-sig", windows=True, longest=LONGEST_SENTENCE, advice=advice, warn=warn
    )


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
