"""CRFsuite's tagger, with the features that its tutorials use for names, over two words to each side.

Of every word within two: the word in lower case, its last three letters, its shape, and whether it is in
capitals, capitalised, a number, or has a digit or a hyphen. Of the word itself also its last two letters and
its first two and three.
"""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import pycrfsuite

from benchmarks.taggers.tagger import Tag

NEIGHBOURS = (-2, -1, 1, 2)
MODEL = "model.crfsuite"


def load(folder: Path) -> Tag:
    """The tagger in `folder`; it knows no batches."""
    model = open_model(folder)
    return lambda sentences: [model.tag(features(words)) for words in sentences]


def open_model(folder: Path) -> pycrfsuite.Tagger:
    """The model that training wrote to `folder`."""
    model = pycrfsuite.Tagger()
    model.open(str(folder / MODEL))
    return model


def features(words: Sequence[str]) -> list[list[str]]:
    """The features of every word of a sentence."""
    own = [_of_word(word) for word in words]
    shared = [_of_neighbour(word) for word in words]
    found = []
    for place in range(len(words)):
        line = ["bias", *own[place]]
        for step in NEIGHBOURS:
            if 0 <= place + step < len(words):
                line += [f"{step}:{feature}" for feature in shared[place + step]]
            else:
                line.append(f"{step}:outside")
        found.append(line)
    return found


def _of_word(word: str) -> list[str]:
    parts = [f"suffix={word[-2:]}", f"prefix={word[:2]}", f"prefix={word[:3]}"]
    return [*_of_neighbour(word), *parts]


def _of_neighbour(word: str) -> list[str]:
    flags = {
        "upper": word.isupper(),
        "title": word.istitle(),
        "number": word.isdigit(),
        "digit": any(map(str.isdigit, word)),
        "hyphen": "-" in word,
    }
    found = [f"word={word.lower()}", f"suffix={word[-3:]}", f"shape={shape(word)}"]
    return [*found, *(name for name, holds in flags.items() if holds)]


def shape(word: str) -> str:
    """Capitals as X, small letters as x, digits as d, each run of them once: `AB-12c` is `X-dx`."""
    kinds = ("X" if c.isupper() else "x" if c.islower() else "d" if c.isdigit() else c for c in word)
    return "".join(kind for kind, _ in groupby(kinds))
