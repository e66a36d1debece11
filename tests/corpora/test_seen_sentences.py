"""What came before is known, as in a plain set, for 8 bytes a sentence."""

import random
import tracemalloc

import numpy as np

from pipeline.corpora.seen_sentences import SeenSentences
from pipeline.corpora.sentence_hashes import hashes_of


def test_first_times_are_those_of_a_set() -> None:
    chance = random.Random(0)
    texts = [str(chance.randrange(3_000)) for _ in range(9_000)]
    seen, known = SeenSentences(), set()
    start = 0
    while start < len(texts):
        stop = start + chance.randrange(1, 400)
        found = seen.first(hashes_of(texts[start:stop])).tolist()
        wanted = []
        for text in texts[start:stop]:
            wanted.append(text not in known)
            known.add(text)
        assert found == wanted
        start = stop
    assert not seen.first(hashes_of(sorted(known))).any()


def test_no_sentences_are_no_first_times() -> None:
    assert SeenSentences().first(hashes_of([])).tolist() == []


def test_a_sentence_takes_16_bytes_at_most() -> None:
    groups = np.random.default_rng(0).integers(2**63, size=(64, 5_000), dtype=np.uint64)
    tracemalloc.start()
    seen = SeenSentences()
    for group in groups:
        seen.first(group)
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 9 * groups.size
    assert peak < 17 * groups.size + 400_000
