"""Every method's loss and gradients against all tag sequences, or all sub-structures, written out."""

import pytest
import torch

from pipeline.chain import LinearChain, gold_moments
from pipeline.distillation.objective import find_method, objective
from pipeline.distillation.registry import method_names, method_settings
from pipeline.distillation.settings import Scheduled
from tests.helpers.chain_cases import with_potentials
from tests.helpers.method_oracles import BATCHES, ORACLES, WEIGHTS, Case, check, gradients
from tests.helpers.methods import TEACHERS, settings_of

MOMENTS = ("kbest", "structural")
TEMPERED = ("kbest", "structural", "posterior")


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
