"""Labelled and unlabelled sentences in one run: each once, in batches of their own kind, to the bit."""

import os
import signal
from dataclasses import replace
from itertools import islice

import pytest
import torch

from pipeline.device import accelerator
from pipeline.encoding.batching import Batches
from pipeline.encoding.encoded import Encoded
from pipeline.encoding.mixed_batches import LabelledShareBatches, MixedBatches
from pipeline.encoding.split_file import load
from pipeline.errors import Interrupted, UserError
from pipeline.model.chain_tagger import ChainTagger
from pipeline.model.model_folder import load_model, save_model
from pipeline.scores.store import ScoreStore
from pipeline.scores.text_scores import open_text_scores
from pipeline.storage.checkpoint import Checkpoint
from pipeline.storage.sealed_folder import new_folder
from pipeline.training.loop import reproducible, train
from pipeline.training.loss import gold_loss
from pipeline.training.run import Inputs
from pipeline.training.settings import Student
from pipeline.training.student_inputs import TeacherFolders, student_inputs
from tests.helpers.methods import TEACHERS, settings_of
from tests.helpers.tiny_corpus import sentences
from tests.helpers.tiny_inputs import HISTORY, SPLITS, Text, dump, same_bits, tagger, write_text_and_scores
from tests.helpers.training_cases import SETTINGS

TEXT = [" ".join(sentence.words) for sentence in sentences(40, seed=77)]
STUDENT = Student(layers=1, **SETTINGS.model_dump())
EPOCHS = SETTINGS.epochs or 0


@pytest.fixture(scope="module")
def scores(corpus, teacher, tmp_path_factory):
    """The folder with the store of the training split."""
    folder = tmp_path_factory.mktemp("store") / "scores"
    dump(folder / "1" / "1", corpus, teacher)
    return folder


@pytest.fixture(scope="module")
def text(corpus, teacher, tmp_path_factory):
    """The folders of the text and of its store."""
    return write_text_and_scores(tmp_path_factory.mktemp("text"), corpus, teacher, TEXT)


@pytest.fixture
def mixed(corpus, teacher, text):
    labelled = Batches(load(corpus / "train.parquet"), SETTINGS.batch_size)
    opened = open_text_scores(text.encoded, [text.scores / "1"], labelled, [teacher])
    assert opened is not None
    return MixedBatches([labelled, opened[0]])


@pytest.fixture(autouse=True)
def deterministic():
    yield
    torch.use_deterministic_algorithms(False)


def test_every_sentence_comes_once_in_a_batch_of_its_kind(mixed):
    for seed in range(5):
        epoch = mixed.shuffled(seed)
        assert len(epoch) == len(mixed)
        assert sorted(torch.cat([*epoch]).tolist()) == list(range(SPLITS["train"] + len(TEXT)))
        kinds = [bool((ids >= SPLITS["train"]).any()) for ids in epoch]
        assert kinds == [bool((ids >= SPLITS["train"]).all()) for ids in epoch]
        assert kinds != sorted(kinds), "not shuffled together"


def test_the_order_follows_from_the_seed(mixed):
    once, again, other = ([ids.tolist() for ids in mixed.shuffled(seed)] for seed in (1, 1, 2))
    assert once == again != other


def test_a_batch_holds_the_words_of_its_own_split(mixed, corpus, text):
    """Every piece as it stands in the file that the id points into."""
    splits = (load(corpus / "train.parquet"), load(text.encoded / "text.parquet"))
    for ids in mixed.shuffled(0):
        batch = mixed.collate(ids)
        split = splits[batch.tags is None]
        assert batch.ids.tolist() == [i - (batch.tags is None) * SPLITS["train"] for i in ids.tolist()]
        for place, row in enumerate(batch.ids.tolist()):
            pieces = split.pieces.take(torch.tensor([row])).values
            inside = batch.input_ids[place][batch.attention_mask[place].bool()]
            assert inside[1:-1].tolist() == pieces.tolist()


def test_a_batch_of_two_sets_is_refused(mixed):
    with pytest.raises(ValueError, match="two parts"):
        mixed.collate(torch.tensor([SPLITS["train"] - 1, SPLITS["train"]]))


@pytest.mark.parametrize("share", [0.0, 0.1, 0.29, 0.5, 0.9, 1.0])
def test_a_stream_has_the_stated_share_of_labelled_batches(share, mixed):
    """Evenly from the first step on, and each kind in the order of its own passes."""
    shared = LabelledShareBatches(mixed.parts, share)
    batches = list(islice(shared.stream(5, 0), 200))
    labelled = [bool((ids < SPLITS["train"]).all()) for ids in batches]
    assert [bool((ids < SPLITS["train"]).any()) for ids in batches] == labelled
    for steps in range(1, 201):
        assert sum(labelled[:steps]) == steps * round(100 * share) // 100
    own = [ids.tolist() for ids, mine in zip(batches, labelled, strict=True) if mine]
    text = [(ids - SPLITS["train"]).tolist() for ids, mine in zip(batches, labelled, strict=True) if not mine]
    assert own == [ids.tolist() for ids in islice(MixedBatches(mixed.parts[:1]).stream(5, 0), len(own))]
    assert text == [ids.tolist() for ids in islice(mixed.parts[1].stream(5, 0), len(text))]
    for start in (1, 17, 100):
        again = islice(shared.stream(5, start), 200 - start)
        assert all(torch.equal(one, other) for one, other in zip(again, batches[start:], strict=True))


