"""A tagged sentence as a piece of output: CoNLL columns, a JSON line, or text for a reader."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Literal
from zlib import crc32

from rich.color import ColorSystem
from rich.style import Style

from pipeline.inference.tagger import Tagged

Format = Literal["conll", "jsonl", "text"]

_COLOURS = ("cyan", "green", "magenta", "yellow", "blue", "red")


def renderer(format: Format, *, scheme: str, colour: bool = False) -> Callable[[Tagged], str]:
    """The function that writes one sentence, line ends included.

    Args:
        format: conll, jsonl or text.
        scheme: of the tags, iob2 or plain.
        colour: text with the codes of a terminal.
    """
    if format == "conll":
        return conll
    if format == "jsonl":
        return jsonl
    return lambda tagged: marked(tagged, scheme=scheme, colour=colour)


def conll(tagged: Tagged) -> str:
    """`word tag` lines and an empty one; a sentence without words is an empty line."""
    lines = [f"{word} {tag}\n" for word, tag in zip(tagged.words, tagged.tags, strict=True)]
    return "".join([*lines, "\n"])


def jsonl(tagged: Tagged) -> str:
    """An object with text, words, offsets, tags, and spans (type, start, end, text, confidence)."""
    return json.dumps(asdict(tagged), ensure_ascii=False) + "\n"


def marked(tagged: Tagged, *, scheme: str, colour: bool) -> str:
    """The text itself with `[span TYPE]`, or `word/TAG` where tags are plain, for people to read.

    Characters that a terminal would obey rather than show become �.
    """
    pieces, place = [], 0
    for span in tagged.spans:
        body = _visible(span.text)
        text = f"{body}/{span.type}" if scheme == "plain" else f"[{body} {span.type}]"
        pieces += [_visible(tagged.text[place : span.start]), _painted(text, span.type) if colour else text]
        place = span.end
    return "".join([*pieces, _visible(tagged.text[place:]), "\n"])


def _painted(text: str, kind: str) -> str:
    """In bold and the type's own colour, the same in every run."""
    style = Style(color=_COLOURS[crc32(kind.encode()) % len(_COLOURS)], bold=True)
    return style.render(text, color_system=ColorSystem.STANDARD)


def _visible(text: str) -> str:
    return "".join(letter if letter.isprintable() or letter in "\t\u3000\xa0" else "�" for letter in text)
