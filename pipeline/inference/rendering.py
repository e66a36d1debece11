"""A tagged sentence as a piece of output: CoNLL columns, a JSON line, or text for a reader."""

import json
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Literal
from zlib import crc32

from rich.color import ColorSystem
from rich.style import Style

from pipeline.corpora.conll import rows
from pipeline.corpora.tagging import Scheme, TagSet
from pipeline.errors import UserError, one_line, visible
from pipeline.inference.tagger import Tagged

Format = Literal["conll", "jsonl", "text"]

_COLOURS = ("cyan", "green", "magenta", "yellow", "blue", "red")


def renderer(
    format: Format,
    tags: TagSet,
    *,
    given: str | None = None,
    terminal: bool = False,
    colour: bool = False,
) -> Callable[[Tagged], str]:
    """The function that writes one sentence, line ends included; it raises as `conll`.

    Args:
        format: conll, jsonl or text.
        tags: all that sentences may have.
        given: see `column_separator`.
        terminal: replace what a terminal would obey.
        colour: text with the codes of a terminal.
    """
    if format == "text":
        show = visible if terminal else str
        return lambda tagged: marked(tagged, scheme=tags.scheme, colour=colour, show=show)
    write = partial(conll, separator=column_separator(tags, given)) if format == "conll" else jsonl
    if not terminal:
        return write
    return lambda tagged: visible(write(tagged))


def column_separator(tags: TagSet, given: str | None) -> str:
    """What stands between word and tag: a space, or a tab where tags or words may hold spaces.

    Args:
        tags: all that sentences may have.
        given: what stands between the columns of the input, so that no word holds it; None: no word holds a
            space or a tab.
    """
    spaces_in_words = given not in (None, " ")
    return "\t" if spaces_in_words or any(" " in tag for tag in tags.tags) else " "


def conll(tagged: Tagged, *, separator: str) -> str:
    """Lines of a word and its tag, and an empty one; a sentence without words is an empty line.

    Raises:
        UserError: the reader of columns would read a word as something else.
    """
    pairs = list(zip(tagged.words, tagged.tags, strict=True))
    text = "".join(f"{word}{separator}{tag}\n" for word, tag in pairs)
    read = [cells for _, cells in rows(enumerate(text.split("\n")), separator)]
    for (word, tag), cells in zip(pairs, read, strict=False):  # the last line is empty
        if cells != [word, tag]:
            raise UserError(
                f"--format conll: the word {one_line(repr(word), 60)} would be read back as something else; "
                "set --format jsonl"
            )
    return f"{text}\n"


def jsonl(tagged: Tagged) -> str:
    """An object with text, words, offsets, tags, and spans (type, start, end, text, confidence)."""
    return json.dumps(asdict(tagged), ensure_ascii=False) + "\n"


def marked(tagged: Tagged, *, scheme: Scheme, colour: bool, show: Callable[[str], str] = visible) -> str:
    """The text itself with `[span TYPE]`, or `word/TAG` where tags are plain, for people to read.

    Words and types are as `show` has them.
    """
    pieces, place = [], 0
    for span in tagged.spans:
        body, kind = show(span.text), show(span.type)
        text = f"{body}/{kind}" if scheme == "plain" else f"[{body} {kind}]"
        pieces += [show(tagged.text[place : span.start]), _painted(text, span.type) if colour else text]
        place = span.end
    return "".join([*pieces, show(tagged.text[place:]), "\n"])


def _painted(text: str, kind: str) -> str:
    """In bold and the type's own colour, the same in every run."""
    style = Style(color=_COLOURS[crc32(kind.encode()) % len(_COLOURS)], bold=True)
    return style.render(text, color_system=ColorSystem.STANDARD)
