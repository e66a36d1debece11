"""float32 against float64 log space, where scaled probability space is in trouble and where it is not."""

import itertools

import pytest
import torch

from pipeline.chain import LinearChain, cross_entropy, engine, gold_moments
from tests.helpers.chain_cases import random_chain, slow_answers, with_potentials

EPS = torch.finfo(torch.float32).eps


def sweep(chain: LinearChain) -> engine.Sweep:
    with torch.no_grad():
        return engine.sweep(*chain.potentials, chain.lengths)


def assert_exact(chain: LinearChain, tolerance: float = 2e-5) -> None:
    """log Z to a few float32 roundings of its size, probabilities to `tolerance`."""
    log_z, gradients = slow_answers(chain)
    found = chain.log_partition()
    torch.testing.assert_close(found.double(), log_z, rtol=4 * EPS, atol=4 * EPS)
    ours = torch.autograd.grad(found.sum(), chain.potentials)
    for mine, exact in zip(ours, gradients, strict=True):
        size = max(1.0, float(exact.abs().max()))
        torch.testing.assert_close(mine.double() / size, exact / size, rtol=0.0, atol=tolerance)


@pytest.mark.parametrize("tags", [2, 9, 64])
@pytest.mark.parametrize("scale", [0.1, 3.0, 10.0])
def test_long_sentences(tags, scale):
    chain = random_chain([512, 1, 17], tags, scale=scale, dtype=torch.float32)
    assert_exact(chain)


def with_barriers(chain: LinearChain, seed: int = 3) -> LinearChain:
    """Forbid, by -1e4, a third of the transitions and of the starts and ends; a cycle stays open."""
    generator = torch.Generator().manual_seed(seed)
    emissions, transitions, start, end = (p.detach().clone() for p in chain.potentials)
    n = len(start)
    shut = torch.rand(n, n, generator=generator) < 1 / 3
    shut[torch.arange(n), (torch.arange(n) + 1) % n] = False
    transitions[shut] = -1e4
    start[torch.rand(n, generator=generator) < 1 / 3] = -1e4
    end[torch.rand(n, generator=generator) < 1 / 3] = -1e4
    return with_potentials(chain, (p.requires_grad_() for p in (emissions, transitions, start, end)))


@pytest.mark.parametrize(("tags", "lengths"), [(3, [30, 1, 2, 7]), (9, [200, 3]), (64, [40, 39])])
def test_barriers(tags, lengths):
    assert_exact(with_barriers(random_chain(lengths, tags, scale=2.0, dtype=torch.float32)))


def test_scores_in_the_thousands():
    assert_exact(random_chain([60, 5, 1], 5, scale=1e4, dtype=torch.float32))


def test_a_tag_that_was_lost_but_wins_in_the_end():
    """Tag 0 is entered and left at a cost of e**-110, but keeps 20 per word on tag 1: it is all of Z.

    In float32 probability space its share is 0 after the first word, and the rest looks healthy.
    """
    transitions = torch.tensor([[0.0, -1e4], [-1e4, -20.0]], requires_grad=True)
    start = torch.tensor([-110.0, 0.0], requires_grad=True)
    end = torch.tensor([-110.0, 0.0], requires_grad=True)
    emissions = torch.zeros(2, 100, 2, requires_grad=True)
    chain = LinearChain(emissions, transitions, start, end, torch.tensor([100, 3]))
    found = sweep(chain)
    assert found.fast.exact is not None
    assert not found.fast.exact.any()
    assert_exact(chain)
    assert chain.log_partition()[0].item() == pytest.approx(-220.0, abs=1e-4)


def test_only_the_wide_sentences_go_through_log_space():
    chain = random_chain([6, 9, 4, 2], 5, dtype=torch.float32)
    emissions = chain.emissions.detach().clone()
    emissions[1, 3, 2] = 1e4
    emissions[3, 0, 0] = -1e4
    mixed = LinearChain(emissions.requires_grad_(), *chain.potentials[1:], chain.lengths)
    rows = sweep(mixed).rows
    assert rows is not None
    assert rows.tolist() == [1, 3]
    assert_exact(mixed)
    logs = mixed.log_marginals()
    assert not logs[:, 1:].isnan().any()


def test_sentences_that_lose_much_at_every_word_are_rescaled_at_every_word():
    """The emissions insist on a cycle whose transitions are the only bad ones."""
    transitions = torch.zeros(4, 4)
    transitions[torch.arange(4), (torch.arange(4) + 1) % 4] = -12.0
    emissions = 20.0 * torch.eye(4)[torch.arange(80) % 4][None].repeat(2, 1, 1)
    drawn = (emissions, transitions, torch.zeros(4), torch.zeros(4))
    e, t, b, d = (p.requires_grad_() for p in drawn)
    chain = LinearChain(e, t, b, d, torch.tensor([80, 41]))
    assert sweep(chain).log is None
    assert_exact(chain)


