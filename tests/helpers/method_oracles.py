"""Every method's loss and gradients against all tag sequences, or all sub-structures, written out."""

import itertools
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from pipeline.chain import LinearChain, gold_moments
from pipeline.distillation.objective import find_method, objective
from tests.helpers.brute_force import BruteForce
from tests.helpers.chain_cases import random_chain, with_potentials

WEIGHTS = (0.0, 0.3, 1.0)
BATCHES = ([1], [2, 2], [5, 1, 3, 2, 4])


@dataclass
class Case:
    """A student, its teacher, and gold tags, for the same padded sentences."""

    student: LinearChain
    teacher: LinearChain
    tags: Tensor

    @classmethod
    def draw(cls, lengths: list[int], tags: int, dtype: torch.dtype = torch.float64) -> "Case":
        student = random_chain(lengths, tags, scale=1.5, dtype=dtype, seed=1)
        teacher = random_chain(lengths, tags, scale=1.5, dtype=dtype, seed=2)
        gold = torch.randint(tags, student.mask.shape, generator=torch.Generator().manual_seed(3))
        return cls(student, with_potentials(teacher, [p.detach() for p in teacher.potentials]), gold)

    def loss(self, name: str, settings: Any, weight: float) -> Tensor:
        method = find_method(name)
        target = method.targets(self.teacher, settings) if weight else None
        gold = None
        if weight < 1:
            gold = gold_moments(
                self.tags, self.student.lengths, self.student.num_tags, self.student.emissions.dtype
            )
        return objective(method, settings, weight, student=self.student, target=target, gold=gold)

    def expected(self, name: str, settings: Any, weight: float) -> Tensor:
        losses = []
        for row, length in enumerate(self.student.lengths.tolist()):
            student, teacher = sentence(self.student, row, length), sentence(self.teacher, row, length)
            gold = negative_log_likelihood(student, self.tags[row, :length].tolist())
            losses.append(weight * ORACLES[name](student, teacher, settings) + (1 - weight) * gold)
        return torch.stack(losses)


Potentials = list[Tensor]  # of one sentence: emissions [L, N], transitions, start, end


def sentence(chain: LinearChain, row: int, length: int) -> Potentials:
    return [chain.emissions[row, :length], chain.transitions, chain.start, chain.end]


def all_sequences(scores: Potentials, temperature: float = 1.0) -> BruteForce:
    emissions, transitions, start, end = (potential.double() / temperature for potential in scores)
    return BruteForce(emissions, transitions, start, end)


def negative_log_likelihood(student: Potentials, gold: list[int]) -> Tensor:
    everything = all_sequences(student)
    row = everything.sequences.tolist().index(gold)
    return -everything.scores.log_softmax(0)[row]


def kbest(student: Potentials, teacher: Potentials, settings: Any) -> Tensor:
    tau = settings.temperature
    scores, rows = all_sequences(teacher, tau).scores.sort(descending=True)
    scores, rows = scores[: settings.k], rows[: settings.k]
    surprise = -all_sequences(student, tau).scores.log_softmax(0)[rows]
    return tau**2 * (scores.softmax(0) * surprise).sum()


def structural(student: Potentials, teacher: Potentials, settings: Any) -> Tensor:
    tau = settings.temperature
    surprise = -all_sequences(student, tau).scores.log_softmax(0)
    return tau**2 * (all_sequences(teacher, tau).scores.softmax(0) * surprise).sum()


def posterior(student: Potentials, teacher: Potentials, settings: Any) -> Tensor:
    tau = settings.temperature
    theirs, ours = (all_sequences(scores, tau).log_marginals() for scores in (teacher, student))
    return tau**2 * (theirs.exp() * (theirs - ours)).sum()


def sub_structures(scores: Potentials) -> list[Tensor]:
    """The score of every start, every pair at every later word, and every end."""
    emissions, transitions, start, end = scores
    size, tags = emissions.shape
    starts = [start[j] + emissions[0, j] for j in range(tags)]
    pairs = [
        transitions[i, j] + emissions[word, j]
        for word, i, j in itertools.product(range(1, size), range(tags), range(tags))
    ]
    return starts + pairs + list(end)


def efficient(student: Potentials, teacher: Potentials, settings: Any) -> Tensor:
    pairs = zip(sub_structures(student), sub_structures(teacher), strict=True)
    return torch.stack([(ours - theirs) ** 2 for ours, theirs in pairs]).mean()


def efficient_emission(student: Potentials, teacher: Potentials, settings: Any) -> Tensor:
    return ((student[0] - teacher[0]) ** 2).mean()


ORACLES = {
    "kbest": kbest,
    "structural": structural,
    "posterior": posterior,
    "efficient": efficient,
    "efficient_emission": efficient_emission,
}


def gradients(losses: Tensor, chain: LinearChain) -> list[Tensor]:
    """Of the batch's loss by emissions, transitions, start and end; 0 where there is none."""
    found = torch.autograd.grad(losses.mean(), chain.potentials, allow_unused=True)
    return [
        torch.zeros_like(potential) if gradient is None else gradient
        for gradient, potential in zip(found, chain.potentials, strict=True)
    ]


def check(case: Case, name: str, settings: Any, weight: float, **tolerance: Any) -> None:
    found, expected = (side(name, settings, weight) for side in (case.loss, case.expected))
    torch.testing.assert_close(found.double(), expected.double(), **tolerance)
    ours, theirs = (gradients(losses, case.student) for losses in (found, expected))
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, **tolerance)
    padding = ours[0][~case.student.mask]
    assert (padding == 0).all()
