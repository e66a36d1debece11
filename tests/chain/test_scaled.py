"""Scaled probability space against log space and every sequence written out, and when it says to doubt it."""

import itertools

import pytest
import torch

from pipeline.chain import LinearChain, log_space, scaled
from tests.helpers.brute_force import oracles
from tests.helpers.chain_cases import random_chain, with_potentials

BATCHES = [([1], 1), ([1], 3), ([4], 1), ([4, 1, 3, 2], 3), ([40, 1, 23], 7)]
SCALES = [0.1, 2.0]

cases = pytest.mark.parametrize(
    ("lengths", "tags", "scale"), [(*batch, scale) for batch, scale in itertools.product(BATCHES, SCALES)]
)


def arguments(chain):
    return *(p.detach() for p in chain.potentials), chain.lengths


def swept(chain, *, keep=True, stride=None):
    return scaled.sweep(*arguments(chain), keep=keep, stride=stride)


def centred(chain, seed=0):
    """A gradient as `pull_back` takes it: 0 at padding, with the sum 0 over the tags of each word."""
    shape = chain.emissions.shape
    grad = torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    grad = torch.where(chain.mask[..., None], grad, 0.0)
    unary, _ = log_space.moments(log_space.sweep(*arguments(chain)))
    return (grad - unary * grad.sum(-1, keepdim=True)).to(chain.emissions.dtype)


def close(found, expected):
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)


@cases
def test_every_answer_is_that_of_log_space(lengths, tags, scale):
    chain = random_chain(lengths, tags, scale=scale)
    fast, wide = swept(chain), log_space.sweep(*arguments(chain))
    assert fast.exact is None
    close(fast.log_z, wide.log_z)
    close(scaled.log_marginals(fast), log_space.log_marginals(wide))
    grad = centred(chain)
    for question, given in (("moments", ()), ("pull_back", (grad,))):
        found, expected = (
            getattr(module, question)(states, *given)
            for module, states in ((scaled, fast), (log_space, wide))
        )
        for mine, other in zip(found, expected, strict=True):
            close(mine, other)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_log_z_and_moments_are_those_of_all_sequences(dtype):
    chain = random_chain([4, 1, 3], 3, scale=2.0, dtype=dtype)
    fast = swept(chain)
    unary, pairs = scaled.moments(fast)
    assert (fast.log_z.dtype, unary.dtype, pairs.dtype) == (torch.float64, dtype, dtype)
    unit = torch.finfo(dtype).eps * 32
    for row, (length, oracle) in enumerate(zip([4, 1, 3], oracles(chain), strict=True)):
        expected = (oracle.log_partition(), *oracle.moments())
        found = (fast.log_z[row], unary[row, :length], pairs[row])
        for mine, right in zip(found, expected, strict=True):
            torch.testing.assert_close(mine.double(), right.detach(), rtol=unit, atol=unit)
        assert not unary[row, length:].any()


@pytest.mark.parametrize("stride", [1, 2, 5, 16, 64])
def test_how_often_states_are_rescaled_changes_no_answer(stride):
    chain = random_chain([40, 1, 16, 17], 5)
    grad = centred(chain)
    found, expected = swept(chain, stride=stride), swept(chain)
    close(found.log_z, expected.log_z)
    close(scaled.log_marginals(found), scaled.log_marginals(expected))
    for mine, other in zip(
        (*scaled.moments(found), *scaled.pull_back(found, grad)),
        (*scaled.moments(expected), *scaled.pull_back(expected, grad)),
        strict=True,
    ):
        close(mine, other)


def test_a_sweep_that_is_kept_outlives_the_next_one_and_another_does_not():
    chain, other = random_chain([6, 2], 3), random_chain([6, 2], 3, seed=1)
    expected = scaled.moments(swept(chain))[0].clone()
    kept, held = swept(chain), swept(chain, keep=False)
    assert torch.equal(scaled.moments(held)[0], expected)
    swept(other, keep=False)
    assert torch.equal(scaled.moments(kept)[0], expected)
    assert not torch.equal(scaled.moments(held)[0], expected)


def lost_tag(dtype):
    """Tag 0 costs e**-110 to enter and leave and keeps 20 a word on tag 1: it is all of a long sentence."""
    emissions = torch.zeros(2, 100, 2, dtype=dtype)
    transitions = torch.tensor([[0.0, -1e4], [-1e4, -20.0]], dtype=dtype)
    outer = torch.tensor([-110.0, 0.0], dtype=dtype)
    return LinearChain(emissions, transitions, outer, outer.clone(), torch.tensor([100, 3]))


def test_sentences_in_which_a_share_may_underflow_are_not_exact():
    states = swept(lost_tag(torch.float32))
    assert states.exact is not None
    assert states.exact.tolist() == [False, False]


def test_only_the_sentences_with_wide_scores_are_not_exact_and_the_others_are_right():
    chain = random_chain([6, 9, 4, 2], 5, dtype=torch.float32, padding=0.0)
    emissions = chain.emissions.detach().clone()
    emissions[1, 3, 2], emissions[3, 0, 0] = 1e4, -torch.inf
    mixed = with_potentials(chain, (emissions, *chain.potentials[1:]))
    states, wide = swept(mixed), log_space.sweep(*arguments(mixed))
    assert states.exact is not None
    assert states.exact.tolist() == [True, False, True, False]
    rows = states.exact
    torch.testing.assert_close(states.log_z[rows], wide.log_z[rows], rtol=1e-6, atol=1e-5)
    for mine, other in zip(scaled.moments(states), log_space.moments(wide), strict=True):
        torch.testing.assert_close(mine[rows].double(), other[rows], rtol=1e-5, atol=1e-6)
    logs = scaled.log_marginals(states)
    torch.testing.assert_close(logs[rows].double(), log_space.log_marginals(wide)[rows], rtol=1e-5, atol=1e-5)


def test_nothing_is_sure_where_a_score_is_not_a_number():
    chain = random_chain([3, 2], 3, dtype=torch.float32, padding=0.0)
    emissions = chain.emissions.detach().clone()
    emissions[0, 1, 1] = torch.nan
    states = swept(with_potentials(chain, (emissions, *chain.potentials[1:])))
    assert states.exact is not None
    assert states.exact.tolist() == [False, True]


def test_padding_that_underflows_does_not_reach_an_exact_sentence():
    """After its one word, the first sentence's state has nowhere to go: zeros, and then 0 / 0."""
    transitions = torch.tensor([[-200.0, 0.0], [-200.0, -200.0]])
    chain = LinearChain(
        torch.zeros(2, 6, 2), transitions, torch.zeros(2), torch.zeros(2), torch.tensor([1, 6])
    )
    states = swept(chain)
    assert states.exact is not None
    assert states.exact.tolist() == [True, False]
    unary, pairs = scaled.moments(states)
    assert unary[0].tolist() == [[0.5, 0.5]] + [[0.0, 0.0]] * 5
    assert not pairs[0].any()
    for gradient in scaled.pull_back(states, torch.zeros_like(chain.emissions)):
        assert not gradient[0].any()
