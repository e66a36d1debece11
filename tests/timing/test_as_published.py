"""The published losses are the project's objectives, in value and gradient; only the way there differs."""

import pytest
import torch

from pipeline.chain import LinearChain, gold_moments
from pipeline.distillation.objective import find_method, objective
from pipeline.distillation.registry import method_settings
from pipeline.timing import as_published
from tests.helpers.brute_force import BruteForce
from tests.helpers.chain_cases import random_chain, with_potentials

LENGTHS = [5, 1, 3, 2]
TAGS = 3


def gold() -> torch.Tensor:
    return torch.randint(TAGS, (len(LENGTHS), max(LENGTHS)), generator=torch.Generator().manual_seed(9))


def detached(chain: LinearChain) -> LinearChain:
    return with_potentials(chain, (tensor.detach() for tensor in chain.potentials))


def as_published_loss(name: str, student: LinearChain, teacher: LinearChain) -> torch.Tensor:
    form = as_published.FORMS[name]
    target = None if form is None else form.target(teacher)
    return as_published.loss(student, form, target, gold())


def of_project(name: str, student: LinearChain, teacher: LinearChain) -> torch.Tensor:
    method, settings = find_method(name), method_settings(name)()
    teaches = as_published.FORMS[name] is not None
    return objective(
        method,
        settings,
        as_published.WEIGHT if teaches else 0.0,
        student=student,
        target=method.targets(teacher, settings) if teaches else None,
        gold=gold_moments(gold(), student.lengths, TAGS, torch.float64),
    )


@pytest.mark.parametrize("name", as_published.FORMS)
@pytest.mark.parametrize("scale", [0.5, 4.0])
def test_a_published_loss_equals_the_objective(name: str, scale: float) -> None:
    student = random_chain(LENGTHS, TAGS, scale=scale, padding=7.0, seed=1)
    teacher = detached(random_chain(LENGTHS, TAGS, scale=scale, padding=-3.0, seed=2))
    weights = torch.arange(1.0, len(LENGTHS) + 1)
    found, expected = as_published_loss(name, student, teacher), of_project(name, student, teacher)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)
    gradients = [
        torch.autograd.grad(losses @ weights.double(), student.potentials, materialize_grads=True)
        for losses in (found, expected)
    ]
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("name", as_published.FORMS)
def test_padding_changes_no_published_loss(name: str) -> None:
    chains = [
        [random_chain(LENGTHS, TAGS, padding=padding, seed=seed) for seed in (1, 2)]
        for padding in (0.0, 50.0)
    ]
    one, other = (as_published_loss(name, student, detached(teacher)) for student, teacher in chains)
    torch.testing.assert_close(one, other)


@pytest.mark.parametrize("length", [1, 2, 4])
def test_recursions_equal_the_sum_over_all_sequences(length: int) -> None:
    chain = detached(random_chain([length], TAGS, scale=2.0, seed=length))
    oracle = BruteForce(chain.emissions[0], chain.transitions, chain.start, chain.end)
    torch.testing.assert_close(as_published.log_partition(chain)[0], oracle.log_partition())
    torch.testing.assert_close(as_published.log_marginals(chain)[0], oracle.log_marginals())
