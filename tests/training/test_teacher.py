"""A teacher is trained on the sentences that are its own under a name of its own, or is taken as it is."""

import json
import shutil
from contextlib import nullcontext

import pytest
import torch

from pipeline.encoding.folds import other_rows
from pipeline.errors import UserError
from pipeline.model.model_folder import load_model
from pipeline.storage.sealed_folder import check, new_folder
from pipeline.training import teacher as module
from pipeline.training.settings import Teacher
from pipeline.training.teacher import take_teacher, train_teacher
from tests.helpers.given_models import write_classifier
from tests.helpers.tiny_corpus import TAG_SET
from tests.helpers.tiny_inputs import SPLITS
from tests.helpers.training_cases import SETTINGS

WHICH = [
    ({}, "teacher", "teacher"),
    ({"number": 2}, "teacher-2", "teacher 2"),
    ({"fold": 2, "folds": 3}, "teacher-fold-2", "teacher, fold 2"),
]


def settings(**changes):
    return Teacher(encoder="x", **SETTINGS.model_copy(update={"epochs": 1}).model_dump() | changes)


@pytest.fixture
def train(bert, corpus, tmp_path):
    """Trains a teacher, one epoch; returns its folder."""
    (tmp_path / "code").write_text("1")
    with new_folder(tmp_path / "encoder") as aside:
        shutil.copytree(bert, aside, dirs_exist_ok=True)

    def call(**which):
        places = {name: tmp_path / name for name in ("encoder", "code", "out")}
        train_teacher(settings(seed=7), encoded=corpus, root=tmp_path, **which, **places)
        return tmp_path / "out"

    yield call
    torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize(("which", "name"), [(which, name) for which, name, _ in WHICH])
def test_each_teacher_has_a_folder_of_figures(train, tmp_path, monkeypatch, which, name):
    seen = []

    def record(folder, **options):
        seen.append(folder.relative_to(tmp_path).as_posix())
        return nullcontext()

    monkeypatch.setattr("pipeline.training.run.live_metrics", record)
    train(**which)
    assert seen == [f"live/{name}"]


@pytest.mark.parametrize(("which", "name", "label"), WHICH)
def test_a_teacher_learns_from_the_other_folds_with_a_seed_of_its_own(train, monkeypatch, which, name, label):
    seen = []
    monkeypatch.setattr(module, "train_and_save", lambda *given, **others: seen.append(given))
    train(**which)
    ((_, inputs, loss, used, run),) = seen
    fold, folds = which.get("fold", 1), which.get("folds", 1)
    rows = range(SPLITS["train"]) if folds == 1 else other_rows(SPLITS["train"], fold, folds).tolist()
    assert sorted(torch.cat([*inputs.train.in_order()]).tolist()) == [*rows]
    assert (run.method, run.name, run.label, loss) == ("teacher", name, label, module.gold_loss)
    assert used.seed == run.seed == 7 + which.get("number", 1) - 1
    assert run.settings == ({} if folds == 1 else {"fold": fold, "folds": folds})


def test_the_folder_holds_a_tagger_of_the_corpus_and_says_how_it_was_made(train):
    out = train(number=2)
    made = json.loads((out / "history.json").read_text())["made"]
    assert (made["method"], made["seed"], made["settings"]) == ("teacher", 8, {})
    assert "encoder" not in made["training"]
    model = load_model(out)
    assert model.tag_set == TAG_SET
    assert model.config.head == "crf"


@pytest.mark.parametrize("given", [None, "iob2"])
def test_a_model_is_taken_with_the_tags_of_the_corpus(bert, corpus, tmp_path, given):
    with new_folder(tmp_path / "model") as aside:
        stock = write_classifier(tmp_path / "stock", bert, TAG_SET.tags[::-1])
        shutil.copytree(stock, aside, dirs_exist_ok=True)
    said = take_teacher(
        settings(scheme=given), encoded=corpus, encoder=tmp_path / "model", out=tmp_path / "out"
    )
    line = "teacher: not trained here; its 5 labels are in iob2"
    advice = ", by their names; set teacher.scheme if they are in another"
    assert said == (line if given else line + advice)
    assert load_model(tmp_path / "out").config.labels == TAG_SET.tags
    history = json.loads((tmp_path / "out" / "history.json").read_text())
    assert history["epochs"] == []
    assert history["made"] == {"method": "teacher", "settings": {"types": {}, "scheme": "iob2"}}


def test_a_damaged_model_is_neither_taken_nor_trained(train, corpus, tmp_path):
    (tmp_path / "encoder" / "config.json").write_text("{}")
    for call in (
        train,
        lambda: take_teacher(settings(), encoded=corpus, encoder=tmp_path / "encoder", out=tmp_path / "out"),
    ):
        with pytest.raises(UserError, match=r"encoder/config\.json: damaged"):
            call()
    assert not (tmp_path / "out").exists()


def test_a_teacher_is_not_taken_for_a_corpus_with_other_tags(bert, corpus, tmp_path):
    with new_folder(tmp_path / "model") as aside:
        shutil.copytree(write_classifier(tmp_path / "stock", bert, ["O", "B-X"]), aside, dirs_exist_ok=True)
    with pytest.raises(UserError, match=r"teacher\.types"):
        take_teacher(settings(), encoded=corpus, encoder=tmp_path / "model", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert check(corpus)
