"""Data augmentation: new sentences from labelled ones, text for a teacher to score where there is no other.

A mention is swapped for another of its type, and a word for one that stands between the same two words
elsewhere. No tag is kept: the teacher scores the new sentence.
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence

from pipeline.corpora.tagging import Scheme, Sentence, spans

SPANS = 0.5  # chance that a mention is swapped
WORDS = 0.15  # chance that any other word is swapped; of a corpus of plain tags that is every word


def augmented_sentences(
    sentences: Sequence[Sentence], copies: int, *, scheme: Scheme, seed: int
) -> Iterator[tuple[str, ...]]:
    """The words of `copies` new sentences for each labelled one; those in which nothing changed are left out.

    Args:
        sentences: labelled ones, of the training split.
        copies: how many are made of each.
        scheme: of their tags.
        seed: of all choices; the same seed gives the same sentences.
    """
    chance = random.Random(seed)
    mentions, neighbours = _mentions(sentences, scheme), _neighbours(sentences)
    for _ in range(copies):
        for sentence in sentences:
            words = _changed(sentence, mentions, neighbours, scheme, chance)
            if words != sentence.words:
                yield words


def _mentions(sentences: Sequence[Sentence], scheme: Scheme) -> dict[str, list[tuple[str, ...]]]:
    """All mentions by type, each as often as it occurs; none of plain tags."""
    found = defaultdict(list)
    if scheme != "plain":
        for sentence in sentences:
            for kind, first, end in sorted(spans(sentence.tags or (), scheme=scheme)):
                found[kind].append(sentence.words[first:end])
    return found


def _neighbours(sentences: Sequence[Sentence]) -> dict[tuple[str, str], list[str]]:
    """The words that stand between two words, each as often as it does."""
    found = defaultdict(list)
    for sentence in sentences:
        padded = ("", *sentence.words, "")
        for before, word, after in zip(padded, padded[1:], padded[2:], strict=False):
            found[before, after].append(word)
    return found


def _changed(
    sentence: Sentence,
    mentions: dict[str, list[tuple[str, ...]]],
    neighbours: dict[tuple[str, str], list[str]],
    scheme: Scheme,
    chance: random.Random,
) -> tuple[str, ...]:
    """The sentence with some mentions and words swapped."""
    own = sorted(spans(sentence.tags or (), scheme=scheme), key=lambda span: span[1])
    swapped = {first: (kind, end) for kind, first, end in own if kind in mentions}
    words: list[str] = []
    place = 0
    while place < len(sentence.words):
        if place in swapped:
            kind, end = swapped[place]
            keep = chance.random() >= SPANS
            words += sentence.words[place:end] if keep else chance.choice(mentions[kind])
            place = end
            continue
        before, after = sentence.words[place - 1] if place else "", (*sentence.words, "")[place + 1]
        keep = chance.random() >= WORDS
        words.append(sentence.words[place] if keep else chance.choice(neighbours[before, after]))
        place += 1
    return tuple(words)
