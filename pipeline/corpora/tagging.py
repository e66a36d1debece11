"""What a tagged sentence is, and the schemes that write its spans as tags; inside, spans are always IOB2."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from pipeline.errors import UserError

log = logging.getLogger(__name__)

PREFIXES = {"iob1": "BI", "iob2": "BI", "bioes": "BIES"}
SCHEMES = (*PREFIXES, "plain")

Scheme = Literal["iob2", "plain"]
"""What a tag set is in: spans as IOB2, or plain tags."""

Span = tuple[str, int, int]
"""Type, first word, word after the last."""

Tags = Sequence[str]


@dataclass(frozen=True, slots=True)
class Sentence:
    """L words and their L tags; `tags` is None for unlabelled text."""

    words: tuple[str, ...]
    tags: tuple[str, ...] | None = None


def check_scheme(scheme: str) -> None:
    """Raise UserError unless `scheme` is one of SCHEMES."""
    if scheme not in SCHEMES:
        raise UserError(f"scheme: {scheme!r} is unknown; choose one of {', '.join(SCHEMES)}")


def tag_problem(tag: str, scheme: str) -> str | None:
    """Why `tag` is none of `scheme`'s and what to do, or None if it is one."""
    if scheme == "plain" or tag == "O":
        return None
    prefix, hyphen, kind = tag.partition("-")
    if hyphen and kind and len(prefix) == 1 and prefix in PREFIXES[scheme]:
        return None
    allowed = ", ".join(f"{letter}-TYPE" for letter in PREFIXES[scheme])
    return f"{tag!r} is no {scheme} tag (O, {allowed}); correct it, or the settings `tag` or `scheme`"


