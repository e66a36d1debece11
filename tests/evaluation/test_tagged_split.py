"""One pass gives the best tags, the best allowed ones, and each tag's share of all tag sequences."""

import pytest
import torch

from pipeline.corpora.schemes import to_iob2
from pipeline.device import accelerator
from pipeline.encoding.batching import Batches
from pipeline.encoding.split_file import load
from pipeline.evaluation.tagged_split import tag_split
from pipeline.model.model_folder import load_model
from pipeline.model.prediction import predict
from tests.helpers.brute_force import BruteForce
from tests.helpers.seen_rows import seen_rows
from tests.helpers.tiny_corpus import TAG_SET, sentences
from tests.helpers.tiny_inputs import tagger, write_split


def test_confidence_is_the_share_of_all_sequences_with_the_tag(corpus, teacher):
    model, batches, device = (
        load_model(teacher),
        Batches(load(corpus / "test.parquet"), 4),
        accelerator("float32"),
    )
    predicted, _, found = tag_split(model, batches, device)
    assert predicted == predict(model, batches, device)
    assert list(map(len, found)) == list(map(len, predicted))
    checked = 0
    for ids in batches.in_order():
        with torch.inference_mode():
            chain = model.chain(batches.collate(ids))
        for place, row in enumerate(ids.tolist()):
            length = len(predicted[row])
            if length > 4:
                continue
            sentence = BruteForce(chain.emissions[place, :length], chain.transitions, chain.start, chain.end)
            shares = (sentence.scores - sentence.log_partition()).exp().detach()
            for word, tag in enumerate(predicted[row]):
                with_tag = sentence.sequences[:, word] == model.tag_set.index[tag]
                assert found[row][word] == pytest.approx(float(shares[with_tag].sum()), rel=1e-4)
                checked += 1
    assert checked > 3


@pytest.mark.parametrize("batch_size", [1, 4])
def test_constrained_tags_are_the_best_of_the_sequences_that_the_scheme_allows(bert, tmp_path, batch_size):
    encoded = write_split(tmp_path / "split.parquet", sentences(12, seed=8, longest=5), bert)
    model = tagger(bert, encoded)
    allowed = tag_split(model, Batches(encoded, batch_size), accelerator("float32")).allowed

    batches, differ = Batches(encoded, 1), 0
    for row, tags in enumerate(allowed):
        with torch.inference_mode():
            chain = model.chain(batches.collate(torch.tensor([row])))
        oracle = BruteForce(chain.emissions[0], chain.transitions, chain.start, chain.end)
        best = [TAG_SET.names(oracle.sequences[i].tolist()) for i in oracle.scores.argsort(descending=True)]
        assert tags == next(names for names in best if not to_iob2(names, "iob2")[1])
        differ += tags != best[0]
    assert differ > 2


def test_the_model_sees_each_sentence_once(corpus, teacher, monkeypatch):
    seen = seen_rows(monkeypatch)
    batches = Batches(load(corpus / "test.parquet"), 4)
    tag_split(load_model(teacher), batches, accelerator("float32"))
    assert sorted(seen) == list(range(batches.sentences))
