"""The gold loss against the probability of the gold tags among all sequences."""

from dataclasses import replace

import pytest
import torch

from pipeline.encoding.batching import Batch
from pipeline.errors import UserError
from pipeline.training.loss import LookupLoss, gold_loss, gold_of
from tests.helpers.brute_force import oracles
from tests.helpers.chain_cases import random_chain


def batch(tags, lengths):
    """A batch with these tags and lengths, and no inputs."""
    nothing = torch.empty(0)
    return Batch(torch.arange(len(lengths)), nothing, nothing, nothing, torch.tensor(lengths), tags)


@pytest.mark.parametrize(("lengths", "tags"), [([1], 1), ([1], 3), ([4, 1, 3], 3), ([2, 3], 1)])
def test_it_is_minus_the_logarithm_of_the_gold_tags_probability(lengths, tags):
    chain = random_chain(lengths, tags, scale=2.0, dtype=torch.float32)
    gold = torch.randint(tags, chain.emissions.shape[:2], generator=torch.Generator().manual_seed(1))
    found = gold_loss(chain, batch(gold.masked_fill(~chain.mask, 0), lengths), 5)
    for row, (length, oracle) in enumerate(zip(lengths, oracles(chain), strict=True)):
        index = int((oracle.sequences == gold[row, :length]).all(1).nonzero())
        expected = -oracle.scores.log_softmax(0)[index]
        torch.testing.assert_close(found[row].double(), expected, rtol=1e-5, atol=1e-6)


def test_the_moments_of_the_gold_tags_count_them():
    unary, pairs = gold_of(batch(torch.tensor([[2, 0, 0], [1, 0, 0]]), [3, 1]), 3)
    assert unary.tolist() == [[[0, 0, 1], [1, 0, 0], [1, 0, 0]], [[0, 1, 0], [0, 0, 0], [0, 0, 0]]]
    assert pairs.tolist() == [[[1, 0, 0], [0, 0, 0], [1, 0, 0]], [[0, 0, 0]] * 3]


def test_unlabelled_sentences_have_no_gold_loss():
    unlabelled = replace(batch(torch.zeros(1, 2, dtype=torch.int64), [2]), tags=None)
    with pytest.raises(
        UserError, match=r"^the training split has no gold tags, .*; label it, or set .* weight: 1\.0$"
    ):
        gold_loss(random_chain([2], 3), unlabelled, 0)


def test_a_loss_that_looks_up_is_told_from_one_that_does_not():
    class Looks:
        def look_up(self, batch, step):
            return batch

    assert isinstance(Looks(), LookupLoss)
    assert not isinstance(gold_loss, LookupLoss)
