"""Raw text → words with the place of each, by one rule for all languages that put spaces between words."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence as it was given, and its words.

    offsets: for each word where it starts in `text` and where the character after it stands, in characters.
    """

    text: str
    words: tuple[str, ...]
    offsets: tuple[tuple[int, int], ...]

    @classmethod
    def raw(cls, text: str) -> Self:
        """Running text, cut by `split_words`."""
        return cls._cut(text, split_words(text))

    @classmethod
    def spaced(cls, text: str) -> Self:
        """Text whose words stand between spaces and tabs; a no-break space does not end a word."""
        return cls._cut(text, (match.span() for match in re.finditer(r"[^ \t]+", text)))

    @classmethod
    def of_words(cls, words: Sequence[str]) -> Self:
        """Words; the text is made of them with single spaces."""
        offsets, place = [], 0
        for word in words:
            offsets.append((place, place + len(word)))
            place += len(word) + 1
        return cls(" ".join(words), tuple(words), tuple(offsets))

    @classmethod
    def _cut(cls, text: str, offsets: Iterable[tuple[int, int]]) -> Self:
        found = tuple(offsets)
        return cls(text, tuple(text[start:end] for start, end in found), found)


def split_words(text: str) -> list[tuple[int, int]]:
    """Where each word of a sentence starts and ends: cut as the CoNLL corpora are, where spaces part words.

    1. Unicode white space separates words.
    2. Punctuation and symbols are words of their own, a run of the same one (`...`, `--`) a single word.
       But these stay inside a word: hyphens, apostrophes, periods and / & @ _ + · between letters or digits
       (`by-election`, `l'été`, `AT&T`, `22/11/96`); a comma, colon or en dash between digits (`1,000`); a
       plus, minus or period before a digit at a word's start (`-5`, `.500`).
    3. `'s` at a word's end is a word, as English corpora have it.
    4. The period behind a word is one too, at the end of the text in any case but `U.S.`. Before that it
       stays with abbreviations: letters with periods between them (`U.S.`), up to three letters or digits
       that start with no small letter (`Mr.`, `12.`), and what a small letter or a comma follows
       (`Corp. said`).

    A language without spaces, such as Chinese, needs its words cut beforehand.
    """
    return [match.span() for match in _WORD.finditer(text.translate(_SHAPES))]


class _Shapes(dict[int, str]):
    """Characters by what the rule asks of them, filled in as they occur.

    a and s: small letters, s being s itself; A and S: other letters; d: digits and numbers; m: what has no
    place of its own (accents, joiners, variation selectors). White space becomes a space; the rest stays.
    """

    def __missing__(self, code: int) -> str:
        character = chr(code)
        category = unicodedata.category(character)
        if character.isspace():
            shape = " "
        elif category[0] in "PS":
            shape = character
        elif category[0] == "N":
            shape = "d"
        elif category[0] == "M" or category == "Cf":
            shape = "m"
        elif character in "sS":
            shape = character
        else:
            shape = "a" if category == "Ll" else "A"
        self[code] = shape
        return shape


_SHAPES = _Shapes()
_WORD = re.compile(
    r"""
      (?: [aAsS] m* \. ){2,} (?! [-‐‑]? [aAsSdm] )             # U.S., a.m., but see U.S.-based
    | ['’] [sS] (?! [aAsSdm] )                                 # 's
    | [ASd] [aAsSdm]{0,2} \. (?= [^.aAsSdm] [^aAsSd]* [aAsSd] )  # Mr. or 12., and a word behind it
    | (?: (?<! [^ ] ) [-+−.] (?= d ) )?                        # -5, .500
      [aAsSd] [aAsSdm]*
      (?: (?: ['’] (?! [sS] (?! [aAsSdm] ) ) | \.? [-‐‑] | [+./&@_·] | (?<= d ) [,:–] (?= d ) )
          [aAsSd] [aAsSdm]* )*
      (?: \. (?= [,;:] | [ ]+ [as] ) )?                        # Corp. said
    | ( [^ ] ) \1* m*                                          # marks
    """,
    re.VERBOSE,
)
