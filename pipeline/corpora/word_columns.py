"""Rows of unlabelled text → words: one column of a CoNLL or CoNLL-U file, of which nothing else is read."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from pipeline.corpora.conll import (
    BLANK_LINES,
    MOST_TAGS,
    MOST_WORDS,
    Comments,
    Row,
    count_words,
    is_range_or_empty,
    rows,
    too_many_words,
)
from pipeline.corpora.held_back import MisreadError, held_back
from pipeline.errors import UserError, counted

LONGEST_SENTENCE = 200_000
"""Characters of a line, and of a sentence in columns.

With conll.MOST_WORDS it bounds the memory that tagging a sentence takes.
"""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column holds the words, and how the lines are read.

    word: counted from 0, or from the end if negative; None is the first, unless that numbers the words.
    separator: between columns; None is any run of spaces and tabs.
    comment: what lines begin with that are skipped.
    """

    word: int | None = None
    separator: str | None = None
    comment: str | None = None

    def rows(self, lines: Iterable[tuple[int, str]]) -> Iterator[Row]:
        """The rows of numbered lines without comments; see `conll.rows`."""
        comment = self.comment
        return rows((line for line in lines if not (comment and line[1].startswith(comment))), self.separator)


def read_words(
    lines: Iterable[tuple[int, str]], name: str, columns: Columns, *, typed: bool = False
) -> Iterator[list[str]]:
    """Yield the words of each sentence; rows of several words and of none, as CoNLL-U has them, are left out.

    Sentences of one row with the number 1 wait for a longer one, which shows whether the first column numbers
    the words; typed ones do not. Comments that look like rows, as hashtags do, get a warning at the end.

    Args:
        lines: line number and line.
        name: of the file, for messages.
        columns: see Columns.
        typed: whether a person types the lines.

    Raises:
        UserError: rows differ in their number of columns, have no such column or an empty word, the first
            column numbers the words and `columns` names no other, or a sentence is longer than
            LONGEST_SENTENCE or conll.MOST_WORDS. The message starts with `NAME:LINE`.
    """
    return held_back(_sentences(_blocks(_checked(columns, lines, name), name), name, columns, typed))


def _sentences(
    blocks: Iterable[list["_Row"]], name: str, columns: Columns, typed: bool
) -> Iterator[tuple[list[str], bool]]:
    """The words of each sentence, with whether it waits; no more than MOST_WORDS sentences do."""
    unsure = columns.word is None  # until a sentence of two words or more has shown what the first column is
    waiting = 0
    for block in blocks:
        numbered = count_words([row.first for row in block])
        numbers_words = numbered and unsure and block[0].width > 1
        if numbers_words and len(block) > 1:
            raise MisreadError(
                f"{name}:{block[0].number}: column 0 holds word numbers; name the words' column "
                "(predict: --word 1; a corpus in params.yaml: word: 1)"
            )
        unsure = unsure and len(block) == 1
        apart = (columns.word or 0) % block[0].width != 0  # the words are not in the column of numbers
        words = [row.word for row in block if not (numbered and apart and is_range_or_empty(row.first))]
        waiting = waiting + 1 if numbers_words and not typed and waiting < MOST_WORDS else 0
        yield words, waiting > 0


class _Row(NamedTuple):
    """What is held of a row: its line, number of columns, the beginning of its first cell, and its word."""

    number: int
    width: int
    first: str
    word: str


def _checked(columns: Columns, lines: Iterable[tuple[int, str]], name: str) -> Iterator[_Row | None]:
    """Yield the rows, all of one number of columns; None where a blank line stands."""
    place = columns.word or 0
    width = top = 0  # of the first row: its columns and its line
    comments = Comments(columns.comment or None, columns.separator, -1, "plain")
    last_cells: set[str] = set()  # where rows have their tag, if they have one
    for number, cells in rows(comments.left_out_of(lines), columns.separator):
        if not cells:
            yield None
            continue
        top, width = (top, width) if width else (number, len(cells))
        if len(last_cells) < MOST_TAGS:
            last_cells.add(cells[-1])
        if problem := _problem(cells, place, width, top):
            raise UserError(f"{name}:{number}: {problem}")
        yield _Row(number, width, cells[0][:32], cells[place])
    if found := comments.like_rows(last_cells):
        first, count = found
        log.warning(
            f"{name}:{first}: looks like a row with a word, and is left out as a comment, the first of "
            f"{counted(count, 'such line')}; if words begin with {columns.comment!r}, give a longer prefix, "
            "which only comments have (predict: --comment; a corpus in params.yaml: comment)"
        )


def _blocks(rows: Iterable[_Row | None], name: str) -> Iterator[list[_Row]]:
    """Yield the rows between blank lines."""
    block: list[_Row] = []
    size = 0
    for row in rows:
        if row is None:
            if block:
                yield block
            block, size = [], 0
            continue
        block.append(row)
        size += len(row.word) + 1
        if size > LONGEST_SENTENCE:
            raise UserError(
                f"{name}:{row.number}: the sentence is longer than {LONGEST_SENTENCE:,} characters; "
                f"{BLANK_LINES}"
            )
        if len(block) > MOST_WORDS:
            raise too_many_words(f"{name}:{row.number}", BLANK_LINES)
    if block:
        yield block


def _problem(cells: list[str], place: int, width: int, top: int) -> str | None:
    if len(cells) != width:
        return (
            f"has {counted(len(cells), 'column')}, but line {top} has {width}; correct the line, or set how "
            "comments begin or what separates columns "
            "(predict: --comment '#', --separator '\\t'; a corpus in params.yaml: comment: \"#\", separator)"
        )
    if not -width <= place < width:
        return f"has {counted(width, 'column')}, so column {place} does not exist; choose 0 to {width - 1}"
    return None if cells[place] else f"the word in column {place} is empty; correct the line"
