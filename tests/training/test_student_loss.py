"""A student learns from the stored scores what it would learn from the live teacher."""

from dataclasses import replace

import pytest
import torch

from pipeline.distillation.objective import find_method, objective
from pipeline.encoding.split_file import load
from pipeline.errors import UserError
from pipeline.model.model_folder import load_model
from pipeline.scores.text_scores import open_text_scores
from pipeline.training import targets as tabulation
from pipeline.training.loss import gold_loss, gold_of
from pipeline.training.run_length import RunLength
from pipeline.training.student_loss import student_loss
from pipeline.training.targets import PartScores
from tests.helpers.methods import TEACHERS, settings_of
from tests.helpers.tiny_corpus import sentences
from tests.helpers.tiny_inputs import dump, tagger, train_batches, write_text_and_scores

STEPS = 8
LENGTH = RunLength(STEPS, STEPS // 2)


@pytest.fixture(scope="module")
def store(corpus, teacher, tmp_path_factory):
    """The teacher's scores of the training split, written by the dump and read back."""
    return dump(tmp_path_factory.mktemp("store") / "scores", corpus, teacher, shard_sentences=10)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    """Targets of more than one chunk."""
    monkeypatch.setattr(tabulation, "_CHUNK", 7)


@pytest.fixture
def student(bert, corpus):
    return tagger(bert, load(corpus / "train.parquet"), layers=1, seed=5)


def gradients(model, losses):
    """Of the batch's loss by all weights, None where there is none."""
    return torch.autograd.grad(losses.mean(), list(model.parameters()), retain_graph=True, allow_unused=True)


@pytest.mark.parametrize("weight", [1.0, 0.4])
@pytest.mark.parametrize("name", TEACHERS)
def test_losses_from_the_store_are_those_from_the_live_teacher(name, weight, corpus, teacher, store, student):
    settings = settings_of(name, schedule="constant", weight=weight)
    stored, method = (
        student_loss(name, settings, [PartScores((store,))], LENGTH),
        find_method(name),
    )
    live_teacher, batches = load_model(teacher).eval(), train_batches(corpus, batch_size=5)
    for ids in batches.shuffled(3):
        batch = batches.collate(ids)
        chain = student.chain(batch)
        with torch.no_grad():
            target = method.targets(live_teacher.chain(batch), settings)
        gold = gold_of(batch, chain.num_tags)
        live = objective(method, settings, weight, student=chain, target=target, gold=gold)
        found = stored(chain, batch, 0)

        torch.testing.assert_close(found, live, rtol=1e-5, atol=1e-5)
        for one, other in zip(gradients(student, found), gradients(student, live), strict=True):
            if one is not None or other is not None:  # the CRF's, where emissions alone are matched
                torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", TEACHERS)
def test_lambda_follows_the_schedule_step_by_step(name, corpus, store, student):
    """Linear over 8 steps: the teacher alone, 4/7 of it at the fourth, gold alone at the last."""
    batches = train_batches(corpus)
    batch = batches.collate(next(batches.in_order()))
    chain = student.chain(batch)
    settings = settings_of(name, schedule="linear")
    loss = student_loss(name, settings, [PartScores((store,))], LENGTH)
    first, fourth, last = (loss(chain, batch, step) for step in (0, 3, STEPS - 1))
    gold = gold_loss(chain, batch, 0)

    torch.testing.assert_close(last, gold)
    torch.testing.assert_close(fourth, first * 4 / 7 + gold * 3 / 7, rtol=1e-5, atol=1e-5)
    assert not torch.allclose(first, gold)


def test_gold_alone_teaches_in_the_last_epoch_though_it_is_a_short_one(corpus, store, student):
    """Of 10 steps in epochs of 4 the last two."""
    batches = train_batches(corpus)
    batch = batches.collate(next(batches.in_order()))
    chain = student.chain(batch)
    loss = student_loss(
        "efficient", settings_of("efficient", schedule="last_epoch"), [PartScores((store,))], RunLength(10, 4)
    )
    gold = gold_loss(chain, batch, 0)
    assert [torch.equal(loss(chain, batch, step), gold) for step in range(10)] == [False] * 8 + [True] * 2


def test_vanilla_reads_no_teacher(student):
    settings = settings_of("vanilla")
    assert student_loss("vanilla", settings, [], LENGTH) is gold_loss


@pytest.mark.parametrize(
    ("name", "in_a_step"),
    [
        ("kbest", ["sweep"]),
        ("structural", ["sweep"]),
        ("posterior", ["sweep", "pull_back"]),
        ("efficient", []),
        ("efficient_emission", []),
    ],
)
def test_the_teachers_programs_run_once_and_none_in_a_step(name, in_a_step, corpus, store, student, programs):
    settings = settings_of(name, schedule="constant")
    loss = student_loss(name, settings, [PartScores((store,))], LENGTH)
    chunks = -(-store.sentences // 7)
    once = {"kbest": "kbest", "structural": "sweep", "posterior": "sweep"}
    assert programs == [once[name]] * chunks if name in once else programs == []
    programs.clear()

    batches = train_batches(corpus)
    batch = batches.collate(next(batches.in_order()))
    loss(student.chain(batch), batch, 0).mean().backward()
    assert programs == in_a_step


@pytest.fixture(scope="module")
def text(corpus, teacher, tmp_path_factory):
    """Unlabelled batches and their store: more sentences than the training split, so other ones by id."""
    lines = [" ".join(sentence.words) for sentence in sentences(40, seed=77)]
    folder = write_text_and_scores(tmp_path_factory.mktemp("text"), corpus, teacher, lines)
    opened = open_text_scores(folder.encoded, [folder.scores / "1"], train_batches(corpus), [teacher])
    assert opened is not None
    batches, (store,) = opened
    return batches, store


@pytest.mark.parametrize("schedule", ["constant", "linear", "last_epoch"])
@pytest.mark.parametrize("name", TEACHERS)
def test_without_tags_the_live_teacher_alone_is_the_loss(
    name, schedule, corpus, teacher, store, text, student
):
    """At the last step too, where λ of labelled sentences is 0 but for a constant one."""
    batches, scores = text
    settings = settings_of(name, schedule=schedule, weight=0.4)
    loss = student_loss(name, settings, [PartScores((store,)), PartScores((scores,))], LENGTH)
    method, live_teacher = find_method(name), load_model(teacher).eval()
    for ids in batches.shuffled(3):
        batch = replace(batches.collate(ids), part=1)
        chain = student.chain(batch)
        with torch.no_grad():
            target = method.targets(live_teacher.chain(batch), settings)
        for step in (0, STEPS - 1):
            live = method.loss(chain, target, settings)
            torch.testing.assert_close(loss(chain, batch, step), live, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", TEACHERS)
def test_unlabelled_text_changes_no_labelled_sentences_loss(name, corpus, store, text, student):
    settings = settings_of(name)
    alone = student_loss(name, settings, [PartScores((store,))], LENGTH)
    both = student_loss(name, settings, [PartScores((store,)), PartScores((text[1],))], LENGTH)
    batches = train_batches(corpus)
    for step, ids in enumerate(batches.shuffled(1)):
        batch = batches.collate(ids)
        chain = student.chain(batch)
        assert torch.equal(both(chain, batch, step), alone(chain, batch, step))


def test_a_split_without_tags_and_scores_is_refused_where_gold_is_asked_for(store, text, student):
    batch = text[0].collate(torch.arange(4))
    loss = student_loss("vanilla", settings_of("vanilla"), [], LENGTH)
    with pytest.raises(UserError, match=r"has no gold tags.*schedule: constant and weight: 1\.0"):
        loss(student.chain(batch), batch, 5)
