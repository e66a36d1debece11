"""A stage's training run: from a checkpoint if it is its own, to a finished folder."""

import json
import os
import signal
from dataclasses import replace

import pytest
import torch
from accelerate.state import AcceleratorState

from pipeline.corpora.tagging import Sentence
from pipeline.encoding.split_file import read_column
from pipeline.errors import Interrupted, UserError
from pipeline.evaluation.metrics import AGREEMENT
from pipeline.model.chain_tagger import ChainTagger
from pipeline.model.model_folder import load_model
from pipeline.model.prediction import predict
from pipeline.params import load_params
from pipeline.storage.sealed_folder import identity, new_folder
from pipeline.training.loop import reproducible
from pipeline.training.loss import gold_loss
from pipeline.training.run import Inputs, Run, train_and_save
from pipeline.training.run_length import RunLength
from pipeline.training.settings import Training
from tests.helpers.params_cases import ROOT
from tests.helpers.tiny_inputs import same_bits, write_corpus, write_split
from tests.helpers.training_cases import SETTINGS

STUDENT = load_params(ROOT / "params.yaml").student.model_copy(update=SETTINGS.model_dump())


@pytest.fixture
def stage(bert, corpus, tmp_path):
    """Runs a stage with some facts changed; returns the folder that it wrote."""

    def run(
        out,
        loss=gold_loss,
        *,
        seed=1,
        split=0,
        code="1",
        weights="2",
        method="gold",
        k=3,
        **settings,
    ):
        """Code and weights stand for a file and a sealed folder that the run depends on."""
        (tmp_path / "code").write_text(code)
        with new_folder(tmp_path / "weights") as aside:
            (aside / "weights").write_text(weights)
        encoded = write_corpus(tmp_path / "encoded", bert, seed=split) if split else corpus
        changed = (STUDENT if "patience" in settings else SETTINGS).model_copy(update=settings)
        inputs = Inputs.load(encoded, batch_size=changed.batch_size, precision=changed.precision)
        reproducible(seed)
        train_and_save(
            ChainTagger.from_encoder(bert, inputs.train.encoded, layers=1),
            inputs,
            loss,
            changed,
            Run(method, {"k": k}, seed, name=f"{method}-{seed}", label=f"{method}, seed {seed}"),
            depends_on=[tmp_path / "code", tmp_path / "weights"],
            tokenizer=bert,
            root=tmp_path,
            out=tmp_path / out,
        )
        return tmp_path / out

    yield run
    torch.use_deterministic_algorithms(False)


@pytest.fixture(autouse=True)
def any_precision():
    """A process has one precision, which accelerate remembers; a test may ask for another."""
    yield
    AcceleratorState._reset_state(reset_partial_state=True)


def stops(chain, batch, step):
    if step == 3:
        os.kill(os.getpid(), signal.SIGTERM)
    return gold_loss(chain, batch, step)


def test_the_folder_says_how_it_was_made(stage):
    history = json.loads((stage("student", seed=7, epochs=1) / "history.json").read_text())
    training = SETTINGS.model_copy(update={"epochs": 1}).model_dump(mode="json")
    assert history["made"] == {"method": "gold", "settings": {"k": 3}, "seed": 7, "training": training}


def test_development_without_spans_keeps_the_last_epoch_and_says_so(stage, monkeypatch, caplog):
    monkeypatch.setattr(Inputs, "has_development_spans", False)
    monkeypatch.setattr(Inputs, "development_f1", lambda inputs, model: 0.0)
    history = json.loads((stage("student", epochs=3, keep="best") / "history.json").read_text())
    assert history["kept"] == 3
    assert [record.getMessage() for record in caplog.records if "every tag of the development" in record.msg]


def test_development_without_spans_ends_no_run(stage, monkeypatch):
    monkeypatch.setattr(Inputs, "has_development_spans", False)
    monkeypatch.setattr(Inputs, "development_f1", lambda inputs, model: 0.0)
    history = json.loads((stage("student", epochs=5, keep="last", patience=1) / "history.json").read_text())
    assert (history["kept"], history["made"]["training"]["patience"]) == (5, None)


@pytest.mark.parametrize("settings", [{"epochs": 4}, {"epochs": 4, "keep": "last", "weight_decay": 0.5}])
def test_pieces_that_never_occur_end_as_if_they_had_been_trained_too(stage, monkeypatch, settings):
    some = load_model(stage("some", learning_rate=1e-2, **settings)).state_dict()
    monkeypatch.setattr("pipeline.training.run.train_used_pieces", lambda encoder, pieces: lambda share: None)
    whole = load_model(stage("whole", learning_rate=1e-2, **settings)).state_dict()
    torch.testing.assert_close(some, whole, rtol=1e-5, atol=1e-6)


