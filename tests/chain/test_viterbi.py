"""Viterbi against all sequences, sorted, and in blocks, alone and with large scores."""

import itertools

import pytest
import torch

from pipeline.chain import LinearChain, viterbi
from tests.helpers.chain_cases import random_chain
from tests.helpers.decoding_cases import cases, ranked


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


def test_large_sums_that_cancel_are_made_in_float64():
    emissions = torch.tensor([[[0.0, 0.001], [0.002, 0.0], [0.0, 0.003]]])
    start, end = torch.full((2,), 1e6), torch.full((2,), -1e6)
    chain = LinearChain(emissions, torch.zeros(2, 2), start, end, torch.tensor([3]))
    score, path = chain.viterbi()
    assert path.tolist() == [[1, 0, 1]]
    assert score.item() == pytest.approx(0.006, rel=1e-5)


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
