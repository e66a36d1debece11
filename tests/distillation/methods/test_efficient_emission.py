"""Distillation by emissions alone: a mean square that neither transitions nor padding reach."""

import pytest
import torch

from pipeline.chain import LinearChain
from pipeline.distillation.methods import efficient, efficient_emission
from tests.helpers.chain_cases import random_chain, with_potentials
from tests.helpers.method_oracles import BATCHES, Case, check
from tests.helpers.methods import settings_of

SETTINGS = efficient_emission.Settings()


def test_the_mean_square_by_hand():
    emissions = torch.tensor([[[1.0, -1.0], [3.0, 0.0]], [[2.0, 0.0], [9.0, 9.0]]])
    zero = torch.zeros(2, 2), torch.zeros(2), torch.zeros(2)
    lengths = torch.tensor([2, 1])
    student = LinearChain(emissions, *zero, lengths)
    teacher = LinearChain(torch.zeros(2, 2, 2), *zero, lengths)
    found = efficient_emission.loss(student, teacher, SETTINGS)
    assert found.tolist() == pytest.approx([(1 + 1 + 9) / 4, 4 / 2])


@pytest.mark.parametrize("lengths", BATCHES, ids=str)
@pytest.mark.parametrize("tags", [1, 3])
def test_loss_and_gradients(lengths, tags):
    settings = settings_of("efficient_emission")
    check(Case.draw(lengths, tags), "efficient_emission", settings, 1.0, rtol=1e-9, atol=1e-10)


def test_transitions_start_and_end_neither_count_nor_learn():
    student, teacher = random_chain([4, 1], 3), random_chain([4, 1], 3, seed=1)
    found = efficient_emission.loss(student, teacher, SETTINGS)
    others = (p.detach() + 5.0 for p in teacher.potentials[1:])
    changed = with_potentials(teacher, [teacher.emissions.detach(), *others])
    assert torch.equal(efficient_emission.loss(student, changed, SETTINGS), found)
    gradients = torch.autograd.grad(found.sum(), student.potentials, allow_unused=True)
    assert [gradient is None for gradient in gradients] == [False, True, True, True]


def test_matching_emissions_runs_no_dynamic_program(programs):
    case = Case.draw(BATCHES[-1], 4)
    case.loss("efficient_emission", settings_of("efficient_emission"), 1.0).mean().backward()
    assert programs == []


def test_its_targets_and_schedule_are_those_of_efficient_but_transitions_are_not_needed():
    teacher = random_chain([2], 2)
    assert efficient_emission.targets(teacher, SETTINGS) is teacher
    assert efficient.Settings().schedule == SETTINGS.schedule == "last_epoch"
    assert not SETTINGS.matches_transitions
