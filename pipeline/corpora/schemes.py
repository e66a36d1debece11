"""The schemes that write spans as tags, one tag a word; whatever a file's is, its spans come out as IOB2."""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Literal, get_args
from unicodedata import is_normalized

from pipeline.errors import counted

FileScheme = Literal["iob1", "iob2", "bioes", "bilou", "io", "plain"]
"""The scheme of a file's tags."""

PREFIXES = {"iob1": "BI", "iob2": "BI", "bioes": "BIES", "bilou": "BILU"}
SCHEMES: tuple[FileScheme, ...] = get_args(FileScheme)

UNNAMED = "SPAN"
"""The type of a span in a file whose tags are only B, I and O."""

_AS_BIOES = {"L": "E", "U": "S"}
_FILLERS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Characters that Python calls printable and that show nothing: fillers and variation selectors."""


def tag_problem(tag: str, scheme: str) -> str | None:
    """Why `tag` is none of `scheme`'s and what to do, or None if it is one.

    White space and characters that cannot be seen are refused in every scheme: two tags that look the same
    would otherwise be two. Single spaces between the words of a tag's name are taken.
    """
    if tag == "O":
        return None
    prefix, hyphen, kind = tag.partition("-")
    if problem := _unseen(tag, kind):
        return problem
    letter = prefix if len(prefix) == 1 else ""
    if scheme == "plain":
        return None
    if scheme == "io":
        if hyphen and letter and letter in "BELSU":
            return (
                f"{tag!r} is not an io tag (O, TYPE or I-TYPE); correct it, or set scheme to the file's own"
            )
        return None
    if letter and letter in PREFIXES[scheme] and bool(hyphen) == bool(kind):
        return None
    allowed = ", ".join(f"{each}-TYPE" for each in PREFIXES[scheme])
    others = [
        name
        for name in ("bioes", "bilou")
        if letter and letter in set(PREFIXES[name]) - set(PREFIXES[scheme])
    ]
    hint = f" (the file may be in {others[0]})" if others else ""
    article = "an" if scheme.startswith("i") else "a"
    problem = f"{tag!r} is not {article} {scheme} tag (O, {allowed})"
    return f"{problem}; correct it, or the settings `tag` or `scheme`{hint}"


def to_iob2(tags: Sequence[str], scheme: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Rewrite one sentence's tags as IOB2; plain tags stay as they are.

    Spans are read as the CoNLL evaluation script reads them: an I- (or E-) whose predecessor is not of the
    same span starts a new one. In `io` a span is a run of one type. A tag without a type is of UNNAMED.

    Args:
        tags: L tags for which `tag_problem` has nothing to say.
        scheme: one of SCHEMES.

    Returns:
        The L tags, and the positions where the scheme is broken: an I- or E- that continues nothing (IOB2,
        BIOES, BILOU) and the end of a span that no E- closes (BIOES, BILOU). IOB1 and IO cannot be broken.
    """
    if scheme == "plain":
        return tuple(tags), ()
    closes = scheme in ("bioes", "bilou")
    iob2 = []
    broken = set()
    open_kind = ""  # the type of the span that an I- here would continue
    for position, tag in enumerate(tags):
        letter, kind = letter_and_type(tag, scheme)
        continues = letter in "IE" and kind == open_kind
        if letter in "IE" and not continues and scheme not in ("iob1", "io"):
            broken.add(position)
        if closes and open_kind and not continues:
            broken.add(position - 1)
        iob2.append("O" if tag == "O" else f"{'I' if continues else 'B'}-{kind}")
        open_kind = kind if letter in "BI" else ""
    if closes and open_kind:
        broken.add(len(tags) - 1)
    return tuple(iob2), tuple(sorted(broken))


@lru_cache(maxsize=4096)
def letter_and_type(tag: str, scheme: str) -> tuple[str, str]:
    """The letter, as BIOES has it, and the type of a tag for which `tag_problem` has nothing to say."""
    if tag == "O":
        return "O", ""
    prefix, _, kind = tag.partition("-")
    if scheme == "io":
        return "I", tag if prefix != "I" else kind or UNNAMED
    return (_AS_BIOES.get(prefix, prefix) if scheme == "bilou" else prefix), kind or UNNAMED


