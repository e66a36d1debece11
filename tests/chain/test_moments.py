"""Moments of given sequences: counted by hand, and against the distribution over all sequences."""

import pytest
import torch

from pipeline.chain import Moments, gold_moments, length_mask, path_moments
from tests.helpers.brute_force import oracles
from tests.helpers.chain_cases import random_chain


def test_path_moments_are_the_weighted_statistics_of_the_paths():
    lengths = torch.tensor([4, 1])
    paths = torch.tensor([[[0, 1, 1, 2], [2, 2, 0, 1]], [[1, 9, 9, 9], [0, -1, -1, -1]]])
    weights = torch.tensor([[0.75, 0.25], [0.5, 0.5]])
    unary, pairs = path_moments(paths, weights, lengths, 3)
    assert unary[0].tolist() == [[0.75, 0, 0.25], [0, 0.75, 0.25], [0.25, 0.75, 0], [0, 0.25, 0.75]]
    assert pairs[0].tolist() == [[0, 1.0, 0], [0, 0.75, 0.75], [0.25, 0, 0.25]]
    assert unary[1].tolist() == [[0.5, 0.5, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]]
    assert not pairs[1].any()


@pytest.mark.parametrize(("length", "tags"), [(1, 1), (1, 3), (4, 1), (4, 3)])
def test_all_sequences_with_their_probabilities_have_the_chains_moments(length, tags):
    chain = random_chain([length], tags, scale=2.0)
    (oracle,) = oracles(chain)
    weights = oracle.scores.detach().softmax(0)[None]
    found = path_moments(oracle.sequences[None], weights, chain.lengths, tags)
    for mine, expected in zip(found, chain.moments(), strict=True):
        torch.testing.assert_close(mine, expected)


def test_gold_moments_count_the_tags_whatever_stands_at_padding():
    tags = torch.tensor([[2, 0, 0, 1], [1, 1, -100, 7], [0, 9, 9, 9]])
    unary, pairs = gold_moments(tags, torch.tensor([4, 2, 1]), 3)
    assert unary.argmax(-1)[0].tolist() == [2, 0, 0, 1]
    assert unary.sum(-1).tolist() == [[1, 1, 1, 1], [1, 1, 0, 0], [1, 0, 0, 0]]
    assert pairs[0].tolist() == [[1, 1, 0], [0, 0, 0], [1, 0, 0]]
    assert pairs[1].tolist() == [[0, 0, 0], [0, 1, 0], [0, 0, 0]]
    assert not pairs[2].any()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gold_moments_have_the_precision_asked_for(dtype):
    moments = gold_moments(torch.tensor([[0, 1]]), torch.tensor([2]), 2, dtype)
    assert {moments.unary.dtype, moments.pairs.dtype} == {dtype}


def test_a_mixture_lies_between_and_ends_at_its_parts_exactly():
    one, other = random_chain([3, 1], 3).moments(), random_chain([3, 1], 3, seed=1).moments()
    mixed = one.mix(other, 0.25)
    torch.testing.assert_close(mixed.unary, 0.25 * one.unary + 0.75 * other.unary)
    torch.testing.assert_close(mixed.pairs, 0.25 * one.pairs + 0.75 * other.pairs)
    for weight, end in ((1.0, one), (0.0, other)):
        for mine, expected in zip(one.mix(other, weight), end, strict=True):
            assert torch.equal(mine, expected)


def test_a_mixture_of_two_sequences_is_that_of_their_paths():
    first, second, lengths = torch.tensor([[0, 1, 1]]), torch.tensor([[1, 1, 0]]), torch.tensor([3])
    mixed = gold_moments(first, lengths, 2).mix(gold_moments(second, lengths, 2), 0.75)
    paths = torch.stack((first, second), 1)
    expected = path_moments(paths, torch.tensor([[0.75, 0.25]]), lengths, 2)
    assert isinstance(mixed, Moments)
    for mine, other in zip(mixed, expected, strict=True):
        assert torch.equal(mine, other)


def test_the_mask_has_the_words_of_each_sentence():
    assert length_mask(torch.tensor([1, 3]), 3).tolist() == [[True, False, False], [True, True, True]]
    assert length_mask(torch.tensor([2]), 4).sum().item() == 2
