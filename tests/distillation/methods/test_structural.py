"""Structural distillation near the teacher, and at a high temperature (docs/methods.md)."""

from typing import Any

import torch
from torch import Tensor

from tests.helpers.chain_cases import with_potentials
from tests.helpers.method_oracles import BATCHES, Case, Potentials, all_sequences, sentence
from tests.helpers.methods import settings_of


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
