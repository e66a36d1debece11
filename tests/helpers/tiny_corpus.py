"""A made-up language whose names are capitalised: enough for a tiny tagger to learn from."""

import random
from collections.abc import Iterable

from pipeline.corpora.tagging import Sentence, TagSet

SYLLABLES = ("ba", "ne", "ri", "tok", "lum", "sa", "vel", "ko", "shi", "dra")
TAG_SET = TagSet(("O", "B-LOC", "I-LOC", "B-PER", "I-PER"))


def sentences(count: int, *, seed: int = 0, longest: int = 14, shortest: int = 1) -> list[Sentence]:
    """Sentences of `shortest` to `longest` words of one to four syllables, IOB2."""
    chance = random.Random(seed)
    return [_sentence(chance, chance.randint(shortest, longest)) for _ in range(count)]


def columns(split: Iterable[Sentence]) -> str:
    """Word and tag a line, a blank line behind each sentence."""
    pairs = (zip(sentence.words, sentence.tags or (), strict=True) for sentence in split)
    return "".join("".join(f"{word} {tag}\n" for word, tag in sentence) + "\n" for sentence in pairs)


def _word(chance: random.Random) -> str:
    return "".join(chance.choices(SYLLABLES, k=chance.choice((1, 1, 2, 2, 3, 4))))


def _sentence(chance: random.Random, length: int) -> Sentence:
    words: list[str] = []
    tags: list[str] = []
    while len(words) < length:
        if chance.random() < 0.6:
            words.append(_word(chance))
            tags.append("O")
            continue
        kind = chance.choice(("LOC", "PER"))
        for part in range(min(chance.choice((1, 2)), length - len(words))):
            words.append(_word(chance).capitalize() if kind == "PER" else _word(chance).upper())
            tags.append(("I-" if part else "B-") + kind)
    return Sentence(tuple(words), tuple(tags))
