"""Cross-fitting: every training sentence is learned from the teacher that has not seen it."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from pipeline.distillation.objective import find_method
from pipeline.encoding.folds import fold_rows
from pipeline.encoding.split_file import load
from pipeline.errors import UserError
from pipeline.model.model_folder import load_model, save_model
from pipeline.model.prediction import predict
from pipeline.scores.text_scores import open_text_scores
from pipeline.training import student as module
from pipeline.training.loss import gold_loss
from pipeline.training.run import Inputs
from pipeline.training.settings import Student
from pipeline.training.student_inputs import held_out, student_inputs
from pipeline.training.teacher_folders import TeacherFolders
from tests.helpers.methods import TEACHERS, settings_of
from tests.helpers.tiny_corpus import sentences as made_up
from tests.helpers.tiny_inputs import HISTORY, SPLITS, Text, dump, same_bits, tagger, write_text_and_scores
from tests.helpers.training_cases import SETTINGS

FOLDS = 3
STUDENT = Student(layers=1, **SETTINGS.model_dump())


@pytest.fixture(scope="module")
def folders(
    bert: Path, corpus: Path, teacher: Path, tmp_path_factory: pytest.TempPathFactory
) -> TeacherFolders:
    """Three teachers with random heads, and the scores of each on its fold."""
    place = tmp_path_factory.mktemp("folds")
    encoded = load(corpus / "train.parquet")
    for fold in range(1, FOLDS + 1):
        save_model(place / f"teachers/fold/{fold}", tagger(bert, encoded, seed=fold), bert, HISTORY)
        dump(place / f"scores/1/{fold}", corpus, place / f"teachers/fold/{fold}", fold=fold, folds=FOLDS)
        shutil.rmtree(place / "scores/1/checkpoint")
    return TeacherFolders(teacher, teacher, place / "teachers", place / "scores", folds=FOLDS)


@pytest.fixture(scope="module")
def text(corpus: Path, teacher: Path, tmp_path_factory: pytest.TempPathFactory) -> Text:
    place = tmp_path_factory.mktemp("text")
    return write_text_and_scores(place, corpus, teacher, ["ba ne ri", "ne ri ba tok", "ri"])


def inputs_of(corpus: Path) -> Inputs:
    return Inputs.load(corpus, batch_size=4, precision="float32")


@pytest.mark.parametrize("name", TEACHERS)
def test_a_sentence_has_the_scores_of_its_own_folds_teacher(
    name: str, folders: TeacherFolders, corpus: Path, teacher: Path, text: Text, bert: Path
) -> None:
    settings, method = settings_of(name, schedule="constant"), find_method(name)
    folders = replace(folders, text_scores=text.scores)
    inputs, loss = student_inputs(name, settings, STUDENT, inputs_of(corpus), folders, text.encoded)
    student = tagger(bert, inputs.train.encoded, layers=1, seed=9)
    live = [load_model(folders.scoring(1, fold)).eval() for fold in range(1, FOLDS + 1)] + [
        load_model(teacher).eval()
    ]
    of_fold = [set(fold_rows(SPLITS["train"], fold, FOLDS).tolist()) for fold in range(1, FOLDS + 1)]
    seen: list[int] = []
    for ids in inputs.batches.shuffled(1):
        batch = inputs.batches.collate(ids)
        if batch.tags is None:
            assert batch.part == FOLDS
        else:
            assert set(batch.ids.tolist()) <= of_fold[batch.part]
            seen += batch.ids.tolist()
        chain = student.chain(batch)
        with torch.no_grad():
            target = method.targets(live[batch.part].chain(batch), settings)
        expected = method.loss(chain, target, settings)
        torch.testing.assert_close(loss(chain, batch, 0), expected, rtol=1e-4, atol=1e-5)
    assert sorted(seen) == list(range(SPLITS["train"]))


def test_a_method_without_a_teacher_reads_no_scores(
    folders: TeacherFolders, corpus: Path, text: Text
) -> None:
    missing = replace(folders, scores=Path("nowhere"))
    inputs, loss = student_inputs(
        "vanilla", settings_of("vanilla"), STUDENT, inputs_of(corpus), missing, text.encoded
    )
    assert loss is gold_loss
    assert inputs.batches is inputs.train


@pytest.mark.parametrize("name", TEACHERS)
def test_scores_with_pairs_of_tags_are_not_matched_by_a_softmax_student(
    name: str, folders: TeacherFolders, corpus: Path, text: Text
) -> None:
    """However the teacher came: params.yaml does not say what head a given one has."""
    softmax = STUDENT.model_copy(update={"head": "softmax"})
    given = (
        settings_of(name),
        softmax,
        inputs_of(corpus),
        replace(folders, text_scores=text.scores),
        text.encoded,
    )
    if name == "efficient":
        with pytest.raises(UserError, match=r"student.head: softmax has no transitions, which eff"):
            student_inputs(name, *given)
    else:
        student_inputs(name, *given)


def test_a_store_of_another_fold_is_refused(folders: TeacherFolders, corpus: Path, text: Text) -> None:
    settings = settings_of("structural")
    other = replace(folders, scoring_teachers=folders.scoring_teachers, folds=2)
    with pytest.raises(UserError, match=r"its split is 'train, fold 1 of 3', but 'train, fold 1 of 2'"):
        student_inputs("structural", settings, STUDENT, inputs_of(corpus), other, text.encoded)


def test_teachers_of_folds_differ(folders: TeacherFolders) -> None:
    one, other = (load_model(folders.scoring(1, fold)).state_dict() for fold in (1, 2))
    assert not same_bits(one, other)


@pytest.mark.parametrize(("sentences", "held"), [(2, 1), (19, 1), (40, 2), (100, 5)])
def test_without_labelled_sentences_the_last_of_the_text_are_development(
    corpus: Path, teacher: Path, tmp_path: Path, sentences: int, held: int
) -> None:
    """Their tags are what the teacher itself gives them, so that it agrees with itself wholly."""
    lines = [" ".join(sentence.words) for sentence in made_up(sentences, seed=4)]
    made = write_text_and_scores(tmp_path / "text", corpus, teacher, lines)
    labelled = inputs_of(corpus)
    text = open_text_scores(made.encoded, [made.scores / "1"], labelled.train, [teacher])
    assert text is not None
    inputs, rest = held_out(labelled, *text)
    (store,) = text[1]
    assert inputs.agreement
    assert (rest.sentences, inputs.dev.sentences) == (sentences - held, held)
    ids = torch.cat(list(inputs.dev.in_order()))
    assert sorted(ids.tolist()) == list(range(sentences - held, sentences))
    assert sorted(torch.cat([*rest.shuffled(1)]).tolist()) == list(range(sentences - held))
    assert [len(tags) for tags in inputs.gold] == store.lengths[-held:].tolist()
    model = load_model(teacher).eval()
    assert inputs.gold == predict(model, inputs.dev, inputs.accelerator)
    assert inputs.development_f1(model) == 100


def test_one_sentence_of_text_is_too_little(corpus: Path, teacher: Path, tmp_path: Path) -> None:
    made = write_text_and_scores(tmp_path / "text", corpus, teacher, ["ba ne ri"])
    text = open_text_scores(made.encoded, [made.scores / "1"], inputs_of(corpus).train, [teacher])
    assert text is not None
    with pytest.raises(UserError, match=r"unlabelled.files: hold one sentence"):
        held_out(inputs_of(corpus), *text)


def test_a_large_text_gives_a_thousand_sentences_to_development(
    corpus: Path, teacher: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.training.student_inputs.MOST_HELD_OUT", 3)
    made = write_text_and_scores(tmp_path / "text", corpus, teacher, ["ba ne"] * 100)
    text = open_text_scores(made.encoded, [made.scores / "1"], inputs_of(corpus).train, [teacher])
    assert text is not None
    inputs, _ = held_out(inputs_of(corpus), *text)
    assert inputs.dev.sentences == len(inputs.gold) == 3


def test_a_checkpoint_depends_on_all_that_a_student_learns_from(
    folders: TeacherFolders,
    corpus: Path,
    text: Text,
    bert: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[list[Path]] = []
    monkeypatch.setattr(
        module, "train_and_save", lambda *given, depends_on, **others: seen.append(depends_on)
    )
    monkeypatch.setattr(module, "check", lambda folder: {})
    folders = replace(folders, text_scores=text.scores)
    code = tmp_path / "code"
    module.train_student(
        STUDENT,
        "efficient",
        settings_of("efficient"),
        seed=1,
        encoded=corpus,
        folders=folders,
        code=code,
        encoder=bert,
        text=text.encoded,
        root=tmp_path,
        out=tmp_path / "out",
    )
    torch.use_deterministic_algorithms(False)
    stores = [*(folders.scores / "1" / str(fold) for fold in (1, 2, 3)), text.scores / "1"]
    assert {code, bert, text.encoded, folders.teacher, *stores} <= set(seen[0])