def to_iob2(tags: Sequence[str], scheme: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Rewrite one sentence's tags as IOB2; plain tags stay as they are.

    Spans are read as the CoNLL evaluation script reads them: an I- (or E-) whose predecessor is not of the
    same span starts a new one.

    Args:
        tags: L tags for which `tag_problem` has nothing to say.
        scheme: one of SCHEMES.

    Returns:
        The L tags, and the positions where the scheme is broken: an I- or E- that continues nothing (IOB2,
        BIOES) and the end of a span that no E- closes (BIOES). IOB1 cannot be broken.
    """
    if scheme == "plain":
        return tuple(tags), ()
    iob2 = []
    broken = set()
    open_kind = ""  # the type of the span that an I- here would continue
    for position, tag in enumerate(tags):
        prefix, _, kind = tag.partition("-")
        continues = prefix in "IE" and kind == open_kind
        if prefix in "IE" and not continues and scheme != "iob1":
            broken.add(position)
        if scheme == "bioes" and open_kind and not continues:
            broken.add(position - 1)
        iob2.append("O" if tag == "O" else f"{'I' if continues else 'B'}-{kind}")
        open_kind = kind if prefix in "BI" else ""
    if scheme == "bioes" and open_kind:
        broken.add(len(tags) - 1)
    return tuple(iob2), tuple(sorted(broken))


def spans(tags: Tags, *, scheme: Scheme) -> set[Span]:
    """The spans of one sentence of IOB2 or plain tags; a plain tag is a span of its own.

    A span starts at every B-, and at an I- that follows O or another type, as in the CoNLL evaluation script.

    Raises:
        ValueError: a tag is none of the scheme's.
    """
    if scheme == "plain":
        return {(tag, word, word + 1) for word, tag in enumerate(tags)}
    found: set[Span] = set()
    open_kind, start = "", 0
    for word, tag in enumerate((*tags, "O")):
        prefix, _, kind = tag.partition("-")
        if tag != "O" and not (prefix in ("B", "I") and kind):
            raise ValueError(f"{tag!r} is no IOB2 tag: expected O, B-TYPE or I-TYPE")
        if open_kind and (prefix != "I" or kind != open_kind):
            found.add((open_kind, start, word))
            open_kind = ""
        if kind and not open_kind:
            open_kind, start = kind, word
    return found


class SpanReader:
    """Turns a file's tags into IOB2, sentence by sentence, and remembers where the file breaks its scheme."""

    def __init__(
        self, scheme: str, where: Callable[[int], str], strict: bool, report: Callable[[str], None]
    ) -> None:
        """Read tags of `scheme`.

        Args:
            scheme: one of SCHEMES.
            where: names a line or row for messages.
            strict: report each tag that breaks the scheme.
            report: is told these problems.

        Raises:
            UserError: the scheme is unknown.
        """
        check_scheme(scheme)
        self.scheme, self.where, self.strict, self.report = scheme, where, strict, report
        self.broken = self.starts = 0
        self.first: int | None = None

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
        self.broken += len(broken)
        self.starts += sum(tag.startswith("B-") for tag in iob2)
        return iob2

    def warn(self) -> None:
        """Log once how many tags broke the scheme, and where the first one is."""
        if self.first is None:
            return
        hint = "; the file looks like IOB1: set scheme: iob1" if 2 * self.broken > self.starts else ""
        log.warning(
            f"{self.where(self.first)}: the first of {self.broken:,} tags that break the scheme "
            f"{self.scheme}; a span starts at each I- that continues nothing{hint}"
        )


@dataclass(frozen=True)
class TagSet:
    """The N tags a tagger can give, in the order of its score columns.

    IOB2: O, then B-X and I-X for each type X in alphabetical order. Plain: alphabetical.
    """

    tags: tuple[str, ...]
    scheme: Scheme = "iob2"

    def __post_init__(self) -> None:
        """Refuse another scheme, no tags or a tag given twice."""
        if self.scheme not in ("iob2", "plain"):
            raise UserError(f"tag set: scheme is {self.scheme!r}, must be 'iob2' or 'plain'")
        if not self.tags or len(set(self.tags)) != len(self.tags):
            raise UserError(f"tag set: tags must be one or more different names, not {list(self.tags)}")

    @classmethod
    def from_sentences(cls, *splits: Iterable[Sentence], scheme: str = "iob2") -> "TagSet":
        """The tags of these labelled splits; every type gets both B- and I-.

        Args:
            splits: the splits to learn and choose from, normally training and development.
            scheme: "plain" for plain tags; anything else means spans, which `to_iob2` has made IOB2.
        """
        seen = {tag for split in splits for sentence in split for tag in sentence.tags or ()}
        if not seen:
            raise UserError("tag set: the sentences carry no tags; train on a labelled file")
        if scheme == "plain":
            return cls(tuple(sorted(seen)), "plain")
        kinds = sorted({tag.partition("-")[2] for tag in seen} - {""})
        return cls(("O", *(f"{letter}-{kind}" for kind in kinds for letter in "BI")), "iob2")

    @cached_property
    def index(self) -> dict[str, int]:
        """Column number of each tag."""
        return {tag: column for column, tag in enumerate(self.tags)}

    def __len__(self) -> int:
        """N, the number of tags."""
        return len(self.tags)

    def ids(self, tags: Iterable[str]) -> list[int]:
        """Column numbers of `tags`.

        Raises:
            UserError: a tag is not in the set.
        """
        try:
            return [self.index[tag] for tag in tags]
        except KeyError as error:
            known = ", ".join(self.tags[:12]) + (", …" if len(self) > 12 else "")
            raise UserError(f"tag {error.args[0]!r} is not in the tag set ({known})") from None

    def names(self, ids: Iterable[int]) -> list[str]:
        """The tags in these columns."""
        return [self.tags[column] for column in ids]

    def allowed(self) -> tuple[list[list[bool]], list[bool], list[bool]]:
        """What the scheme allows: pairs [N][N] of tags (row previous, column current), first and last tags.

        In IOB2 an I-X follows B-X or I-X alone, unless the set has no B-X. Plain tags are all allowed.
        """
        begins = [self._begins(tag) for tag in self.tags]
        pairs = [
            [free or tag[2:] == before[2:] for tag, free in zip(self.tags, begins, strict=True)]
            for before in self.tags
        ]
        return pairs, begins, [True] * len(self)

    def breaks(self, tags: Tags) -> bool:
        """Whether the scheme forbids the sequence; see `allowed`."""
        return any(
            not self._begins(tag) and before not in (f"B-{tag[2:]}", tag)
            for before, tag in zip(("O", *tags), tags, strict=False)
        )

    def _begins(self, tag: str) -> bool:
        """Whether a span may begin with this tag, or it is in none."""
        inside = self.scheme == "iob2" and tag.startswith("I-")
        return not inside or f"B-{tag[2:]}" not in self.index

    def missing(self, sentences: Iterable[Sentence]) -> Counter[str]:
        """How often each tag occurs in `sentences` that the set lacks, and which no tagger of it can give."""
        return Counter(tag for sentence in sentences for tag in sentence.tags or () if tag not in self.index)

    def to_json(self) -> dict[str, Any]:
        """A JSON object that `from_json` reads."""
        return {"scheme": self.scheme, "tags": list(self.tags)}

    @classmethod
    def from_json(cls, value: Any) -> "TagSet":
        """The set that `to_json` wrote.

        Raises:
            UserError: `value` is not such an object.
        """
        match value:
            case {"scheme": "iob2" | "plain" as scheme, "tags": [*tags]} if all(
                isinstance(tag, str) for tag in tags
            ):
                return cls(tuple(tags), scheme)
        raise UserError('tag set: damaged; expected {"scheme": …, "tags": [names]}')
