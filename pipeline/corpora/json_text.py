"""Whether text is JSON, by its first lines; a sentence may begin with a bracket, too."""

import re
from collections.abc import Iterable
from typing import Literal

Json = Literal["object", "array of objects", "array"]

_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_TOKENS = re.compile(
    rf"(?:\s*+(?:{_STRING}|[\[\]{{}},:]|-?\d[\d.eE+-]*+|-?Infinity|NaN|true|false|null))*+\s*+"
)
_OPEN = re.compile(r"(?:[\[{]\s*+){0,9}")  # no data are nested deeper
_OBJECT = re.compile(rf"\{{\s*+(?:\}}|{_STRING}\s*+:)")
_OBJECTS = re.compile(r"\[\s*+\{")


class JsonStart:
    """Sees while a text's lines come in whether it is JSON; none has to be waited for.

    JSON's first line with more than opening brackets shows it: it holds JSON's tokens, nothing else, and a
    string among them. `[1]` and `["No," he said.]` are sentences.
    """

    def __init__(self) -> None:
        self._begun: str | None = ""  # the lines so far; None once they have shown what they are

    @property
    def is_open(self) -> bool:
        """Whether the lines so far are blank or opening brackets, so that the next ones decide."""
        return self._begun is not None

    def look_at(self, line: str) -> Json | None:
        """What the text is, if this line is the one that shows it to be JSON."""
        if self._begun is None:
            return None
        begun = self._begun + line.strip()
        self._begun = begun if _OPEN.fullmatch(begun) else None
        return _kind(begun) if self._begun is None else None


def json_kind(lines: Iterable[str]) -> Json | None:
    """What a text with these first lines is, if it is JSON."""
    start = JsonStart()
    return next(filter(None, map(start.look_at, lines)), None)


def _kind(begun: str) -> Json | None:
    if not begun.startswith(("[", "{")) or not _TOKENS.fullmatch(begun):
        return None
    if begun.startswith("{"):
        return "object" if _OBJECT.match(begun) else None
    if '"' not in begun:
        return None
    return "array of objects" if _OBJECTS.match(begun) else "array"
