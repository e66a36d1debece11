"""Efficient distillation: the mean over sub-structures counted by hand, and no dynamic program."""

import pytest
import torch

from pipeline.chain import LinearChain
from pipeline.distillation.methods import efficient
from tests.helpers.chain_cases import random_chain, with_potentials
from tests.helpers.method_oracles import BATCHES, Case, check
from tests.helpers.methods import settings_of


def chain(emissions, transitions, start, end, lengths):
    e, t, b, d, words = map(torch.tensor, (emissions, transitions, start, end, lengths))
    return LinearChain(e, t, b, d, words)


def nothing(size, tags):
    """A chain of one sentence whose scores are all 0."""
    shapes = ((1, size, tags), (tags, tags), (tags,), (tags,))
    e, t, b, d = map(torch.zeros, shapes)
    return LinearChain(e, t, b, d, torch.tensor([size]))


def test_two_words_by_hand():
    """Δ: 2 starts 1 + 1 and 0, 4 pairs T + e of 0 + 2, 3 + 0, 0 + 2, 0 + 0, and 2 ends 0 and -1."""
    student = chain([[[1.0, 0.0], [2.0, 0.0]]], [[0.0, 3.0], [0.0, 0.0]], [1.0, 0.0], [0.0, -1.0], [2])
    teacher = nothing(2, 2)
    found = efficient.loss(student, teacher, efficient.Settings())
    assert found.tolist() == pytest.approx([(4 + 0 + 4 + 9 + 4 + 0 + 0 + 1) / 8])


def test_a_sentence_of_one_word_has_no_pairs_and_one_of_one_tag_has_one_of_each():
    student = chain([[[1.0, 3.0]]], [[7.0] * 2] * 2, [1.0, 0.0], [0.0, 2.0], [1])
    found = efficient.loss(student, nothing(1, 2), efficient.Settings())
    assert found.tolist() == pytest.approx([(4 + 9 + 0 + 4) / 4])  # whatever the transitions are
    alone = chain([[[1.0], [2.0], [4.0]]], [[1.0]], [0.0], [-2.0], [3])
    found = efficient.loss(alone, nothing(3, 1), efficient.Settings())
    assert found.tolist() == pytest.approx([(1 + 9 + 25 + 4) / 4])


@pytest.mark.parametrize("lengths", BATCHES, ids=str)
def test_loss_and_gradients_of_every_sub_structure(lengths):
    check(Case.draw(lengths, 3), "efficient", settings_of("efficient"), 1.0, rtol=1e-9, atol=1e-10)


def test_only_a_student_with_the_teachers_own_scores_has_no_loss():
    """One shifted by a constant has the same distribution, and yet another score of each sub-structure."""
    teacher = random_chain([4, 1], 3, padding=0.0)
    emissions, *others = (potential.detach() for potential in teacher.potentials)
    same, shifted = (with_potentials(teacher, [e, *others]) for e in (emissions, emissions + 2.0))
    settings = efficient.Settings()
    assert efficient.loss(same, efficient.targets(teacher, settings), settings).tolist() == [0.0, 0.0]
    assert (efficient.loss(shifted, teacher, settings) > 1.0).all()


def test_matching_scores_runs_no_dynamic_program(programs):
    case = Case.draw(BATCHES[-1], 4)
    case.loss("efficient", settings_of("efficient"), 1.0).mean().backward()
    assert programs == []
    case.loss("efficient", settings_of("efficient"), 0.5).mean().backward()
    assert programs == ["sweep"]  # that of the gold tags


def test_settings_are_the_papers_and_need_transitions():
    assert (efficient.Settings().schedule, efficient.Settings().weight) == ("last_epoch", 1.0)
    assert efficient.Settings.matches_transitions
