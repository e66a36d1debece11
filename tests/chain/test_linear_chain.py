"""log Z, marginals, moments and losses against every tag sequence written out."""

import itertools

import pytest
import torch

from pipeline.chain import LinearChain, Moments, cross_entropy, gold_moments
from pipeline.chain.gradients import expected_score
from tests.helpers.brute_force import oracles
from tests.helpers.chain_cases import random_chain

BATCHES = [[1], [5, 1, 3, 2, 4], [2, 2]]
SCALES = [0.1, 1.0, 10.0, 1e4]
DTYPES = [torch.float64, torch.float32]

cases = pytest.mark.parametrize(
    ("lengths", "tags", "scale", "dtype"), list(itertools.product(BATCHES, [1, 3, 4], SCALES, DTYPES))
)


def tolerance(dtype: torch.dtype, scale: float) -> dict[str, float]:
    """A few roundings of numbers as large as a sentence's score, or as 1."""
    unit = torch.finfo(dtype).eps * 8
    return {"rtol": unit, "atol": unit * max(1.0, scale) * 4}


def probabilities(dtype: torch.dtype, scale: float) -> dict[str, float]:
    """A few roundings of 1; in float64 those of the scores as well, which the oracle itself suffers."""
    return tolerance(dtype, 4 * scale if dtype == torch.float64 else 4.0)


def close(found, expected, **kwargs):
    torch.testing.assert_close(found.double(), expected.double(), check_dtype=False, **kwargs)


@cases
def test_log_partition_and_its_gradient(lengths, tags, scale, dtype):
    chain = random_chain(lengths, tags, scale=scale, dtype=dtype)
    expected = torch.stack([oracle.log_partition() for oracle in oracles(chain)])
    found = chain.log_partition()
    assert found.dtype == dtype
    close(found, expected, **tolerance(dtype, scale))
    weights = torch.linspace(-1.0, 2.0, len(lengths), dtype=dtype)
    ours = torch.autograd.grad((found * weights).sum(), chain.potentials)
    theirs = torch.autograd.grad((expected * weights).sum(), chain.potentials)
    for mine, other in zip(ours, theirs, strict=True):
        close(mine, other, **probabilities(dtype, scale))


@cases
def test_moments(lengths, tags, scale, dtype):
    chain = random_chain(lengths, tags, scale=scale, dtype=dtype)
    unary, pairs = chain.moments()
    assert not unary.requires_grad
    for row, (length, oracle) in enumerate(zip(lengths, oracles(chain), strict=True)):
        expected = oracle.moments()
        close(unary[row, :length], expected[0], **probabilities(dtype, scale))
        close(pairs[row], expected[1], **probabilities(dtype, scale))
        assert (unary[row, length:] == 0).all()


@cases
def test_log_marginals_and_their_gradient(lengths, tags, scale, dtype):
    chain = random_chain(lengths, tags, scale=scale, dtype=dtype)
    found = chain.log_marginals()
    grad = torch.randn(found.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    total = torch.zeros(())
    for row, (length, oracle) in enumerate(zip(lengths, oracles(chain), strict=True)):
        expected = oracle.log_marginals()
        close(found[row, :length], expected, **tolerance(dtype, scale))
        assert (found[row, length:] == 0).all()
        total = total + (expected * grad[row, :length]).sum()
    ours = torch.autograd.grad((found * grad.to(dtype)).sum(), chain.potentials)
    theirs = torch.autograd.grad(total, chain.potentials)
    for mine, other in zip(ours, theirs, strict=True):
        close(mine, other, **probabilities(dtype, scale))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("scale", SCALES)
def test_cross_entropy_is_the_expected_negative_log_likelihood(scale, dtype):
    lengths, tags = [3, 1, 4], 3
    chain = random_chain(lengths, tags, scale=scale, dtype=dtype)
    other = random_chain(lengths, tags, seed=1)
    target = other.moments()
    found = cross_entropy(chain, Moments(target.unary.to(dtype), target.pairs.to(dtype)))
    pairs = zip(oracles(chain), oracles(other), strict=True)
    expected = torch.stack([(q.scores.softmax(0) * (p.log_partition() - p.scores)).sum() for p, q in pairs])
    close(found, expected, **tolerance(dtype, scale * 4))
    weights = torch.tensor([1.0, 0.5, 2.0], dtype=dtype)
    ours = torch.autograd.grad((found * weights).sum(), chain.potentials)
    theirs = torch.autograd.grad((expected * weights).sum(), chain.potentials)
    for mine, reference in zip(ours, theirs, strict=True):
        close(mine, reference, **probabilities(dtype, scale))


def test_scores_of_gold_tags_equal_the_inner_product_with_their_moments():
    chain = random_chain([5, 2, 1], 4)
    generator = torch.Generator().manual_seed(2)
    tags = torch.randint(4, (3, 5), generator=generator)
    for row, (length, oracle) in enumerate(zip([5, 2, 1], oracles(chain), strict=True)):
        index = int((oracle.sequences == tags[row, :length]).all(1).nonzero())
        close(chain.score(tags)[row], oracle.scores[index], rtol=1e-12, atol=1e-12)
    tags[1, 2:] = -100  # the value that losses ignore, as it stands at padding
    moments = gold_moments(tags, chain.lengths, 4, torch.float64)
    inner = expected_score(chain.potentials, chain.lengths, moments)
    close(inner, chain.score(tags), rtol=1e-12, atol=1e-12)


def test_scores_are_summed_in_float64_and_what_tags_stand_at_padding_does_not_matter():
    size = 257  # the sums over words 0, 1, 0, 1, … are small, their parts are not
    emissions = torch.tensor([1e8 + 8, -1e8]).expand(2, size, 2).contiguous()
    transitions = torch.tensor([[0.0, 1e8 + 24], [-1e8, 0.0]])
    chain = LinearChain(emissions, transitions, torch.zeros(2), torch.zeros(2), torch.tensor([size, 1]))
    tags = (torch.arange(size) % 2).repeat(2, 1)
    tags[1, 1:] = 7  # no tag at all
    assert chain.score(tags).tolist() == [1e8 + 129 * 8 + 128 * 24, 1e8 + 8]


def test_temperature_divides_every_score():
    chain = random_chain([4, 2], 3)
    expected = torch.stack([(oracle.scores / 2.5).logsumexp(0) for oracle in oracles(chain)])
    close(chain.tempered(2.5).log_partition(), expected, rtol=1e-12, atol=1e-12)
