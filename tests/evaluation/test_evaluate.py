"""What is said of a model on the test split is what its tags, its file and its history say."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace

import pyarrow.parquet as pq
import pytest
from safetensors.torch import load_file
from seqeval.metrics import f1_score, precision_score, recall_score

from pipeline.device import accelerator
from pipeline.encoding.batching import Batches
from pipeline.encoding.split_file import load, read_column
from pipeline.evaluation import evaluate as module
from pipeline.evaluation.evaluate import evaluate, save_evaluation, why_zero
from pipeline.evaluation.metrics import Metrics, compute_metrics
from pipeline.evaluation.tagged_split import tag_split
from pipeline.fingerprint import fingerprint_of
from pipeline.model.model_folder import load_model, save_model
from pipeline.model.prediction import predict
from pipeline.storage.sealed_folder import check
from stages import evaluate as evaluate_stage
from tests.helpers.tiny_inputs import HISTORY, SPLITS, tagger


@pytest.fixture
def evaluation(corpus, teacher):
    """What the teacher reached on the test split and its gold tags, half of them as it predicts."""
    batches = Batches(load(corpus / "test.parquet"), 4)
    model, device = load_model(teacher), accelerator("float32")
    gold = read_column(corpus / "test.parquet", "tags")
    gold[::2] = predict(model, batches, device)[::2]
    return evaluate(model, teacher, batches, gold, device), gold


def test_scores_are_seqevals(evaluation):
    scored, gold = evaluation
    metrics, predicted = scored.metrics, scored.predicted
    assert metrics["f1"] == pytest.approx(100 * f1_score(gold, predicted))
    assert metrics["precision"] == pytest.approx(100 * precision_score(gold, predicted))
    assert metrics["recall"] == pytest.approx(100 * recall_score(gold, predicted))
    assert 20 < metrics["f1"] < 95
    words = [pair for tags in zip(gold, predicted, strict=True) for pair in zip(*tags, strict=True)]
    assert metrics["accuracy"] == pytest.approx(100 * sum(one == two for one, two in words) / len(words))
    assert metrics["scheme"] == "iob2"


def test_constrained_f1_is_that_of_constrained_tags(evaluation, corpus, teacher):
    scored, gold = evaluation
    metrics, predicted = scored.metrics, scored.predicted
    model, batches = load_model(teacher), Batches(load(corpus / "test.parquet"), 4)
    allowed = tag_split(model, batches, accelerator("float32")).allowed
    assert allowed != predicted
    assert metrics["constrained_f1"] == pytest.approx(100 * f1_score(gold, allowed))
    assert metrics["constrained_f1"] != metrics["f1"]


def test_the_development_score_is_that_of_the_kept_epoch_which_need_not_be_the_last(corpus, bert, tmp_path):
    save_model(
        tmp_path / "model", tagger(bert, load(corpus / "train.parquet")), bert, replace(HISTORY, kept=1)
    )
    model, gold = load_model(tmp_path / "model"), read_column(corpus / "test.parquet", "tags")
    batches = Batches(load(corpus / "test.parquet"), 4)
    metrics = evaluate(model, tmp_path / "model", batches, gold, accelerator("float32")).metrics
    assert HISTORY.epochs[0].development_f1 != HISTORY.epochs[-1].development_f1
    assert (metrics["kept_epoch"], metrics["development_f1"]) == (1, HISTORY.epochs[0].development_f1)


def test_size_and_history_are_those_of_the_folder(evaluation, teacher):
    metrics = evaluation[0].metrics
    weights = load_file(teacher / "model.safetensors")
    assert metrics["parameters"] == sum(tensor.numel() for tensor in weights.values())
    assert metrics["megabytes"] == pytest.approx((teacher / "model.safetensors").stat().st_size / 1e6)
    assert metrics["kept_epoch"] == HISTORY.kept
    assert metrics["development_f1"] == HISTORY.epochs[HISTORY.kept - 1].development_f1


def test_speed_is_the_median_pass(corpus, teacher, monkeypatch):
    """By a clock on which the three passes take 1, 3.5 and 2 s."""
    ticks = iter([0.0, 1.0, 10.0, 13.5, 60.0, 62.0])
    monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda: next(ticks)))
    batches = Batches(load(corpus / "test.parquet"), 4)
    gold = read_column(corpus / "test.parquet", "tags")
    metrics = evaluate(load_model(teacher), teacher, batches, gold, accelerator("float32")).metrics
    assert metrics["sentences_per_second"] == SPLITS["test"] / 2


def test_a_pass_that_takes_long_is_enough(corpus, teacher, monkeypatch):
    ticks = iter([0.0, 5.0])
    monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda: next(ticks)))
    gold = read_column(corpus / "test.parquet", "tags")
    batches = Batches(load(corpus / "test.parquet"), 4)
    metrics = evaluate(load_model(teacher), teacher, batches, gold, accelerator("float32")).metrics
    assert metrics["sentences_per_second"] == SPLITS["test"] / 5


def test_an_evaluation_is_a_sealed_folder_with_every_tag(evaluation, corpus, tmp_path):
    scored, gold = evaluation
    metrics, predicted = scored.metrics, scored.predicted
    words = read_column(corpus / "test.parquet", "words")
    save_evaluation(tmp_path / "evaluation", scored, words, gold)
    assert set(check(tmp_path / "evaluation")) == {"metrics.json", "predictions.parquet", "transitions.json"}
    assert json.loads((tmp_path / "evaluation" / "metrics.json").read_text()) == metrics
    table = pq.read_table(tmp_path / "evaluation" / "predictions.parquet")
    assert table["id"].to_pylist() == list(range(SPLITS["test"]))
    assert table["words"].to_pylist() == words
    assert list(map(len, words)) == list(map(len, gold))
    assert table["gold"].to_pylist() == gold
    assert table["predicted"].to_pylist() == predicted
    assert [list(map(len, column.to_pylist())) for column in (table["confidence"], table["words"])] == [
        list(map(len, words))
    ] * 2
    transitions = json.loads((tmp_path / "evaluation" / "transitions.json").read_text())
    assert transitions == scored.transitions


@pytest.mark.parametrize(("f1", "lines"), [(0.0, 1), (0.01, 0)])
def test_a_model_that_finds_nothing_is_a_loud_line(f1, lines, corpus, teacher, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(module, "compute_metrics", lambda *args, **named: Metrics(f1, f1, f1, f1, 50.0, {}))
    root = Path(__file__).parents[2]
    (tmp_path / "code").write_text(fingerprint_of("evaluate", root))
    evaluate_stage.main(corpus, teacher, tmp_path / "code", tmp_path / "out", params=root / "params.yaml")
    warned = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(warned) == lines
    assert all("its F1 on test is 0: its training diverged or was too short" in line for line in warned)
    assert json.loads((tmp_path / "out" / "metrics.json").read_text())["f1"] == f1


def test_a_split_without_spans_is_said_to_have_none():
    assert why_zero([["O", "O"], ["O"]]).startswith("every tag of the split is O")
    assert "diverged" in why_zero([["O"], ["B-X"]])


def test_each_types_rates_are_kept(evaluation):
    scored, gold = evaluation
    metrics, predicted = scored.metrics, scored.predicted
    types = compute_metrics(gold, predicted, scheme="iob2").types
    assert metrics["types"] == {kind: asdict(rates) for kind, rates in types.items()}
    assert sum(rates["gold"] for rates in metrics["types"].values()) > 0


def test_transitions_are_the_models(evaluation, teacher):
    transitions, model = evaluation[0].transitions, load_model(teacher)
    assert transitions["tags"] == list(model.tag_set.tags)
    assert transitions["scores"] == model.transitions.tolist()
    assert len(transitions["scores"]) == len(transitions["tags"])
