"""Corpora unlike newsdesk go the whole way, from file to tags: a hundred plain tags, very long documents."""

import json
import random
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipeline.inference.tagger import load
from tests.helpers.tiny_corpus import SYLLABLES, sentences
from tests.helpers.tiny_project import commands, invoke, lay_out

SPLITS = ("train", "dev", "test")
LONG = 5000  # words


def run(place: Path, encoder: Path, method: str, corpus: dict[str, Any], **training: float) -> Path:
    """Run every stage up to the student's scores and give the student's folder."""
    lay_out(place, encoder, corpus, [method], [1], **training)
    for command in commands([method], [1]):
        invoke(command)
    return place / "data" / "students" / method / "1"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.delenv("CORPUS_MIRROR", raising=False)
    return tmp_path


def predictions(method: str) -> tuple[list[list[str]], list[list[str]], dict[str, Any]]:
    """Gold and predicted tags of the test split, and the metrics."""
    folder = Path("data/eval", method, "1")
    table = pq.read_table(folder / "predictions.parquet")
    metrics = json.loads((folder / "metrics.json").read_text())
    return table["gold"].to_pylist(), table["predicted"].to_pylist(), metrics


@pytest.mark.thorough
def test_a_hundred_plain_tags_in_latin_1(place: Path, bert: Path) -> None:
    """A word's tag is its two syllables; é, which the tokenizer does not know, is a word of its own."""
    chance = random.Random(1)
    names = {f"{one.upper()}.{two}": one + two for one in SYLLABLES for two in SYLLABLES}
    assert len(names) == 100
    for split in SPLITS:
        tags = (
            [*names, *chance.choices([*names], k=200)] if split == "train" else chance.choices([*names], k=60)
        )
        lines = [f"{names[tag]};{tag}" for tag in tags]
        blocks = ["\n".join(lines[start : start + 10]) for start in range(0, len(lines), 10)]
        (place / split).write_text("\n\n".join(blocks) + f"\né;{tags[0]}\n", encoding="latin-1")
    settings = {"word": 0, "tag": 1, "scheme": "plain", "encoding": "latin-1", "separator": ";"}
    entry = {"files": {split: split for split in SPLITS}} | settings
    training = {"epochs": 6, "batch_size": 4, "learning_rate": 3e-3, "head_learning_rate": 3e-2}
    student = run(place, bert, "posterior", entry, **training)

    assert load(student).tags == tuple(sorted(names))
    gold, predicted, metrics = predictions("posterior")
    pairs = [
        pair for one, other in zip(gold, predicted, strict=True) for pair in zip(one, other, strict=True)
    ]
    right = 100 * sum(tag == other for tag, other in pairs) / len(pairs)
    assert len(pairs) == 61
    assert right > 2  # by chance it is 1
    assert metrics["scheme"] == "plain"
    for figure in ("accuracy", "precision", "recall", "f1", "token_f1"):
        assert metrics[figure] == pytest.approx(right)


@pytest.mark.thorough
def test_documents_of_5000_words(place: Path, bert: Path) -> None:
    """In JSON Lines and BIOES, and so long that the encoder reads each in hundreds of windows."""
    for number, split in enumerate(SPLITS):
        (long,) = sentences(1, seed=number, shortest=LONG, longest=LONG)
        documents = [long, *sentences(12, seed=number + 9)]
        records = [{"tokens": s.words, "ner_tags": bioes(s.tags or ())} for s in documents]
        (place / split).write_text("\n".join(map(json.dumps, records)))
    entry = {"files": {split: split for split in SPLITS}, "format": "jsonl", "scheme": "bioes"}
    student = run(place, bert, "structural", entry)

    lengths = pq.read_table(next(Path("data/scores/1/1").glob("*.parquet")))["length"].to_pylist()
    assert sorted(lengths)[-1] == LONG
    (gold, *_), (predicted, *_), metrics = predictions("structural")
    assert len(gold) == len(predicted) == LONG
    assert metrics["scheme"] == "iob2"
    assert set(gold) == {"O", "B-PER", "I-PER", "B-LOC", "I-LOC"}
    (long,) = sentences(1, seed=2, shortest=LONG, longest=LONG)
    (place / "text").write_text(" ".join(long.words))
    columns = invoke(f"python -m stages.predict --model {student} --input words --format conll text")
    assert [line.split(" ") for line in columns.strip().split("\n")] == [
        [word, tag] for word, tag in zip(long.words, predicted, strict=True)
    ]


def bioes(tags: tuple[str, ...]) -> list[str]:
    """IOB2 as BIOES."""
    after = [*tags[1:], "O"]
    letters = {("B", False): "S", ("B", True): "B", ("I", False): "E", ("I", True): "I"}
    return [
        tag if tag == "O" else letters[tag[0], following.startswith("I-")] + tag[1:]
        for tag, following in zip(tags, after, strict=True)
    ]
