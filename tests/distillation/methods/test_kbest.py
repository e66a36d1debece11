"""K-best distillation with other K, and with large scores."""

import pytest
import torch

from pipeline.distillation.objective import find_method
from tests.helpers.chain_cases import with_potentials
from tests.helpers.method_oracles import BATCHES, Case, check
from tests.helpers.methods import settings_of


@pytest.mark.parametrize("k", [1, 2, 10])
@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_kbest_with_another_k(k, temperature):
    """10 is more sequences than the shortest sentence has."""
    case = Case.draw(BATCHES[-1], 3)
    check(case, "kbest", settings_of("kbest", k=k, temperature=temperature), 0.6, rtol=1e-9, atol=1e-10)


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