class Run:
    """A student's run on both, as the stage makes it."""

    def __init__(self, name, corpus, teacher, scores, text, place, encoder, student=STUDENT):
        self.settings, self.plan = settings_of(name), student
        inputs = Inputs.load(corpus, batch_size=student.batch_size, precision="float32")
        self.inputs, self.loss = student_inputs(
            name,
            self.settings,
            student,
            inputs,
            TeacherFolders(teacher, teacher, place, scores, text.scores),
            text.encoded,
        )
        self.checkpoint, self.encoder = Checkpoint(place / "checkpoint"), encoder

    def student(self):
        reproducible(1)
        return ChainTagger.from_encoder(self.encoder, self.inputs.train.encoded, layers=1)

    def train(self, loss=None):
        student = self.student()
        history = train(
            student,
            self.inputs.batches,
            loss or self.loss,
            self.plan,
            seed=1,
            development=lambda: float(student.emission.weight.detach().abs().mean() * 100),
            accelerator=accelerator("float32"),
            checkpoint=self.checkpoint,
            label="test",
        )
        return student, history


@pytest.fixture
def run(corpus, teacher, scores, text, tmp_path, bert):
    return lambda name, text=text, **plan: Run(
        name, corpus, teacher, scores, text, tmp_path, bert, STUDENT.model_copy(update=plan)
    )


@pytest.mark.parametrize("name", TEACHERS)
def test_a_run_goes_through_both_and_the_mean_counts_all(name, run):
    """Seen from outside: which sentences came, and what the losses of each add up to."""
    case = run(name)
    seen: dict[bool, list[int]] = {True: [], False: []}
    total = 0.0

    def watched(chain, batch, step):
        nonlocal total
        losses = case.loss(chain, batch, step)
        seen[batch.tags is None] += batch.ids.tolist()
        total += float(losses.detach().sum())
        return losses

    _, history = case.train(watched)
    assert sorted(seen[False]) == sorted([*range(SPLITS["train"])] * EPOCHS)
    assert sorted(seen[True]) == sorted([*range(len(TEXT))] * EPOCHS)
    mean = sum(epoch.loss for epoch in history.epochs) / EPOCHS
    assert mean == pytest.approx(total / EPOCHS / (SPLITS["train"] + len(TEXT)))


