"""Log space against every sequence written out, in float64, with autograd for its gradient."""

import itertools

import pytest
import torch

from pipeline.chain import LinearChain, log_space
from tests.helpers.brute_force import oracles
from tests.helpers.chain_cases import random_chain

INF = torch.inf
BATCHES = [([1], 1), ([1], 3), ([4], 1), ([4, 1, 3, 2], 3)]
SCALES = [0.1, 3.0, 1e4]

cases = pytest.mark.parametrize(
    ("lengths", "tags", "scale"), [(*batch, scale) for batch, scale in itertools.product(BATCHES, SCALES)]
)


def swept(chain: LinearChain) -> log_space.LogStates:
    e, t, b, d = (p.detach() for p in chain.potentials)
    return log_space.sweep(e, t, b, d, chain.lengths)


def close(found, expected, scale=1.0):
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-13 * max(1.0, scale) * 8)


def centred(chain, seed=1):
    """A gradient as `pull_back` takes it: 0 at padding, with the sum 0 over the tags of each word."""
    shape = chain.emissions.shape
    grad = torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    grad = torch.where(chain.mask[..., None], grad, 0.0)
    return grad - log_space.moments(swept(chain))[0] * grad.sum(-1, keepdim=True)


@cases
def test_log_z_log_marginals_and_moments(lengths, tags, scale):
    chain = random_chain(lengths, tags, scale=scale)
    states = swept(chain)
    logs, (unary, pairs) = log_space.log_marginals(states), log_space.moments(states)
    for row, (length, oracle) in enumerate(zip(lengths, oracles(chain), strict=True)):
        close(states.log_z[row], oracle.log_partition().detach(), scale)
        close(logs[row, :length], oracle.log_marginals().detach(), scale)
        expected = oracle.moments()
        close(unary[row, :length], expected[0].detach(), scale)
        close(pairs[row], expected[1].detach(), scale)
        assert not logs[row, length:].any()
        assert not unary[row, length:].any()


@cases
def test_pull_back_is_the_gradient_of_the_weighted_log_marginals(lengths, tags, scale):
    chain = random_chain(lengths, tags, scale=scale)
    grad = centred(chain)
    unary, pairs = log_space.pull_back(swept(chain), grad)
    for row, (length, oracle) in enumerate(zip(lengths, oracles(chain), strict=True)):
        total = (oracle.log_marginals() * grad[row, :length]).sum()
        emissions, transitions = torch.autograd.grad(
            total, (chain.emissions, chain.transitions), materialize_grads=True
        )
        close(unary[row, :length], emissions[row, :length], scale)
        close(pairs[row], transitions, scale)
        assert not unary[row, length:].any()


def test_states_are_the_masses_of_prefixes_and_suffixes():
    chain = random_chain([3], 2, scale=2.0)
    states = swept(chain)
    e, t, b, d = (p.detach() for p in chain.potentials)
    for tag in range(2):
        prefixes = [b[i] + e[0, 0, i] + t[i, j] + e[0, 1, j] + t[j, tag] for i in (0, 1) for j in (0, 1)]
        close(states.before[0, 2, tag], torch.stack(prefixes).logsumexp(0))
        close(states.alpha[0, 2, tag], states.before[0, 2, tag] + e[0, 2, tag])
        suffixes = [t[tag, j] + e[0, 2, j] + d[j] for j in (0, 1)]
        close(states.beta[0, 1, tag], torch.stack(suffixes).logsumexp(0))
        close(states.beta[0, 2, tag], d[tag])


def test_float32_potentials_are_computed_in_float64():
    chain = random_chain([5, 2], 3, dtype=torch.float32)
    states, wide = (
        swept(chain),
        swept(LinearChain(chain.emissions.double(), *chain.potentials[1:], chain.lengths)),
    )
    for mine, exact in zip(states, wide, strict=True):
        assert mine.dtype in (torch.float64, torch.bool)
        assert torch.equal(mine.nan_to_num(), exact.nan_to_num())


def test_forbidden_tags_and_pairs_have_no_mass_and_no_gradient():
    e = torch.tensor([[[0.0, -INF], [1.0, 2.0], [0.0, 0.5]]], dtype=torch.float64)
    t = torch.tensor([[0.0, -INF], [0.0, 0.0]], dtype=torch.float64)
    zero = torch.zeros(2, dtype=torch.float64)
    states = log_space.sweep(e, t, zero, zero, torch.tensor([3]))  # nothing but 0 0 0 is allowed
    close(states.log_z, torch.tensor([1.0], dtype=torch.float64))
    assert log_space.log_marginals(states).tolist() == [[[0.0, -INF]] * 3]
    unary, pairs = log_space.moments(states)
    assert unary.tolist() == [[[1.0, 0.0]] * 3]
    assert pairs.tolist() == [[[2.0, 0.0], [0.0, 0.0]]]
    for gradient in log_space.pull_back(states, torch.zeros_like(e)):
        assert not gradient.any()


def test_a_sentence_without_an_allowed_sequence_has_no_moments():
    e = torch.zeros(2, 2, 2, dtype=torch.float64)
    e[0, 1] = -INF
    t, zero = torch.zeros(2, 2, dtype=torch.float64), torch.zeros(2, dtype=torch.float64)
    states = log_space.sweep(e, t, zero, zero, torch.tensor([2, 2]))
    assert states.log_z[0] == -INF
    unary, pairs = log_space.moments(states)
    assert log_space.log_marginals(states)[0].isneginf().all()
    assert not unary[0].any()
    assert not pairs[0].any()
    close(unary[1], torch.full((2, 2), 0.5, dtype=torch.float64))
    for gradient in log_space.pull_back(states, torch.zeros_like(e)):
        assert not gradient.any()
