"""A card says what the run's files say; folders that do not belong together are refused."""

import json
import re
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard

from pipeline.device import accelerator
from pipeline.encoding.batching import Batches
from pipeline.encoding.encoded import load as load_split
from pipeline.encoding.encoded import read_tags
from pipeline.errors import UserError
from pipeline.evaluation.test_split import evaluate, save_outcome
from pipeline.inference.tagger import load
from pipeline.model.model_folder import load_model, save_model
from pipeline.params import load_params
from pipeline.storage.sealed_folder import SEAL, check, new_folder
from pipeline.storage.yaml_file import read_yaml
from stages import publish
from tests.helpers.tiny_inputs import HISTORY, made_by, tagger

ROOT = Path(__file__).parents[2]


def write_tree(path: Path, **changes: Any) -> Path:
    """params.yaml with the tiny student's shape, two seeds, a weight, and `changes`."""
    tree: Any = read_yaml(ROOT / "params.yaml")
    tree |= {"task": "newsdesk", "seeds": [1, 2]}
    tree["student"] |= {"layers": 2, "epochs": 2}
    tree["distill"]["efficient"]["weight"] = 0.75
    for group, values in changes.items():
        tree[group] |= values
    path.write_text(json.dumps(tree))
    return path


def write_runs(root: Path, bert: Path, corpus: Path, **changes: dict[str, Any]) -> Path:
    """`students/efficient/1` and `eval/` of two seeds and the teacher, F1 of 40, 44 and 50."""
    root.mkdir(exist_ok=True)
    params = load_params(write_tree(root / "params.yaml", **changes))
    student = root / "students/efficient/1"
    model = tagger(bert, load_split(corpus / "train.parquet"), head=params.student.head)
    save_model(student, model, bert, HISTORY, made_by(params, "efficient"))
    path = corpus / "test.parquet"
    gold = read_tags(path)
    metrics, predicted = evaluate(
        load_model(student), student, Batches(load_split(path), 8), gold, accelerator("float32")
    )
    for name, f1 in (("efficient/1", 40.0), ("efficient/2", 44.0), ("teacher", 50.0)):
        save_outcome(root / "eval" / name, metrics | {"f1": f1}, gold, predicted)
    return root


