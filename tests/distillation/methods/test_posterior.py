"""Posterior distillation where the teacher rules tags out."""

import torch

from tests.helpers.chain_cases import with_potentials
from tests.helpers.method_oracles import Case
from tests.helpers.methods import settings_of


def test_posterior_takes_tags_that_the_teacher_rules_out():
    case = Case.draw([3], 3)
    emissions, *others = case.teacher.potentials
    emissions = emissions.clone()
    emissions[0, 1, 2] = -torch.inf
    case.teacher = with_potentials(case.teacher, [emissions, *others])
    losses = case.loss("posterior", settings_of("posterior", temperature=1e-2), 1.0)
    assert losses.isfinite().all()
