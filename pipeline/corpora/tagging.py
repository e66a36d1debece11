"""Sentences with a tag for each word, their spans, and the set of tags that a tagger can give."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from pipeline.errors import UserError

Scheme = Literal["iob2", "plain"]
"""What a tag set is in: spans as IOB2, or plain tags."""

Span = tuple[str, int, int]
"""Type, first word, word after the last."""

Words = Sequence[str]
Tags = Sequence[str]


@dataclass(frozen=True, slots=True)
class Sentence:
    """L words and their L tags; `tags` is None for unlabelled text."""

    words: tuple[str, ...]
    tags: tuple[str, ...] | None = None


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
            raise ValueError(f"{tag!r} is not an IOB2 tag: expected O, B-TYPE or I-TYPE")
        if open_kind and (prefix != "I" or kind != open_kind):
            found.add((open_kind, start, word))
            open_kind = ""
        if kind and not open_kind:
            open_kind, start = kind, word
    return found


def types_of(tags: Iterable[str], scheme: str) -> set[str]:
    """The types in these tags; a plain tag is a type itself, and in any other scheme they are IOB2."""
    return set(tags) if scheme == "plain" else {tag.partition("-")[2] for tag in tags} - {""}


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

        Raises:
            UserError: no sentence has tags.
        """
        seen = {tag for split in splits for sentence in split for tag in sentence.tags or ()}
        if not seen:
            raise UserError("tag set: the sentences carry no tags; train on a labelled file")
        return cls.with_types_of(seen, scheme)

    @classmethod
    def with_types_of(cls, tags: Iterable[str], scheme: str) -> "TagSet":
        """The set that has the types in `tags`, plain or IOB2; every type gets both B- and I-.

        Raises:
            UserError: they are plain, and there are none.
        """
        kinds = sorted(types_of(tags, scheme))
        if scheme == "plain":
            return cls(tuple(kinds), "plain")
        return cls(("O", *(f"{letter}-{kind}" for kind in kinds for letter in "BI")), "iob2")

    @cached_property
    def index(self) -> dict[str, int]:
        """Column number of each tag."""
        return {tag: column for column, tag in enumerate(self.tags)}

    def __len__(self) -> int:
        """N, the number of tags."""
        return len(self.tags)

    def names(self, ids: Iterable[int]) -> list[str]:
        """The tags in these columns."""
        return [self.tags[column] for column in ids]

    def allowed(self) -> tuple[list[list[bool]], list[bool], list[bool]]:
        """What the scheme allows: pairs [N][N] of tags (row previous, column current), first and last tags.

        In IOB2 an I-X follows only B-X or I-X, unless the set has no B-X. Plain tags are all allowed.
        """
        begins = [self._begins(tag) for tag in self.tags]
        pairs = [
            [free or tag[2:] == before[2:] for tag, free in zip(self.tags, begins, strict=True)]
            for before in self.tags
        ]
        return pairs, begins, [True] * len(self)

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
