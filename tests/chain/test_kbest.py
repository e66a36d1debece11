"""K-best against all sequences, sorted, and beside Viterbi."""

import pytest
import torch

from pipeline.chain import LinearChain
from tests.helpers.chain_cases import random_chain
from tests.helpers.decoding_cases import cases, ranked


@cases
@pytest.mark.parametrize("k", [1, 3, 7])
def test_kbest(lengths, tags, scale, dtype, k):
    chain = random_chain(lengths, tags, scale=scale, dtype=dtype)
    scores, paths = chain.kbest(k)
    tolerance = 8 * scale * torch.finfo(dtype).eps
    for row, length in enumerate(lengths):
        expected, sequences = ranked(chain, row, length)
        there = min(k, tags**length)
        torch.testing.assert_close(
            scores[row, :there].double(), expected[:there], atol=tolerance, rtol=tolerance / scale
        )
        assert torch.equal(paths[row, :there, :length], sequences[:there])
        assert scores[row, there:].isneginf().all()
        assert not paths[row, there:].any()
        assert not paths[row, :, length:].any()


@pytest.mark.parametrize("tags", [2, 9, 64])
def test_long_sentences_agree_and_score_what_they_say(tags):
    lengths = [512, 1, 2, 3, 77, 511]
    chain = random_chain(lengths, tags, scale=2.0)
    best, path = chain.viterbi()
    scores, paths = chain.kbest(4)
    assert torch.equal(path, paths[:, 0])
    torch.testing.assert_close(best, chain.score(path).detach())
    for rank in range(4):
        real = scores[:, rank].isfinite()
        torch.testing.assert_close(scores[real, rank], chain.score(paths[:, rank]).detach()[real])
    assert (scores.diff(dim=1)[:1] <= 0).all()
    assert len({tuple(p) for p in paths[0].tolist()}) == 4


@pytest.mark.parametrize("batch", [1, 3])
def test_sums_of_many_large_scores_are_made_in_float64(batch):
    """2,000 words of 10000.1, where float32 numbers lie 2 apart: the small differences decide."""
    generator = torch.Generator().manual_seed(0)
    emissions = torch.full((batch, 2000, 2), 10000.1)
    emissions[0] += torch.rand(2000, 2, generator=generator) / 4
    transitions = torch.tensor([[0.0, -0.1], [-0.1, 0.0]])
    chain = LinearChain(
        emissions, transitions, torch.zeros(2), torch.zeros(2), torch.tensor([2000, 1, 1999][:batch])
    )
    wide = LinearChain(emissions.double(), *chain.potentials[1:], chain.lengths)
    (best, path), (scores, paths) = chain.viterbi(), chain.kbest(2)
    right, _ = wide.viterbi()
    assert torch.equal(best, right.float())
    assert torch.equal(scores[:, 0], right.float())
    for found in (path, paths[:, 0]):  # of paths that tie any may be found
        torch.testing.assert_close(wide.score(found), right, rtol=1e-14, atol=0.0)
    assert torch.equal(chain.score(path), best)
    if batch == 3:
        assert best[2] == (1999 * emissions[2, 0, 0].double()).float()


def test_more_sequences_are_asked_for_than_there_are():
    chain = random_chain([2, 1], 2)
    scores, paths = chain.kbest(10**6)
    assert scores.shape == (2, 10**6)
    assert scores.isfinite().sum(1).tolist() == [4, 2]
    assert not paths[:, 4:].any()
    expected, sequences = ranked(chain, 0, 2)
    torch.testing.assert_close(scores[0, :4], expected)
    assert torch.equal(paths[0, :4], sequences)


def test_ties_give_one_of_the_best():
    chain = LinearChain(
        torch.zeros(2, 6, 3), torch.zeros(3, 3), torch.zeros(3), torch.zeros(3), torch.tensor([6, 2])
    )
    scores, paths = chain.kbest(12)
    assert (scores[0] == 0).all()
    assert (scores[1, :9] == 0).all()
    assert scores[1, 9:].isneginf().all()
    assert len({tuple(p) for p in paths[0].tolist()}) == 12
    assert len({tuple(p[:2]) for p in paths[1, :9].tolist()}) == 9
    assert (chain.viterbi()[0] == 0).all()
