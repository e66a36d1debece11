"""Words per second of several taggers in turns, one sentence at a time and in batches, and their tags."""

import statistics
import time
from collections.abc import Sequence
from typing import Any

from benchmarks.measuring import in_turns
from benchmarks.taggers.tagger import Sentences, Tag, Tagger
from pipeline.progress import progress

BATCHES = (1, 32)  # sentences


def measure(taggers: Sequence[Tagger], sentences: Sentences, rounds: int) -> dict[str, Any]:
    """For each tagger (by its name) its `tags`, and the median `words_per_second` of each size of batches.

    Batches hold sentences of like length. Everything from words to tags is timed: cutting words into pieces,
    features, making spaCy's documents.

    Args:
        taggers: that take turns.
        sentences: to tag; each has words.
        rounds: turns of each tagger with each size of batches.
    """
    loaded = {tagger.name: tagger.load() for tagger in taggers}
    order = sorted(range(len(sentences)), key=lambda row: len(sentences[row]))
    words = sum(map(len, sentences))
    spent: dict[str, dict[int, list[float]]] = {name: {size: [] for size in BATCHES} for name in loaded}
    tags: dict[str, list[list[str]]] = {}
    with progress("words per second", rounds * len(loaded)) as meter:
        for name in in_turns(list(loaded), rounds):
            for size in BATCHES:
                seconds, found = tag_all(loaded[name], sentences, order, size)
                spent[name][size].append(seconds)
            tags[name] = found
            meter.advance(1, name)
    speeds = {
        name: {str(size): words / statistics.median(times) for size, times in sizes.items()}
        for name, sizes in spent.items()
    }
    return {name: {"tags": tags[name], "words_per_second": speeds[name]} for name in loaded}


def tag_all(tag: Tag, sentences: Sentences, order: Sequence[int], size: int) -> tuple[float, list[list[str]]]:
    """Seconds to tag all sentences in this order in batches of this size, and their tags."""
    batches = [order[low : low + size] for low in range(0, len(order), size)]
    tag([sentences[row] for row in batches[0]])  # the caches are full of the last tagger
    tags: list[list[str]] = [[] for _ in sentences]
    began = time.perf_counter()
    for rows in batches:
        for row, found in zip(rows, tag([sentences[row] for row in rows]), strict=True):
            tags[row] = found
    return time.perf_counter() - began, tags