def test_padding_that_underflows_does_not_reach_an_exact_sentence():
    """After its one word, the first sentence's state has nowhere to go: zeros, and then 0 / 0."""
    transitions = torch.tensor([[-200.0, 0.0], [-200.0, -200.0]], requires_grad=True)
    start, end = (torch.zeros(2, requires_grad=True) for _ in range(2))
    chain = LinearChain(
        torch.zeros(2, 6, 2, requires_grad=True), transitions, start, end, torch.tensor([1, 6])
    )
    rows = sweep(chain).rows
    assert rows is not None
    assert rows.tolist() == [1]
    assert_exact(chain)
    assert chain.moments().unary[0].tolist() == [[0.5, 0.5]] + [[0.0, 0.0]] * 5
    assert not chain.moments().pairs[0].any()
    for gradient in torch.autograd.grad(chain.log_marginals()[0, :1, 0].sum(), chain.potentials):
        assert gradient.isfinite().all()


def test_ordinary_scores_never_go_through_log_space():
    for tags, scale in itertools.product([2, 9, 23, 64], [0.1, 1.0, 3.0]):
        chain = random_chain([60, 7], tags, scale=scale, dtype=torch.float32)
        assert sweep(chain).log is None


@pytest.mark.parametrize("barriers", [False, True])
def test_log_marginals_of_float32_and_their_gradient_are_those_of_float64(barriers):
    chain = random_chain([120, 2, 1], 9, scale=2.0, dtype=torch.float32)
    chain = with_barriers(chain) if barriers else chain
    wide = with_potentials(chain, (p.detach().double().requires_grad_() for p in chain.potentials))
    grad = torch.randn(3, 120, 9, generator=torch.Generator().manual_seed(0)).softmax(-1)
    answers = []
    for one in (chain, wide):
        logs = one.log_marginals()
        gradients = torch.autograd.grad((logs * grad.to(logs.dtype)).sum(), one.potentials)
        answers.append([logs.detach(), *gradients])
    for mine, exact in zip(*answers, strict=True):
        torch.testing.assert_close(mine.double(), exact, rtol=1e-5, atol=2e-4 if mine.ndim < 3 else 2e-5)


def test_a_wide_neighbour_leaves_an_underflowed_marginal_at_zero():
    """The first sentence is exact, with a probability of 0 in float32; the second goes through log space."""
    chain = LinearChain(
        torch.tensor([[[-15.0, 34.0]], [[53.0, -1.0]]], requires_grad=True),
        torch.zeros(2, 2, requires_grad=True),
        torch.tensor([30.0, -30.0], requires_grad=True),
        torch.tensor([36.0, -18.0], requires_grad=True),
        torch.tensor([1, 1]),
    )
    right = torch.tensor([[[1.0, 0.0]], [[1.0, 0.0]]])
    torch.testing.assert_close(chain.moments().unary, right)
    torch.testing.assert_close(torch.autograd.grad(chain.log_partition().sum(), chain.emissions)[0], right)


def test_the_gradient_of_log_marginals_keeps_a_tag_whose_products_underflow():
    chain = LinearChain(
        torch.tensor([[[-25.0, 25.0]]], requires_grad=True),
        torch.zeros(2, 2),
        torch.tensor([26.0, -26.0]),
        torch.tensor([26.0, 24.0]),
        torch.tensor([1]),
    )
    (gradient,) = torch.autograd.grad(chain.log_marginals()[0, 0, 0], chain.emissions)
    q = torch.sigmoid(torch.tensor(-4.0)).item()  # scores 27 and 23
    assert gradient[0, 0].tolist() == pytest.approx([q, -q], rel=1e-4)


def test_not_a_number_comes_out_as_such():
    chain = random_chain([3, 2], 3, dtype=torch.float32)
    emissions = chain.emissions.detach().clone()
    emissions[0, 1, 1] = torch.nan
    losses = cross_entropy(
        LinearChain(emissions, *chain.potentials[1:], chain.lengths),
        gold_moments(torch.zeros(2, 3, dtype=torch.int64), chain.lengths, 3),
    )
    assert losses.isnan().tolist() == [True, False]
    transitions = torch.full((3, 3), torch.nan)
    everywhere = LinearChain(chain.emissions, transitions, *chain.potentials[2:], chain.lengths)
    assert everywhere.log_partition().isnan().all()