def test_the_schedule_runs_over_the_steps_of_both(run, scores, corpus, teacher):
    """λ = 1/2 in the middle of all steps: by hand, from the two terms."""
    case = run("structural")
    steps = STUDENT.length(len(case.inputs.batches)).steps
    labelled = case.inputs.train
    batch = labelled.collate(next(labelled.in_order()))
    chain = case.student().eval().chain(batch)
    first, middle, last = (case.loss(chain, batch, step) for step in (0, (steps - 1) // 2, steps - 1))
    share = 1 - ((steps - 1) // 2) / (steps - 1)
    assert 0.4 < share < 0.6
    torch.testing.assert_close(last, gold_loss(chain, batch, 0))
    torch.testing.assert_close(middle, share * first + (1 - share) * last, rtol=1e-4, atol=1e-4)


def test_vanilla_goes_through_the_labelled_alone(run):
    case = run("vanilla")
    assert case.inputs.parts == ()
    assert case.inputs.batches is case.inputs.train
    assert case.loss is gold_loss


def test_without_text_a_run_is_what_it_was(run, tmp_path):
    with new_folder(tmp_path / "empty"):
        pass
    case = run("structural", Text(tmp_path / "empty", tmp_path / "empty"))
    assert case.inputs.batches is case.inputs.train


STEPS = {"epochs": None, "steps": 23, "evaluate_every": 10, "labelled_share": 0.3}


def test_a_run_of_steps_is_evaluated_every_so_many_and_at_its_end(run):
    case = run("structural", **STEPS)
    seen = []

    def watched(chain, batch, step):
        seen.append((batch.tags is None, len(batch.ids)))
        assert step == len(seen) - 1
        losses = case.loss(chain, batch, step)
        return 0 * losses + len(seen)

    _, history = case.train(watched)
    assert len(seen) == 23
    assert [is_text for is_text, _ in seen].count(False) == 6
    assert [epoch.epoch for epoch in history.epochs] == [1, 2, 3]
    for epoch, stretch in zip(history.epochs, (range(10), range(10, 20), range(20, 23)), strict=True):
        sizes = [seen[step][1] for step in stretch]
        mean = sum((step + 1) * size for step, size in zip(stretch, sizes, strict=True)) / sum(sizes)
        assert epoch.loss == pytest.approx(mean)


def test_without_text_a_run_of_steps_goes_through_the_labelled(run, tmp_path):
    with new_folder(tmp_path / "empty"):
        pass
    case = run("structural", Text(tmp_path / "empty", tmp_path / "empty"), **STEPS)
    assert case.inputs.batches is case.inputs.train
    assert len(case.train()[1].epochs) == 3


@pytest.mark.parametrize(
    ("name", "plan"),
    [
        ("structural", {}),
        pytest.param("structural", STEPS, marks=pytest.mark.thorough),
        pytest.param("efficient", {}, marks=pytest.mark.thorough),
        pytest.param("efficient", STEPS, marks=pytest.mark.thorough),
    ],
)
def test_a_run_on_both_stopped_in_any_step_goes_on_to_the_same_bits(name, plan, run, monkeypatch):
    monkeypatch.setattr("pipeline.training.loop.CHECKPOINT_SECONDS", 0)
    monkeypatch.setattr("pipeline.storage.commit._sync", lambda path: None)
    case = run(name, **plan)
    whole, history = case.train()
    case.checkpoint.remove()

    def signalled(chain, batch, step):
        os.kill(os.getpid(), signal.SIGTERM)
        return case.loss(chain, batch, step)

    for _ in range(case.plan.length(len(case.inputs.batches)).steps):
        with pytest.raises(Interrupted):
            case.train(signalled)
    model, again = case.train(signalled)
    assert same_bits(model.state_dict(), whole.state_dict())
    assert again == history


def test_a_loss_that_is_no_number_says_of_which_split_the_sentences_are(run):
    case = run("structural")

    def broken(chain, batch, step):
        losses = case.loss(chain, batch, step)
        return losses * float("nan") if batch.tags is None else losses

    with pytest.raises(UserError, match=r"for the unlabelled sentences \["):
        case.train(broken)


def test_ids_of_one_store_never_reach_the_other(run, scores, text, monkeypatch):
    """A store that is asked for a sentence it lacks would fail; one that has it would be wrong unnoticed."""
    asked: list[tuple[str, list[int]]] = []
    original = ScoreStore.batch

    def batch(store, ids):
        asked.append((store.origin.split, ids.tolist()))
        return original(store, ids)

    monkeypatch.setattr(ScoreStore, "batch", batch)
    case = run("efficient")  # which reads the store in every step
    asked.clear()
    wanted = []
    student = case.student().eval()
    for ids in case.inputs.batches.shuffled(4):
        laid_out = case.inputs.batches.collate(ids)
        case.loss(student.chain(laid_out), laid_out, 0)
        wanted.append(("text" if bool((ids >= SPLITS["train"]).all()) else "train", laid_out.ids.tolist()))
    assert asked == wanted


def test_a_text_of_another_vocabulary_or_teacher_is_refused(corpus, teacher, text, tmp_path, bert):
    split = load(corpus / "train.parquet")
    other: Encoded = replace(split, layout=replace(split.layout, window=16))
    with pytest.raises(
        UserError, match=r"text\.parquet: was made for another corpus or encoder; run `dvc repro"
    ):
        open_text_scores(text.encoded, [text.scores / "1"], Batches(other, 4), [teacher])
    save_model(tmp_path / "teacher", tagger(bert, split, seed=9), bert, HISTORY)
    with pytest.raises(UserError, match="its teacher is '"):
        open_text_scores(text.encoded, [text.scores / "1"], Batches(split, 4), [tmp_path / "teacher"])


def test_damage_of_either_part_is_refused_by_name(corpus, teacher, tmp_path):
    text = write_text_and_scores(tmp_path, corpus, teacher, TEXT[:5])
    labelled = Batches(load(corpus / "train.parquet"), 4)
    for file in sorted(path for path in tmp_path.rglob("*") if path.is_file()):
        whole = file.read_bytes()
        file.write_bytes(whole[:-3] + bytes([whole[-3] ^ 1]) + whole[-2:])
        with pytest.raises(UserError, match=str(file)):
            open_text_scores(text.encoded, [text.scores / "1"], labelled, [teacher])
        file.write_bytes(whole)


def test_the_scores_are_the_live_teachers(corpus, teacher, text):
    labelled = Batches(load(corpus / "train.parquet"), 4)
    opened = open_text_scores(text.encoded, [text.scores / "1"], labelled, [teacher])
    assert opened is not None
    batches, (store,) = opened
    model = load_model(teacher).eval()
    assert batches.encoded.tags is None
    assert store.sentences == len(TEXT)
    for row in range(len(TEXT)):
        ids = torch.tensor([row])
        with torch.inference_mode():
            alone = model.chain(batches.collate(ids)).emissions
        torch.testing.assert_close(store.batch(ids)[0], alone, rtol=1e-4, atol=1e-5)
