"""Raw text → words with the place of each: by a rule for scripts with spaces, or every character one."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
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
    def characters(cls, text: str) -> Self:
        """Running text, cut by `split_characters`."""
        return cls._cut(text, split_characters(text))

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
    5. Marks (see `_cut`) do not change where words are cut, and are no words themselves.

    A script without spaces, such as Chinese, needs words cut beforehand, or `split_characters`.
    """
    return _cut(text, lambda shapes: (match.span() for match in _WORD.finditer(shapes)))


def split_characters(text: str) -> list[tuple[int, int]]:
    """Where each character that is no white space starts, and where it ends with its marks."""
    return _cut(text, lambda shapes: (match.span() for match in re.finditer("[^ ]", shapes)))


def is_unspaced(words: Iterable[str]) -> bool:
    """Whether words are clauses of a script without spaces (Chinese, Japanese, Thai, Lao, Khmer, Burmese).

    They are taken for clauses if they hold 8 Han characters or kana or more, and more than 4 on average. A
    letter of the other scripts counts half: their words are longer.
    """
    counts = [len(_UNSPACED.findall(word)) + len(_HAN_OR_KANA.findall(word)) for word in words]
    return sum(counts) >= 16 and sum(counts) > 8 * sum(count > 0 for count in counts)


def _cut(text: str, find: Callable[[str], Iterable[tuple[int, int]]]) -> list[tuple[int, int]]:
    """The places of words in `text`: those that `find` sees in its shapes without marks, each with its marks.

    A mark belongs to the word that it touches: before a word or behind it. Between two words without a space
    it belongs to the first, as accents do; but a format character between punctuation and a letter or digit
    belongs to the second, as a direction mark does.
    """
    shapes = text.translate(_SHAPES)
    places = [place for place, shape in enumerate(shapes) if shape not in _MARKS]
    found = find(shapes.translate(_WITHOUT_MARKS))
    if len(places) == len(shapes):
        return list(found)
    starts: list[int] = []
    ends: list[int] = []
    for first, after in found:
        start, before = places[first], ends[-1] if ends else 0
        gap = shapes[before:start]
        if ends and " " not in gap:
            letter_behind_punctuation = shapes[start] in _LETTERS and shapes[before - 1] not in _LETTERS
            start -= len(gap.lstrip("m")) if letter_behind_punctuation else 0
            ends[-1] = start
        else:
            start -= _marks_at_end(gap)
            if ends:
                ends[-1] += _marks_at_start(gap)
        starts.append(start)
        ends.append(places[after - 1] + 1)
    if ends:
        ends[-1] += _marks_at_start(shapes[ends[-1] :])
    return list(zip(starts, ends, strict=True))


def _marks_at_start(shapes: str) -> int:
    return len(shapes) - len(shapes.lstrip(_MARKS))


def _marks_at_end(shapes: str) -> int:
    return len(shapes) - len(shapes.rstrip(_MARKS))


class _Shapes(dict[int, str]):
    """Characters by what the rule asks of them, filled in as they occur.

    a and s: small letters, s being s itself; A and S: other letters; d: digits and numbers. Marks: m, which
    combine with a letter, and f, format and control characters (direction marks, byte order marks, soft
    hyphens, joiners). White space becomes a space; punctuation and symbols stay.
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
        elif category[0] == "M":
            shape = "m"
        elif category in ("Cf", "Cc"):
            shape = "f"
        elif character in "sS":
            shape = character
        else:
            shape = "a" if category == "Ll" else "A"
        self[code] = shape
        return shape


_SHAPES = _Shapes()
_LETTERS, _MARKS = "aAsSd", "mf"
_WITHOUT_MARKS = dict.fromkeys(map(ord, _MARKS))
_HAN = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_KANA = r"\u3040-\u30ff\uff66-\uff9d"
_HAN_OR_KANA = re.compile(f"[{_HAN}{_KANA}]")
# Letters of all scripts that put no spaces between words.
_UNSPACED = re.compile(rf"[\u0e01-\u0eff\u1000-\u109f\u1780-\u17ff{_HAN}{_KANA}]")
_WORD = re.compile(
    r"""
      (?: [aAsS] \. ){2,} (?! [-‐‑]? [aAsSd] )                 # U.S., a.m., but see U.S.-based
    | ['’] [sS] (?! [aAsSd] )                                  # 's
    | [ASd] [aAsSd]{0,2} \. (?= [^.aAsSd] [^aAsSd]* [aAsSd] )  # Mr. or 12., and a word behind it
    | (?: (?<! [^ ] ) [-+−.] (?= d ) )?                        # -5, .500
      [aAsSd] [aAsSd]*
      (?: (?: ['’] (?! [sS] (?! [aAsSd] ) ) | \.? [-‐‑] | [+./&@_·] | (?<= d ) [,:–] (?= d ) )
          [aAsSd] [aAsSd]* )*
      (?: \. (?= [,;:] | [ ]+ [as] ) )?                        # Corp. said
    | ( [^ ] ) \1*                                             # punctuation and symbols: ?, ..., --
    """,
    re.VERBOSE,
)