def test_pieces_that_never_occur_are_not_shrunk_by_steps_behind_the_last(stage, monkeypatch):
    """Of 5 steps in epochs of 4 the second is an epoch of one."""
    monkeypatch.setattr(Training, "length", lambda settings, batches: RunLength(5, 4))
    settings = {"learning_rate": 1e-2, "keep": "last", "weight_decay": 0.5}
    some = load_model(stage("some", **settings)).state_dict()
    monkeypatch.setattr("pipeline.training.run.train_used_pieces", lambda encoder, pieces: lambda share: None)
    torch.testing.assert_close(
        some, load_model(stage("whole", **settings)).state_dict(), rtol=1e-5, atol=1e-6
    )


def test_the_folder_says_that_development_has_the_teachers_tags(stage, monkeypatch):
    loaded = Inputs.load
    monkeypatch.setattr(
        Inputs, "load", lambda *given, **named: replace(loaded(*given, **named), agreement=True)
    )
    history = json.loads((stage("student", epochs=1) / "history.json").read_text())
    assert history["made"]["development"] == AGREEMENT


def test_a_run_reads_the_pieces_of_training_and_development_and_the_special_ones(corpus):
    inputs = Inputs.load(corpus, batch_size=3, precision="float32")
    read = [of.collate(ids).input_ids for of in (inputs.train, inputs.dev) for ids in of.in_order()]
    pieces = inputs.pieces()
    assert torch.isin(torch.cat([ids.flatten() for ids in read]), pieces).all()
    assert set(pieces.tolist()) - {piece for ids in read for piece in ids.flatten().tolist()} <= {
        inputs.train.encoded.layout.pad,
        inputs.train.encoded.layout.unknown,
    }


def test_pieces_of_development_alone_are_read_too(bert, corpus, tmp_path):
    with new_folder(tmp_path / "encoded") as folder:
        write_split(folder / "train.parquet", [Sentence(("ba",), ("O",))], bert)
        write_split(folder / "dev.parquet", [Sentence(("ne", "ri"), ("O", "O"))], bert)
    inputs = Inputs.load(tmp_path / "encoded", batch_size=3, precision="float32")
    own = inputs.dev.encoded.pieces.distinct()
    assert not torch.isin(own, inputs.train.encoded.pieces.distinct()).any()
    assert torch.isin(own, inputs.pieces()).all()


def test_a_development_split_with_a_span_chooses(corpus, stage, caplog):
    inputs = Inputs.load(corpus, batch_size=3, precision="float32")
    assert inputs.has_development_spans
    assert not replace(inputs, gold=[["O"] * len(tags) for tags in inputs.gold]).has_development_spans
    stage("student")
    assert not caplog.records


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_same_run_writes_the_same_folder(stage, precision):
    one, two, other = (
        stage(name, seed=seed, precision=precision) for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert identity(one) == identity(two)
    assert identity(one) != identity(other)


def test_the_history_has_the_development_score_of_the_kept_model(stage, corpus):
    folder = stage("student", epochs=3, keep="last", learning_rate=1e-2, head_learning_rate=5e-2)
    history = json.loads((folder / "history.json").read_text())
    inputs = Inputs.load(corpus, batch_size=3, precision="float32")
    model = load_model(folder)
    assert history["kept"] == 3
    assert history["epochs"][-1]["development_f1"] == pytest.approx(inputs.development_f1(model))
    assert len({epoch["development_f1"] for epoch in history["epochs"]}) > 1

    predicted = predict(model, inputs.dev, inputs.accelerator)
    gold = read_column(corpus / "dev.parquet", "tags")
    assert [len(tags) for tags in predicted] == [len(tags) for tags in gold]


def test_a_stopped_run_leaves_no_folder_and_goes_on(stage, tmp_path):
    whole = stage("whole")
    with pytest.raises(Interrupted):
        stage("student", stops)
    assert not (tmp_path / "student").exists()
    assert len(list((tmp_path / ".ckpt").glob("gold-1-*[!k]"))) == 1

    steps: list[int] = []

    def counting(chain, batch, step):
        steps.append(step)
        return gold_loss(chain, batch, step)

    student = stage("student", counting)
    assert steps[0] == 4
    assert same_bits(load_model(student).state_dict(), load_model(whole).state_dict())
    assert (student / "history.json").read_bytes() == (whole / "history.json").read_bytes()
    assert list((tmp_path / ".ckpt").iterdir()) == []


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 2},
        {"split": 5},
        {"code": "4"},
        {"weights": "4"},
        {"method": "kbest"},
        {"k": 4},
        {"learning_rate": 2e-3},
        {"epochs": 3},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_checkpoint_made_with_anything_else_is_not_taken_up(change, stage):
    with pytest.raises(Interrupted):
        stage("student", stops)
    steps: list[int] = []

    def counting(chain, batch, step):
        steps.append(step)
        return gold_loss(chain, batch, step)

    stage("other", counting, **change)
    assert steps[0] == 0
    steps.clear()
    stage("student", counting)  # whose own checkpoint is still there
    assert steps == [4, 5, 6, 7, 8, 9]


def test_a_damaged_corpus_is_refused_by_name(bert, tmp_path):
    corpus = write_corpus(tmp_path / "encoded", bert)
    file = corpus / "dev.parquet"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(UserError, match=f"{file}: damaged"):
        Inputs.load(corpus, batch_size=4, precision="float32")
