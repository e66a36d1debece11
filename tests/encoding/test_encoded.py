"""Words become the tokenizer's own pieces, and every word keeps its tag."""

import pytest
import torch

from pipeline.corpora.tagging import Sentence
from pipeline.encoding.encoded import encode
from pipeline.encoding.settings import Prepare
from pipeline.encoding.tokenization import input_layout, load_tokenizer
from tests.helpers.tiny_corpus import TAG_SET, sentences
from tests.helpers.tiny_encoders import KINDS
from tests.helpers.tiny_inputs import write_split

# Words of which some tokenizers keep nothing (spaces of zero width, controls, marks), and others.
ODD = ("\u200b", "\x07", "ba\u200bne", "\u00a0", "\ufeff", "\u0301", "ba.ne", "é", "中文", "[SEP]", "</s>")
ODDITIES = [
    Sentence(ODD, ("B-PER",) * len(ODD)),
    Sentence(("\u200b",), ("B-LOC",)),
    Sentence(("ba", "\x07", "\u200b", "Ne"), ("O", "B-LOC", "I-LOC", "B-PER")),
]


@pytest.mark.parametrize("kind", KINDS)
def test_pieces_are_those_of_the_tokenizer_on_split_words(kind, encoder, tmp_path):
    split = sentences(20) + ODDITIES
    tokenizer = load_tokenizer(encoder(kind))
    encoded = write_split(tmp_path / "split.parquet", split, encoder(kind))

    assert encoded.lengths.tolist() == [len(sentence.words) for sentence in split]
    for row, sentence in enumerate(split):
        own = tokenizer(list(sentence.words), is_split_into_words=True, add_special_tokens=False)
        found: list[list[int]] = [[] for _ in sentence.words]
        for piece, word in zip(own["input_ids"], own.word_ids(), strict=True):
            found[word].append(piece)
        by_word = [word or [encoded.layout.unknown] for word in found]
        starts = [sum(map(len, by_word[:word])) for word in range(len(by_word))]

        pieces, first = (rows.take(torch.tensor([row])).values for rows in parts(encoded))
        assert pieces.tolist() == [piece for word in by_word for piece in word]
        assert first.tolist() == starts


def parts(encoded):
    return encoded.pieces, encoded.first


def test_a_word_without_pieces_becomes_unknown_and_shifts_no_tag(bert, tmp_path):
    encoded = write_split(tmp_path / "split.parquet", ODDITIES, bert)
    tokenizer, unknown = load_tokenizer(bert), encoded.layout.unknown
    assert tokenizer("\u200b", add_special_tokens=False)["input_ids"] == []

    ba, ne = (tokenizer(word, add_special_tokens=False)["input_ids"][0] for word in ("ba", "Ne"))
    assert encoded.pieces.take(torch.tensor([2])).values.tolist() == [ba, unknown, unknown, ne]
    assert encoded.tags is not None
    assert encoded.tags.in_memory().values[-4:].tolist() == [
        TAG_SET.index[tag] for tag in ("O", "B-LOC", "I-LOC", "B-PER")
    ]


def test_each_distinct_word_is_tokenized_once(bert):
    """A corpus repeats its words; the tokenizer is the slow part."""
    tokenizer = load_tokenizer(bert)
    layout = input_layout(tokenizer, bert, Prepare(window=40, overlap=6))
    seen = []

    def counting(words, **settings):
        seen.extend(words)
        return tokenizer(words, **settings)

    encode([Sentence(("ba", "ne", "ba")), Sentence(("ne", "ri"))], counting, layout)
    assert sorted(seen) == ["ba", "ne", "ri"]
