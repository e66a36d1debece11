"""Several teachers: moments of the mixture of their distributions, and means of scores."""

from itertools import pairwise
from typing import cast

import pytest
import torch

from pipeline.chain import LinearChain, Moments
from pipeline.distillation.mean_target import mean_target
from pipeline.distillation.objective import find_method
from tests.helpers.methods import TEACHERS, settings_of

LENGTHS = torch.tensor([4, 2, 1])


def teachers(count: int) -> list[LinearChain]:
    torch.manual_seed(0)
    return [
        LinearChain(torch.randn(3, 4, 3), torch.randn(3, 3), torch.randn(3), torch.randn(3), LENGTHS)
        for _ in range(count)
    ]


@pytest.mark.parametrize("name", TEACHERS)
def test_one_teacher_is_itself(name: str) -> None:
    target = find_method(name).targets(teachers(1)[0], settings_of(name))
    assert mean_target([target]) is target


def test_moments_are_those_of_the_mixture() -> None:
    """Of sequences that are drawn from either teacher by turns: the mean of each one's moments."""
    method, settings = find_method("structural"), settings_of("structural")
    one, other = (cast(Moments, method.targets(chain, settings)) for chain in teachers(2))
    both = cast(Moments, mean_target([one, other]))
    torch.testing.assert_close(both.unary, one.unary / 2 + other.unary / 2)
    torch.testing.assert_close(both.pairs, one.pairs / 2 + other.pairs / 2)


def test_marginals_are_those_of_the_mixture() -> None:
    method, settings = find_method("posterior"), settings_of("posterior")
    logs = [cast(torch.Tensor, method.targets(chain, settings)) for chain in teachers(3)]
    both = cast(torch.Tensor, mean_target(logs))
    torch.testing.assert_close(both.exp(), sum(one.exp() for one in logs) / 3)
    assert not both[1, 2:].any()


def test_the_loss_of_a_mixture_is_the_mean_of_the_losses() -> None:
    """Cross-entropy is linear in the teacher's distribution."""
    method, settings = find_method("structural"), settings_of("structural")
    student, *rest = teachers(4)
    targets = [method.targets(chain, settings) for chain in rest]
    expected = torch.stack([method.loss(student, target, settings) for target in targets]).mean(0)
    torch.testing.assert_close(method.loss(student, mean_target(targets), settings), expected)


def test_scores_of_a_sequence_are_the_mean_of_its_scores() -> None:
    chains = teachers(3)
    mean = mean_target(chains)
    assert isinstance(mean, LinearChain)
    paths = torch.tensor([[0, 2, 1, 1], [2, 2, 0, 0], [1, 0, 0, 0]])
    expected = torch.stack([score(chain, paths) for chain in chains]).mean(0)
    torch.testing.assert_close(score(mean, paths), expected)


def score(chain: LinearChain, paths: torch.Tensor) -> torch.Tensor:
    """θ · φ(y) of each path, word by word."""
    totals = []
    for row, length in enumerate(LENGTHS.tolist()):
        path = paths[row, :length].tolist()
        total = chain.start[path[0]] + chain.end[path[-1]]
        total = total + sum(chain.emissions[row, place, tag] for place, tag in enumerate(path))
        totals.append(total + sum(chain.transitions[a, b] for a, b in pairwise(path)))
    return torch.stack(totals)
