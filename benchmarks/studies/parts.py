"""A corpus for a study: a part of its training sentences keeps the tags, the rest is unlabelled text."""

import os
import random
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from benchmarks.studies.experiment import PARAMS
from pipeline.corpora.settings import SPLITS, Corpus, Split
from pipeline.corpora.splits import fetch_corpus, read_splits
from pipeline.corpora.tagging import Sentence
from pipeline.params import load_params

CHOICE = 0  # seed of the draw of labelled sentences
SHARE = 10  # one sentence in so many keeps its tags in a tenth
OWN = Path("data/own")
OTHER = {"conll2000": "conll2003", "conll2003": "conll2000"}
"""The corpus whose training sentences are a task's unlabelled text."""


class Tenth(NamedTuple):
    """A corpus of which a tenth of the training sentences keeps its tags.

    name: under `corpora`.
    settings: KEY=VALUE of params.yaml that name its files.
    text: the file of the other training sentences.
    sentences: how many there are, by split, and as "text".
    """

    name: str
    settings: list[str]
    text: Path
    sentences: dict[str, int]


def write_tenth(task: str) -> Tenth:
    """Write a tenth of a corpus and the rest as text; its development and test sets are whole."""
    name = f"{task}_tenth"
    corpus, splits = read_corpus(task)
    sentences = write_parts(splits, len(splits["train"]) // SHARE, OWN / name)
    return Tenth(name, corpus_settings(name, corpus, OWN / name), OWN / name / "text.txt", sentences)


def read_corpus(task: str) -> tuple[Corpus, dict[Split, list[Sentence]]]:
    """The entry of a corpus, and the sentences of each split, fetched or from the mirror in CORPUS_MIRROR."""
    corpus, root = load_params(PARAMS).corpora[task], os.environ.get("CORPUS_MIRROR")
    mirror = Path(root, task) if root else None
    with tempfile.TemporaryDirectory() as place:
        fetch_corpus(corpus, Path(place), mirror=mirror)
        splits = read_splits(Path(place), corpus, Path(place))
        return corpus, {split: list(sentences) for split, sentences in splits.items()}


def write_parts(
    splits: Mapping[Split, list[Sentence]], labelled: int, folder: Path, *, development: int | None = None
) -> dict[str, int]:
    """Write train (so many sentences, drawn), dev and test in columns, and the rest of train as text.txt.

    Of dev so many sentences are drawn; None is all. Returns how many sentences each has.
    """
    whole, draw = splits["train"], random.Random(CHOICE)
    chosen = set(draw.sample(range(len(whole)), labelled))
    kept = {**splits, "train": [sentence for number, sentence in enumerate(whole) if number in chosen]}
    if development is not None:
        kept["dev"] = draw.sample(splits["dev"], min(development, len(splits["dev"])))
    text = [sentence for number, sentence in enumerate(whole) if number not in chosen]
    folder.mkdir(parents=True, exist_ok=True)
    for name, sentences in kept.items():
        (folder / f"{name}.conll").write_text("".join(map(columns, sentences)), encoding="utf-8")
    write_text(text, folder / "text.txt")
    return {name: len(sentences) for name, sentences in kept.items()} | {"text": len(text)}


def corpus_settings(name: str, corpus: Corpus, folder: Path, splits: Iterable[Split] = SPLITS) -> list[str]:
    """KEY=VALUE of params.yaml that name what `write_parts` wrote of a corpus's splits to a folder."""
    return [
        f"++corpora.{name}.scheme={'plain' if corpus.scheme == 'plain' else 'iob2'}",
        *(f"++corpora.{name}.files.{split}={folder}/{split}.conll" for split in splits),
    ]


def other_text(task: str) -> Path:
    """Write the training sentences of a task's OTHER corpus as text, and return the file."""
    other = OTHER[task]
    path = OWN / f"{other}.txt"
    write_text(read_corpus(other)[1]["train"], path)
    return path


def text_of(task: str) -> str:
    """The path of the text that goes with a corpus: the OTHER one's, which is written, or newsdesk's own."""
    return str(other_text(task)) if task in OTHER else "data/newsdesk/text.txt"


def write_text(sentences: Iterable[Sentence], path: Path) -> None:
    """Write the words of one sentence per line, between spaces."""
    lines = "".join(" ".join(sentence.words) + "\n" for sentence in sentences)
    path.write_text(lines, encoding="utf-8")


def columns(sentence: Sentence) -> str:
    """Word and tag a line, and a blank line."""
    pairs = zip(sentence.words, sentence.tags or (), strict=True)
    return "".join(f"{word} {tag}\n" for word, tag in pairs) + "\n"