def _unseen(tag: str, kind: str) -> str | None:
    """What of a tag cannot be seen, if anything."""
    hidden = next((letter for letter in tag if not letter.isprintable() or _FILLERS.match(letter)), None)
    if hidden:
        return f"the tag {tag!a} holds U+{ord(hidden):04X}, which cannot be seen; remove it"
    if not is_normalized("NFC", tag):
        return f"the tag {tag!a} is not in Unicode's form NFC, so that it may look like another; convert it"
    if tag != " ".join(tag.split()) or kind != kind.lstrip():
        return f"the tag {tag!r} has a space at an end, or two in a row; remove it"
    return None if tag else "the tag is empty; correct the line, or the settings `tag` or `separator`"


class SpanReader:
    """Turns a file's tags into IOB2, sentence by sentence, and remembers where the file breaks its scheme.

    Attributes:
        letters: the first letter of every tag so far.
        broken: how many tags break the scheme.
        orphans: how many of them continue nothing, so that they start a span.
        starts: how many spans there are.
        first: line or row of the first tag that breaks the scheme, unless `strict`.
    """

    def __init__(
        self, scheme: str, where: Callable[[int], str], strict: bool, report: Callable[[str], None]
    ) -> None:
        """Read tags of `scheme`.

        Args:
            scheme: one of SCHEMES.
            where: names a line or row for messages.
            strict: report each tag that breaks the scheme.
            report: is told these problems.
        """
        self.scheme, self.where, self.strict, self.report = scheme, where, strict, report
        self.letters: set[str] = set()
        self.broken = self.orphans = self.starts = 0
        self.first: int | None = None
        self._problems: dict[str, str | None] = {}
        self._typed: tuple[bool, str] | None = None

    def problem(self, tag: str) -> str | None:
        """What `tag_problem` says of a tag, or that it has a type where the file's others have none."""
        if tag not in self._problems:
            self._problems[tag] = tag_problem(tag, self.scheme) or self._mixed(tag)
            if self._problems[tag]:
                self.letters.add(tag[:1])
        return self._problems[tag]

    def _mixed(self, tag: str) -> str | None:
        if tag == "O" or self.scheme not in PREFIXES:
            return None
        typed = "-" in tag
        if self._typed is None:
            self._typed = typed, tag
        if self._typed[0] == typed:
            return None
        has, other = ("a type", "none") if typed else ("no type", "one")
        return f"{tag!r} has {has}, but {self._typed[1]!r} before it has {other}; correct one of them"

    def read(self, tags: Sequence[str], places: Sequence[int]) -> tuple[str, ...]:
        """IOB2 of one sentence's tags, which stand in these lines or rows."""
        iob2, broken = to_iob2(tags, self.scheme)
        for position in broken:
            if self.strict:
                self.report(
                    f"{self.where(places[position])}: {tags[position]!r} breaks the scheme {self.scheme}; "
                    "correct it, or set strict: false"
                )
            elif self.first is None:
                self.first = places[position]
            self.orphans += tags[position][0] != "B" and iob2[position][0] == "B"
        self.broken += len(broken)
        if self.scheme in PREFIXES:
            self.letters.update(tag[0] for tag in tags)
            self.starts += sum(tag.startswith("B-") for tag in iob2)
        return iob2

    def warn(self, tell: Callable[[str], None]) -> None:
        """Tell once how many tags broke the scheme, and where the first one is."""
        if self.first is None:
            return
        breaks = "breaks" if self.broken == 1 else "break"
        tell(
            f"{self.where(self.first)}: the first of {counted(self.broken, 'tag')} that {breaks} the scheme "
            f"{self.scheme}; a span starts at each I- that continues nothing{self._hint()}"
        )

    def _hint(self) -> str:
        """Which scheme the file is in, if its tags as a whole are another's."""
        if self.letters <= set("BIO"):
            if 2 * self.orphans > self.starts:
                return "; the file looks like IOB1: set scheme: iob1"
            if self.scheme in ("bioes", "bilou"):
                return "; the file looks like IOB2: set scheme: iob2"
        return ""
