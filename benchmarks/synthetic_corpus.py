"""Sentences of any number for benchmarks: 5 to 35 random words of one or two pieces, all of them tagged O."""

import numpy as np

from pipeline.corpora.tagging import Sentence, TagSet
from tests.helpers.tiny_corpus import SYLLABLES

TAG_SET = TagSet(("O", *(f"{place}-{kind}" for kind in ("LOC", "MISC", "ORG", "PER") for place in "BI")))


def synthetic_sentences(count: int) -> list[Sentence]:
    """So many labelled sentences, whose words and tags are shared objects, so that even a million fit."""
    chance = np.random.default_rng(0)
    one = [*SYLLABLES, *(syllable.upper() for syllable in SYLLABLES)]
    words = np.array(one * 20 + [first + second for first in SYLLABLES for second in SYLLABLES[:2]], object)
    lengths = chance.integers(5, 36, count)
    flat = words[chance.integers(len(words), size=lengths.sum())].tolist()
    ends = lengths.cumsum().tolist()
    tags = [("O",) * length for length in range(36)]
    return [
        Sentence(tuple(flat[end - length : end]), tags[length])
        for end, length in zip(ends, lengths.tolist(), strict=True)
    ]
