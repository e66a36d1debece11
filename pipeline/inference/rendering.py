"""A tagged sentence as a piece of output: CoNLL columns, a JSON line, or text for a reader."""

import json
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Literal
from zlib import crc32

from rich.color import ColorSystem
from rich.style import Style

from pipeline.corpora.tagging import Scheme, TagSet
from pipeline.errors import visible
from pipeline.inference.tagger import Tagged

Format = Literal["conll", "jsonl", "text"]

_COLOURS = ("cyan", "green", "magenta", "yellow", "blue", "red")


def renderer(
    format: Format, tags: TagSet, *, terminal: bool = False, colour: bool = False
) -> Callable[[Tagged], str]:
    """The function that writes one sentence, line ends included.

    Args:
        format: conll, jsonl or text.
        tags: all that sentences may have.
        terminal: replace what a terminal would obey.
        colour: text with the codes of a terminal.
    """
    if format == "text":
        show = visible if terminal else str
        return lambda tagged: marked(tagged, scheme=tags.scheme, colour=colour, show=show)
    separator = "\t" if any(" " in tag for tag in tags.tags) else " "
    write = partial(conll, separator=separator) if format == "conll" else jsonl
    if not terminal:
        return write
    return lambda tagged: visible(write(tagged))


def conll(tagged: Tagged, *, separator: str) -> str:
    """Lines of a word and its tag, and an empty one; a sentence without words is an empty line."""
    lines = [f"{word}{separator}{tag}\n" for word, tag in zip(tagged.words, tagged.tags, strict=True)]
    return "".join([*lines, "\n"])


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