@pytest.fixture(scope="module")
def runs(bert: Path, corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_runs(tmp_path_factory.mktemp("runs"), bert, corpus)


@pytest.fixture
def parameters(tmp_path: Path) -> Any:
    return partial(write_tree, tmp_path / "params.yaml")


def published(runs: Path, out: Path, params: Path) -> str:
    publish.main(runs / "students/efficient/1", runs / "eval/efficient/1", out, None, params)
    return (out / "README.md").read_text(encoding="utf-8")


def test_the_hub_reads_the_header(runs: Path, tmp_path: Path, parameters: Any) -> None:
    data: Any = ModelCard(published(runs, tmp_path / "out", parameters())).data
    assert data.pipeline_tag == "token-classification"
    assert data.library_name == "substructured-distillation"
    assert {"efficient", "knowledge-distillation", "crf"} <= set(data.tags)
    assert (data.license, data.language, data.base_model, data.datasets) == (None, None, None, None)
    assert {result.metric_type: result.metric_value for result in data.eval_results}["f1"] == 0.4
    assert {(result.dataset_name, result.dataset_split) for result in data.eval_results} == {
        ("newsdesk", "test")
    }


def test_the_figures_are_those_of_the_run(runs: Path, tmp_path: Path, parameters: Any) -> None:
    card = published(runs, tmp_path / "out", parameters())
    metrics = json.loads((runs / "eval/efficient/1/metrics.json").read_text())
    assert "| span F1 | 40.00 | 42.00 ± 2.83 | 50.00 |" in card
    assert f"| span precision | {metrics['precision']:.2f} |" in card
    assert f"| parameters | {metrics['parameters']:,} |" in card
    assert metrics["device"] in card
    assert "1: 40.00, 2: 44.00" in card
    assert "epoch 2 of 2, where F1 on development was 60.00" in card
    assert "schedule last_epoch, weight 0.75" in card
    assert "Student: head crf, epochs 2, " in card
    assert "Teacher: a linear-chain CRF on the encoder" in card
    assert "from transformers import" not in card
    assert "LOC, PER" in card
    assert "`efficient`. Efficient sub-structured distillation" in card
    assert re.search(r"\b14 sentences of \d+ words", card)
    assert str(tmp_path) not in card


def test_the_folder_is_sealed_and_tags(runs: Path, tmp_path: Path, parameters: Any) -> None:
    published(runs, tmp_path / "out", parameters())
    source = check(runs / "students/efficient/1")
    assert check(tmp_path / "out").items() >= source.items()
    text = "ba NERI Tok"
    assert load(tmp_path / "out")([text]) == load(runs / "students/efficient/1")([text])


def test_ids_on_the_hub_are_linked(runs: Path, tmp_path: Path, parameters: Any) -> None:
    corpus = {
        "format": "dataset",
        "files": {"train": "org/data/en@main", "dev": "org/data/en@main", "test": "other/data"},
    }
    params = parameters(teacher={"encoder": "google-bert/bert-base-cased@v1"}, corpora={"newsdesk": corpus})
    data: Any = ModelCard(published(runs, tmp_path / "out", params)).data
    assert data.base_model == "google-bert/bert-base-cased"
    assert data.datasets == ["org/data", "other/data"]


@pytest.mark.parametrize(
    ("model", "scored", "says"),
    [
        ("students/efficient/1", "eval/efficient/2", "another student"),
        ("students/efficient/1", "eval/teacher", "METHOD/SEED"),
        ("students/efficient", "eval/efficient/1", "METHOD/SEED"),
        ("students/efficient/x", "eval/efficient/x", "METHOD/SEED"),
        ("students/efficient/3", "eval/efficient/3", "dvc repro distill@efficient-3"),
        ("eval/efficient/1", "eval/efficient/1", "config.json"),
    ],
)
def test_wrong_folders_are_refused(
    runs: Path, tmp_path: Path, parameters: Any, model: str, scored: str, says: str
) -> None:
    with pytest.raises(UserError, match=re.escape(says)):
        publish.main(runs / model, runs / scored, tmp_path / "out", None, parameters())
    assert not (tmp_path / "out").exists()


def test_figures_of_another_training_are_refused(runs: Path, tmp_path: Path, parameters: Any) -> None:
    again = shutil.copytree(runs, tmp_path / "again")
    metrics = json.loads((runs / "eval/efficient/1/metrics.json").read_text())
    with new_folder(again / "eval/efficient/1") as aside:
        shutil.copy(runs / "eval/efficient/1/predictions.parquet", aside)
        (aside / "metrics.json").write_text(json.dumps(metrics | {"development_f1": 59.0}))
    with pytest.raises(UserError, match="not measured on"):
        published(again, tmp_path / "out", parameters())


@pytest.mark.parametrize(
    ("group", "change", "says"),
    [
        ("student", {"layers": 3}, r"student\.layers: 3, but .* was made with 2; give its own parameters"),
        ("student", {"epochs": 5}, r"student\.epochs: 5"),
        ("student", {"dropout": 0.3}, r"student\.dropout: 0\.3"),
        ("distill", {"efficient": {"weight": 0.5}}, r"distill\.efficient\.weight: 0\.5, but .* with 0\.75"),
    ],
)
def test_other_parameters_are_refused(
    runs: Path, tmp_path: Path, parameters: Any, group: str, change: dict[str, Any], says: str
) -> None:
    with pytest.raises(UserError, match=says):
        published(runs, tmp_path / "out", parameters(**{group: change}))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"seed": 3}, "was made by efficient with seed 3"),
        ({"method": "kbest"}, "was made by kbest with seed 1"),
        (None, "does not say how it was made"),
    ],
)
def test_a_student_made_otherwise_than_its_name_says_is_refused(
    runs: Path, tmp_path: Path, parameters: Any, change: Any, says: str
) -> None:
    again = shutil.copytree(runs, tmp_path / "again")
    history = json.loads((runs / "students/efficient/1/history.json").read_text())
    history["made"] = None if change is None else history["made"] | change
    with new_folder(again / "students/efficient/1") as aside:
        shutil.copytree(runs / "students/efficient/1", aside, dirs_exist_ok=True)
        (aside / SEAL).unlink()
        (aside / "history.json").write_text(json.dumps(history))
    with pytest.raises(UserError, match=says):
        published(again, tmp_path / "out", parameters())


def test_a_softmax_students_card_is_one_for_transformers(bert: Path, corpus: Path, tmp_path: Path) -> None:
    """And its lines run as they stand."""
    heads: dict[str, dict[str, Any]] = {
        "teacher": {"head": "softmax"},
        "student": {"head": "softmax", "layers": 2, "epochs": 2},
    }
    root = write_runs(tmp_path / "runs", bert, corpus, **heads)
    card = published(root, tmp_path / "out", root / "params.yaml")
    data: Any = ModelCard(card).data
    assert data.library_name == "transformers"
    assert "softmax" in data.tags
    assert "crf" not in card.lower()
    assert "Teacher: a softmax at each word on the encoder" in card
    code = card.partition("```python\n")[2].partition("```")[0].replace("THIS FOLDER", str(tmp_path / "out"))
    assert "pipeline.inference" not in code
    exec(code, {})


def test_a_damaged_student_is_refused(runs: Path, tmp_path: Path, parameters: Any) -> None:
    again = shutil.copytree(runs, tmp_path / "again")
    (again / "students/efficient/1" / SEAL).unlink()
    with pytest.raises(UserError, match="efficient/1"):
        published(again, tmp_path / "out", parameters())
