"""Predicted tags are the best of all sequences, in the split's order."""

import pytest
import torch

from pipeline.corpora.tagging import TagSet
from pipeline.device import accelerator
from pipeline.encoding.batching import Batches
from pipeline.encoding.split_file import load
from pipeline.model.prediction import constrain, predict, tag_names
from tests.helpers.brute_force import BruteForce
from tests.helpers.tiny_corpus import TAG_SET, sentences
from tests.helpers.tiny_inputs import tagger, write_split


@pytest.mark.parametrize("batch_size", [1, 4, 64])
def test_tags_are_the_best_of_all_sequences_in_the_splits_order(bert, tmp_path, batch_size):
    split = sentences(11, seed=7, longest=5)
    encoded = write_split(tmp_path / "split.parquet", split, bert)
    model = tagger(bert, encoded).train()  # tagging has to turn dropout off
    predicted = predict(model, Batches(encoded, batch_size), accelerator("float32"))

    batches = Batches(encoded, 1)
    assert not model.training
    for row, tags in enumerate(predicted):
        with torch.inference_mode():
            chain = model.chain(batches.collate(torch.tensor([row])))
            oracle = BruteForce(chain.emissions[0], chain.transitions, chain.start, chain.end)
        best = oracle.sequences[oracle.scores.argmax()]
        assert tags == TAG_SET.names(best.tolist())
    assert len({tuple(tags) for tags in predicted}) > 5


def test_names_end_where_the_sentence_does():
    tag_set = TagSet(("O", "B-X", "I-X"))
    paths = torch.tensor([[1, 2, 0], [2, 0, 0], [0, 0, 0]])
    assert tag_names(paths, torch.tensor([3, 1, 0]), tag_set) == [["B-X", "I-X", "O"], ["I-X"], []]


def test_plain_tags_are_never_constrained(bert, tmp_path):
    encoded = write_split(tmp_path / "split.parquet", sentences(3), bert)
    with torch.inference_mode():
        chain = tagger(bert, encoded).chain(Batches(encoded, 3).collate(torch.arange(3)))
    masked = constrain(chain, TagSet(TAG_SET.tags, "plain"))
    assert torch.equal(masked.transitions, chain.transitions)
    assert torch.equal(masked.start, chain.start)


def test_a_sentence_longer_than_the_window_keeps_all_its_tags(bert, tmp_path):
    split = [*sentences(2), *sentences(1, shortest=90, longest=90)]
    encoded = write_split(tmp_path / "split.parquet", split, bert)
    predicted = predict(tagger(bert, encoded), Batches(encoded, 2), accelerator("float32"))
    assert [len(tags) for tags in predicted] == [len(sentence.words) for sentence in split]


def test_the_teacher_of_the_fixtures_gives_different_tags(bert, corpus):
    """Or the tests that compare its predictions would compare nothing."""
    encoded = load(corpus / "dev.parquet")
    predicted = predict(tagger(bert, encoded), Batches(encoded, 8), accelerator("float32"))
    assert len({tag for tags in predicted for tag in tags}) > 2
