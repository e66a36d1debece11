from pathlib import Path

import pytest

spacy = pytest.importorskip("spacy", reason="benchmarks/requirements.txt brings it")

from benchmarks.taggers.spacy_cnn import load, tags_of  # noqa: E402
from benchmarks.taggers.spacy_cnn_training import BEST, train, write_docs  # noqa: E402
from pipeline.corpora.tagging import Sentence  # noqa: E402
from tests.helpers.tiny_corpus import sentences  # noqa: E402


def test_words_and_tags_come_back_as_they_were(tmp_path: Path) -> None:
    split = [
        Sentence(("U.S.", "don't", "a/b"), ("B-LOC", "O", "O")),
        Sentence(("Anna", "Rome", "Bob", "Lee"), ("B-PER", "B-LOC", "B-PER", "I-PER")),
        Sentence(("x", "y"), ("B-LOC", "B-LOC")),
    ]
    write_docs(split, tmp_path / "docs.spacy")
    nlp = spacy.blank("en")
    examples = list(spacy.training.Corpus(tmp_path / "docs.spacy")(nlp))
    for example, sentence in zip(examples, split, strict=True):
        assert tuple(token.text for token in example.predicted) == sentence.words
        assert tuple(tags_of(example.reference)) == sentence.tags


def test_a_trained_pipeline_tags_every_word(tmp_path: Path) -> None:
    split = sentences(12, seed=0)
    train(split, split[:4], tmp_path / "model", steps=2)
    tag, texts = load(tmp_path / "model" / BEST), [sentence.words for sentence in split]
    assert [len(tags) for tags in tag(texts)] == [len(words) for words in texts]
    assert tag(texts[:1]) == tag(texts)[:1]
