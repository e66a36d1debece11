"""Every method's loss and gradients against all tag sequences, or all sub-structures, written out."""

import itertools
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor

from pipeline.chain import LinearChain, gold_moments
from pipeline.distillation.objective import find_method, objective
from pipeline.distillation.registry import method_names, method_settings
from pipeline.distillation.settings import Scheduled
from tests.helpers.brute_force import BruteForce
from tests.helpers.chain_cases import random_chain, with_potentials
from tests.helpers.methods import TEACHERS, settings_of

MOMENTS = ("kbest", "structural")
TEMPERED = ("kbest", "structural", "posterior")
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


def test_every_method_with_a_teacher_has_an_oracle():
    with_teacher = {name for name in method_names() if issubclass(method_settings(name), Scheduled)}
    assert with_teacher == set(TEACHERS) == set(ORACLES)
    assert set(method_names()) - with_teacher == {"vanilla"}


@pytest.mark.parametrize("weight", WEIGHTS)
@pytest.mark.parametrize("name", TEACHERS)
@pytest.mark.parametrize("lengths", BATCHES, ids=str)
@pytest.mark.parametrize("tags", [1, 2, 4])
def test_loss_and_gradients(name, weight, lengths, tags):
    check(Case.draw(lengths, tags), name, settings_of(name), weight, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("temperature", [0.5, 2.0, 10.0])
@pytest.mark.parametrize("weight", WEIGHTS)
@pytest.mark.parametrize("name", TEMPERED)
def test_loss_and_gradients_at_a_temperature(name, weight, temperature):
    case = Case.draw(BATCHES[-1], 3)
    check(case, name, settings_of(name, temperature=temperature), weight, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("k", [1, 2, 10])
@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_kbest_with_another_k(k, temperature):
    """10 is more sequences than the shortest sentence has."""
    case = Case.draw(BATCHES[-1], 3)
    check(case, "kbest", settings_of("kbest", k=k, temperature=temperature), 0.6, rtol=1e-9, atol=1e-10)


def test_posterior_takes_tags_that_the_teacher_rules_out():
    case = Case.draw([3], 3)
    emissions, *others = case.teacher.potentials
    emissions = emissions.clone()
    emissions[0, 1, 2] = -torch.inf
    case.teacher = with_potentials(case.teacher, [emissions, *others])
    losses = case.loss("posterior", settings_of("posterior", temperature=1e-2), 1.0)
    assert losses.isfinite().all()


def test_kbest_weighs_long_sentences_with_large_scores_as_in_double_precision():
    case = Case.draw([60], 3, torch.float32)
    emissions, *others = case.teacher.potentials
    large = [emissions - 30_000.0, *others]
    teacher = with_potentials(case.teacher, large)
    exact = with_potentials(teacher, [potential.double() for potential in large])
    targets = find_method("kbest").targets
    for ours, theirs in zip(
        *(targets(chain, settings_of("kbest")) for chain in (teacher, exact)), strict=True
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-5, check_dtype=False)


@pytest.mark.parametrize("weight", WEIGHTS)
@pytest.mark.parametrize("name", TEACHERS)
def test_loss_and_gradients_in_single_precision(name, weight):
    case = Case.draw(BATCHES[-1], 4, torch.float32)
    check(case, name, settings_of(name), weight, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("weight", WEIGHTS)
@pytest.mark.parametrize("name", TEACHERS)
def test_a_batch_is_its_sentences_in_any_order_with_any_padding(name, weight):
    case, order = Case.draw([4, 1, 6, 3], 4), torch.tensor([2, 0, 3, 1])
    settings = settings_of(name)
    losses = case.loss(name, settings, weight)

    def rows(chain, which, size):
        emissions = torch.nn.functional.pad(chain.emissions[which, :size], (0, 0, 0, 3), value=float("nan"))
        return LinearChain(emissions, chain.transitions, chain.start, chain.end, chain.lengths[which])

    def taken(which, size):
        tags = torch.nn.functional.pad(case.tags[which, :size], (0, 3), value=-7)
        return Case(rows(case.student, which, size), rows(case.teacher, which, size), tags)

    shuffled = taken(order, 6).loss(name, settings, weight)
    torch.testing.assert_close(shuffled, losses[order])
    for row, length in enumerate(case.student.lengths.tolist()):
        alone = taken(torch.tensor([row]), length).loss(name, settings, weight)
        torch.testing.assert_close(alone[0], losses[row])


@pytest.mark.parametrize("name", TEACHERS)
def test_a_perfect_student_has_nothing_left_to_learn_of_the_teacher(name):
    """But of K sequences out of more, which no full distribution equals."""
    case = Case.draw(BATCHES[-1], 3)
    own = [potential.clone().requires_grad_() for potential in case.teacher.potentials]
    student = with_potentials(case.teacher, own)
    everything = {"k": 3**5} if name == "kbest" else {}
    losses = Case(student, case.teacher, case.tags).loss(name, settings_of(name, **everything), 1.0)
    for gradient in gradients(losses, student):
        torch.testing.assert_close(gradient, torch.zeros_like(gradient), rtol=0, atol=1e-9)


def half_variance(student: Potentials, teacher: Potentials, weights: Tensor) -> Tensor:
    """½ Var Δ(y), Δ the student's scores less the teacher's, for tag sequences with these weights."""
    difference = all_sequences(student).scores - all_sequences(teacher).scores
    return (weights * (difference - weights @ difference) ** 2).sum() / 2


def centred_squares(student: Potentials, teacher: Potentials) -> Tensor:
    """½ the sum over words and pairs of the mean square of their part of Δ(y), centred."""
    words, pairs, start, end = (ours - theirs for ours, theirs in zip(student, teacher, strict=True))
    words = words.clone()
    words[0] += start
    words[-1] += end
    words[1:] += pairs.mean(0)
    words[:-1] += pairs.mean(1)
    words = words - words.mean(1, keepdim=True)
    pairs = pairs - pairs.mean(0) - pairs.mean(1, keepdim=True) + pairs.mean()
    return (words.square().mean(1).sum() + (len(words) - 1) * pairs.square().mean()) / 2


def excess(case: Case, **values: Any) -> Tensor:
    """The loss of `structural` above its least value, which the teacher itself has: τ² KL."""
    settings = settings_of("structural", **values)
    own = Case(case.teacher, case.teacher, case.tags)
    return case.loss("structural", settings, 1.0) - own.loss("structural", settings, 1.0)


def test_structural_near_the_teacher_is_a_variance():
    """KL = ½ Var Δ(y) + O(Δ³), weighed by the teacher (docs/methods.md)."""
    case = Case.draw(BATCHES[-1], 3)
    near = [t + 1e-3 * s for t, s in zip(case.teacher.potentials, case.student.potentials, strict=True)]
    case = Case(with_potentials(case.teacher, near), case.teacher, case.tags)
    for row, (length, found) in enumerate(zip(BATCHES[-1], excess(case), strict=True)):
        student, teacher = sentence(case.student, row, length), sentence(case.teacher, row, length)
        likely = all_sequences(teacher).scores.softmax(0)
        torch.testing.assert_close(found, half_variance(student, teacher, likely), rtol=1e-2, atol=1e-12)


def test_structural_at_a_high_temperature_matches_centred_scores():
    """The limit weighs all sequences alike: mean squares of centred parts (docs/methods.md)."""
    case = Case.draw(BATCHES[-1], 3)
    for row, (length, found) in enumerate(zip(BATCHES[-1], excess(case, temperature=1e3), strict=True)):
        student, teacher = sentence(case.student, row, length), sentence(case.teacher, row, length)
        alike = torch.full((3**length,), 3.0**-length, dtype=torch.float64)
        expected = half_variance(student, teacher, alike)
        torch.testing.assert_close(centred_squares(student, teacher), expected)
        torch.testing.assert_close(found, expected, rtol=1e-2, atol=0)


@pytest.mark.parametrize("name", ["efficient", "efficient_emission"])
def test_matching_scores_runs_no_dynamic_program(name, programs):
    case = Case.draw(BATCHES[-1], 4)
    case.loss(name, settings_of(name), 1.0).mean().backward()
    assert programs == []
    case.loss(name, settings_of(name), 0.5).mean().backward()
    assert programs == ["sweep"]


@pytest.mark.parametrize("weight", WEIGHTS)
@pytest.mark.parametrize("name", MOMENTS)
def test_a_mixture_of_moments_runs_one_log_partition(name, weight, programs):
    case = Case.draw(BATCHES[-1], 4)
    settings, method = settings_of(name), find_method(name)
    target = method.targets(case.teacher, settings)
    gold = gold_moments(case.tags, case.student.lengths, 4, torch.float64)
    programs.clear()
    objective(method, settings, weight, student=case.student, target=target, gold=gold).mean().backward()
    assert programs == ["sweep"]


def test_the_papers_schedules_are_the_defaults():
    defaults = {name: settings_of(name) for name in TEACHERS}
    assert {name: settings.schedule for name, settings in defaults.items()} == {
        "kbest": "linear",
        "structural": "linear",
        "posterior": "linear",
        "efficient": "last_epoch",
        "efficient_emission": "last_epoch",
    }
    assert {settings.weight for settings in defaults.values()} == {1.0}
    assert defaults["kbest"].k == 3
