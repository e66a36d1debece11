"""Viterbi and K-best against all sequences, sorted."""

import itertools

import pytest
import torch

from pipeline.chain import LinearChain, viterbi
from tests.helpers.brute_force import BruteForce
from tests.helpers.chain_cases import random_chain

cases = pytest.mark.parametrize(
    ("lengths", "tags", "scale", "dtype"),
    list(
        itertools.product(
            [[1], [4], [5], [2, 1], [5, 1, 3, 2, 4]], [1, 2, 3, 4], [1.0, 1e4], [torch.float64, torch.float32]
        )
    ),
)


def ranked(chain: LinearChain, row: int, length: int) -> tuple[torch.Tensor, torch.Tensor]:
    oracle = BruteForce(chain.emissions[row, :length], chain.transitions, chain.start, chain.end)
    scores, order = oracle.scores.detach().sort(descending=True)
    return scores, oracle.sequences[order]


@cases
def test_viterbi(lengths, tags, scale, dtype):
    chain = random_chain(lengths, tags, scale=scale, dtype=dtype)
    scores, paths = chain.viterbi()
    tolerance = 8 * scale * torch.finfo(dtype).eps
    for row, length in enumerate(lengths):
        expected, sequences = ranked(chain, row, length)
        assert scores[row].item() == pytest.approx(expected[0].item(), abs=tolerance, rel=tolerance / scale)
        assert torch.equal(paths[row, :length], sequences[0])
        assert not paths[row, length:].any()


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


def test_a_batch_of_many_blocks_gives_what_its_sentences_give():
    generator = torch.Generator().manual_seed(0)
    lengths = torch.randint(1, 12, (40,), generator=generator).tolist()
    chain = random_chain(lengths, 64, scale=2.0)
    assert 2 * 64 * 64 * 4 * len(lengths) > 2 * viterbi._BLOCK_BYTES
    scores, paths = chain.viterbi()
    for row, length in enumerate(lengths):
        part = chain.emissions[row : row + 1, :length]
        alone = LinearChain(part, *chain.potentials[1:], torch.tensor([length]))
        score, path = alone.kbest(1)
        torch.testing.assert_close(scores[row], score[0, 0])
        assert torch.equal(paths[row, :length], path[0, 0])


@pytest.mark.parametrize("scale", [0.5, 1.0, 1e4])
def test_a_sentence_alone_gets_the_bits_it_gets_in_a_batch(scale):
    """Whole numbers tie often; other scores tie but for their rounding."""
    lengths = [9, 1, 2, 3, 8]
    chain = random_chain(lengths, 4, dtype=torch.float32)
    e, t, b, d = ((p.detach() * 2).round() * scale + (scale == 0.5) * p.detach() for p in chain.potentials)
    best, paths = LinearChain(e, t, b, d, chain.lengths).viterbi()
    for row in range(len(lengths)):
        only = slice(row, row + 1)
        score, path = LinearChain(e[only], t, b, d, chain.lengths[only]).viterbi()
        assert torch.equal(score, best[only])
        assert torch.equal(path, paths[only])


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


def test_large_sums_that_cancel_are_made_in_float64():
    emissions = torch.tensor([[[0.0, 0.001], [0.002, 0.0], [0.0, 0.003]]])
    start, end = torch.full((2,), 1e6), torch.full((2,), -1e6)
    chain = LinearChain(emissions, torch.zeros(2, 2), start, end, torch.tensor([3]))
    score, path = chain.viterbi()
    assert path.tolist() == [[1, 0, 1]]
    assert score.item() == pytest.approx(0.006, rel=1e-5)


def test_more_sequences_are_asked_for_than_there_are():
    chain = random_chain([2, 1], 2)
    scores, paths = chain.kbest(10**6)
    assert scores.shape == (2, 10**6)
    assert scores.isfinite().sum(1).tolist() == [4, 2]
    assert not paths[:, 4:].any()
    expected, sequences = ranked(chain, 0, 2)
    torch.testing.assert_close(scores[0, :4], expected)
    assert torch.equal(paths[0, :4], sequences)


def test_barriers_are_kept():
    chain = random_chain([40, 9], 5, dtype=torch.float32, padding=0.0)
    emissions, transitions, start, end = (p.detach().clone() for p in chain.potentials)
    transitions[2, :] = -1e4
    transitions[2, 3] = 0.0
    start[3] = -1e4
    emissions[:, :, 2] += 5
    chain = LinearChain(emissions, transitions, start, end, chain.lengths)
    alone = LinearChain(emissions[:1], transitions, start, end, chain.lengths[:1])
    found = chain.viterbi()[1].tolist() + alone.viterbi()[1].tolist()
    for path, length in zip(found, [40, 9, 40], strict=True):
        steps = list(itertools.pairwise(path[:length]))
        assert any(previous == 2 for previous, _ in steps)
        assert all(current == 3 for previous, current in steps if previous == 2)
        assert path[0] != 3


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
