"""Scores of -inf: a forbidden tag, pair, first or last tag, and sentences that nothing is allowed in."""

import itertools
import math

import pytest
import torch

from pipeline.chain import LinearChain, cross_entropy, gold_moments
from tests.helpers.chain_cases import random_chain

INF = torch.inf


def chain_of(emissions, transitions=None, start=None, end=None, lengths=None):
    """A chain whose other potentials are 0, all of it requiring gradients."""
    e = torch.tensor(emissions)
    batch, size, tags = e.shape
    t = torch.zeros(tags, tags) if transitions is None else torch.tensor(transitions)
    b, d = (torch.zeros(tags) if given is None else torch.tensor(given) for given in (start, end))
    n = torch.tensor([size] * batch if lengths is None else lengths)
    return LinearChain(e.requires_grad_(), t.requires_grad_(), b.requires_grad_(), d.requires_grad_(), n)


def test_viterbi_of_a_forbidden_tag_where_the_halves_meet():
    score, path = chain_of([[[0.0, -INF]]]).viterbi()
    assert (score.tolist(), path.tolist()) == ([0.0], [[0]])
    rows = [[5.0, 0.0], [1.0, -INF], [5.0, 0.0]]
    score, path = chain_of([rows, rows]).viterbi()
    assert (score.tolist(), path.tolist()) == ([11.0, 11.0], [[0, 0, 0]] * 2)


def test_cross_entropy_of_an_allowed_path_beside_a_forbidden_pair():
    chain = chain_of([[[0.0, 0.0]] * 3], transitions=[[0.0, -INF], [0.0, 0.0]])
    loss = cross_entropy(chain, gold_moments(torch.tensor([[1, 0, 0]]), chain.lengths, 2))
    assert loss.item() == pytest.approx(math.log(4), abs=1e-6)
    for gradient in torch.autograd.grad(loss.sum(), chain.potentials):
        assert gradient.isfinite().all()


def test_cross_entropy_of_a_forbidden_path_is_infinite():
    chain = chain_of([[[0.0, 0.0]] * 3] * 2, transitions=[[0.0, -INF], [0.0, 0.0]])
    losses = cross_entropy(chain, gold_moments(torch.tensor([[0, 1, 0], [0, 0, 0]]), chain.lengths, 2))
    assert losses[0] == INF
    assert losses[1].isfinite()


def test_no_transition_is_allowed_and_sentences_of_one_word_need_none():
    chain = chain_of([[[1.0, 2.0]] * 2] * 2, transitions=[[-INF, -INF], [-INF, -INF]], lengths=[1, 2])
    expected = torch.tensor([math.log(math.e + math.e**2), -INF])
    torch.testing.assert_close(chain.log_partition().detach(), expected)
    score, path = chain.viterbi()
    assert (score.tolist(), path.tolist()) == ([2.0, -INF], [[1, 0], [0, 0]])
    scores, paths = chain.kbest(3)
    assert scores.tolist() == [[2.0, 1.0, -INF], [-INF] * 3]
    assert paths.tolist() == [[[1, 0], [0, 0], [0, 0]], [[0, 0]] * 3]


def test_a_sentence_without_an_allowed_path_has_no_moments_and_no_gradient():
    chain = chain_of([[[0.0, 0.0], [-INF, -INF]], [[0.0, 0.0]] * 2])
    log_z, (unary, pairs), logs = chain.log_partition(), chain.moments(), chain.log_marginals()
    assert log_z[0] == -INF
    assert not unary[0].any()
    assert not pairs[0].any()
    assert logs[0].isneginf().all()
    torch.testing.assert_close(unary[1], torch.full((2, 2), 0.5))
    target = gold_moments(torch.zeros(2, 2, dtype=torch.int64), chain.lengths, 2)
    assert cross_entropy(chain, target)[0] == INF
    for total in (log_z.sum(), logs.exp().sum()):
        gradients = torch.autograd.grad(total, chain.potentials)
        assert not gradients[0][0].any()
        assert all(gradient.isfinite().all() for gradient in gradients)


def test_a_constrained_chain_has_the_allowed_sequences_of_the_whole_one():
    generator = torch.Generator().manual_seed(0)
    chain = random_chain([5, 1, 3], 4, dtype=torch.float32)
    pairs = torch.rand(4, 4, generator=generator) < 0.6
    start, end = torch.tensor([True, True, False, True]), torch.tensor([True, False, True, True])
    found = chain.constrained(pairs, start, end)
    scores, paths = chain.kbest(4**5)
    for row, length in enumerate([5, 1, 3]):
        allowed = [
            bool(start[p[0]] and end[p[length - 1]])
            and all(pairs[i, j] for i, j in itertools.pairwise(p[:length]))
            for p in paths[row].tolist()
        ]
        kept = torch.tensor(allowed) & scores[row].isfinite()
        assert kept.any()
        torch.testing.assert_close(found.log_partition()[row], scores[row, kept].logsumexp(0))
        assert torch.equal(found.viterbi()[1][row], paths[row, kept][0])
    assert found.transitions.grad_fn is not None


@pytest.mark.parametrize(
    ("position", "wrong", "message"),
    [
        (0, torch.ones(2, 3, dtype=torch.bool), r"allowed of transitions must be boolean \[2, 2\]"),
        (1, torch.zeros(2), r"allowed of start must be boolean \[2\], not torch.float32"),
        (2, torch.ones(1, dtype=torch.bool), r"allowed of end must be boolean \[2\]"),
    ],
)
def test_what_is_allowed_must_fit(position, wrong, message):
    right = [torch.ones(2, 2, dtype=torch.bool), *torch.ones(2, 2, dtype=torch.bool)]
    right[position] = wrong
    with pytest.raises(ValueError, match=message):
        chain_of([[[0.0, 0.0]]]).constrained(*right)
