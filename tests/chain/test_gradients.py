"""The written-out gradients against finite differences and a tape through the textbook recursion."""

import pytest
import torch

from pipeline.chain import LinearChain, Moments, cross_entropy, gold_moments
from pipeline.chain.gradients import expected_score
from tests.helpers.brute_force import oracles
from tests.helpers.chain_cases import random_chain, slow_answers, slow_log_partition, with_potentials

LENGTHS = [7, 1, 4, 9]
QUESTIONS = {
    "log_partition": lambda chain: chain.log_partition(),
    "log_marginals": lambda chain: chain.log_marginals(),
    "cross_entropy": lambda chain: cross_entropy(chain, target_of(chain)),
}
questions = pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)


def target_of(chain: LinearChain) -> Moments:
    """The moments of another chain on the same sentences."""
    return random_chain(chain.lengths.tolist(), chain.num_tags, seed=1).moments()


@questions
@pytest.mark.parametrize(("lengths", "tags"), [([4, 1, 3], 3), ([1], 1), ([3, 2], 1)])
def test_gradients_against_finite_differences(question, lengths, tags):
    chain = random_chain(lengths, tags, padding=0.0)
    assert torch.autograd.gradcheck(lambda *p: question(with_potentials(chain, p)), chain.potentials)


def test_gradients_of_long_sentences_are_those_of_a_tape_through_the_recursion():
    chain = random_chain([60, 1, 23], 7, scale=2.0)
    log_z, gradients = slow_answers(chain)
    found = chain.log_partition()
    torch.testing.assert_close(found, log_z)
    for mine, other in zip(torch.autograd.grad(found.sum(), chain.potentials), gradients, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-9, atol=1e-9)


def test_each_sentence_is_weighted_by_the_gradient_that_arrives():
    chain, weights = random_chain([5, 1, 3], 4), torch.tensor([-2.0, 0.0, 0.5], dtype=torch.float64)
    found = torch.autograd.grad(chain.log_partition(), chain.potentials, weights)
    rows = [
        slow_log_partition(chain.emissions[row, :length], *chain.potentials[1:])
        for row, length in enumerate(chain.lengths.tolist())
    ]
    expected = torch.autograd.grad(torch.stack(rows), chain.potentials, weights)
    for mine, other in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, other)
    assert not found[0][1].any()


@questions
def test_padding_gets_no_gradient(question):
    chain = random_chain(LENGTHS, 3)
    (gradient,) = torch.autograd.grad(question(chain).sum(), chain.emissions)
    assert gradient[chain.mask].isfinite().all()
    assert not gradient[~chain.mask].any()


@questions
def test_only_what_requires_a_gradient_gets_one(question):
    chain = random_chain([3, 2], 3)
    e, t, b, d = (p.detach() for p in chain.potentials)
    part = LinearChain(e, t.requires_grad_(), b, d, chain.lengths)
    found = torch.autograd.grad(question(part).sum(), t)[0]
    torch.testing.assert_close(found, torch.autograd.grad(question(chain).sum(), chain.transitions)[0])
    assert not question(LinearChain(e, t.detach(), b, d, chain.lengths)).requires_grad


def test_a_gradient_that_arrives_at_a_forbidden_tag_is_ignored():
    chain = random_chain([3], 3)
    emissions = chain.emissions.detach().clone()
    emissions[0, 1, 2] = -torch.inf
    barred = with_potentials(chain, (emissions.requires_grad_(), *chain.potentials[1:]))
    weights = torch.randn(1, 3, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    without = weights.clone()
    without[0, 1, 2] = 0.0
    for one, other in zip(
        *(torch.autograd.grad(barred.log_marginals(), barred.potentials, w) for w in (weights, without)),
        strict=True,
    ):
        assert one.isfinite().all()
        assert torch.equal(one, other)


@pytest.mark.parametrize("scale", [1.0, 1e4])
@questions
def test_a_gradient_of_the_gradient_raises(question, scale):
    chain = random_chain(LENGTHS, 4, scale=scale, padding=0.0)
    answer = question(chain)
    total = (answer.exp()[:, :, 0] if answer.ndim == 3 else answer).sum()
    once = torch.autograd.grad(total, chain.potentials, retain_graph=True)
    gradients = torch.autograd.grad(total, chain.potentials, create_graph=True)
    for one, other in zip(once, gradients, strict=True):
        assert torch.equal(one, other)
    for gradient in gradients:
        with pytest.raises(RuntimeError, match="differentiable once"):
            torch.autograd.grad(total + gradient.square().sum(), chain.potentials, retain_graph=True)


def test_the_expected_score_is_the_mean_over_all_sequences():
    chain = random_chain([4, 1, 3], 3)
    other = random_chain([4, 1, 3], 3, seed=1)
    found = expected_score(chain.potentials, chain.lengths, other.moments())
    pairs = zip(oracles(chain), oracles(other), strict=True)
    expected = torch.stack([q.scores.softmax(0) @ p.scores for p, q in pairs])
    assert found.dtype == torch.float64
    torch.testing.assert_close(found, expected)


def test_cross_entropy_with_weight_on_a_forbidden_score_is_infinite_wherever_it_stands():
    tags, lengths = torch.tensor([[0, 1]] * 4), torch.tensor([2, 2, 2, 2])
    target = gold_moments(tags, lengths, 2)
    emissions, outer = torch.zeros(4, 2, 2), torch.zeros(2)
    forbidden = emissions.clone()
    forbidden[1, 1, 1] = -torch.inf  # of one sentence alone
    found = cross_entropy(LinearChain(forbidden, torch.zeros(2, 2), outer, outer, lengths), target)
    assert found.isinf().tolist() == [False, True, False, False]
    pair = torch.tensor([[0.0, -torch.inf], [0.0, 0.0]])
    first, last = torch.tensor([-torch.inf, 0.0]), torch.tensor([0.0, -torch.inf])
    for chain in (
        LinearChain(emissions, pair, outer, outer, lengths),
        LinearChain(emissions, torch.zeros(2, 2), first, outer, lengths),
        LinearChain(emissions, torch.zeros(2, 2), outer, last, lengths),
    ):
        assert (cross_entropy(chain, target) == torch.inf).all()
