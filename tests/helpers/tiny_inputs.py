"""Corpus, teacher and models as the stages make them, small."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from pipeline.corpora.tagging import Sentence, TagSet
from pipeline.corpora.text_shards import write_shards
from pipeline.device import accelerator
from pipeline.encoding.batching import Batches
from pipeline.encoding.encode_split import encode_split
from pipeline.encoding.encoded import Encoded
from pipeline.encoding.encoded_text import encode_text
from pipeline.encoding.folds import fold_rows
from pipeline.encoding.settings import Prepare
from pipeline.encoding.split_file import load
from pipeline.encoding.tokenization import input_layout, load_tokenizer
from pipeline.model.chain_tagger import ChainTagger
from pipeline.model.model_folder import Epoch, History, load_model, save_model
from pipeline.params import Params
from pipeline.scores.dump import dump_scores, origin_of
from pipeline.scores.settings import Dump
from pipeline.scores.store import ScoreStore
from pipeline.scores.text_scores import write_text_scores
from pipeline.settings import Head
from pipeline.storage.sealed_folder import new_folder
from pipeline.training.student_settings import student_settings
from tests.helpers.tiny_corpus import TAG_SET, sentences
from tests.helpers.tiny_encoders import POSITIONS

SPLITS = {"train": 26, "dev": 12, "test": 14}
HISTORY = History([Epoch(1, 3.5, 20.0), Epoch(2, 2.25, 60.0)], kept=2)


def write_split(
    path: Path,
    split: Sequence[Sentence],
    encoder: Path,
    *,
    window: int = POSITIONS,
    overlap: int = 6,
    tag_set: TagSet = TAG_SET,
) -> Encoded:
    """Encode sentences for the encoder in the folder `encoder`, write them to `path` and read them back."""
    tokenizer = load_tokenizer(encoder)
    layout = input_layout(tokenizer, encoder, Prepare(window=window, overlap=overlap))
    encode_split(split, tokenizer, path, tag_set, layout)
    return load(path)


def write_corpus(folder: Path, encoder: Path, *, seed: int = 0) -> Path:
    with new_folder(folder) as aside:
        for number, (name, count) in enumerate(SPLITS.items()):
            write_split(aside / f"{name}.parquet", sentences(count, seed=seed + number), encoder)
    return folder


def write_teacher(folder: Path, encoder: Path, corpus: Path) -> Path:
    save_model(folder, tagger(encoder, load(corpus / "train.parquet")), encoder, HISTORY)
    return folder


def dump(
    folder: Path, corpus: Path, teacher: Path, *, fold: int = 1, folds: int = 1, **settings: Any
) -> ScoreStore:
    """The score store of the training split, or of a fold, in `folder`, as the dump makes it, opened."""
    origin = origin_of(corpus / "train.parquet", teacher, fold=fold, folds=folds)
    train = load(corpus / "train.parquet")
    dump_scores(
        load_model(teacher),
        Batches(train, 8, None if folds == 1 else fold_rows(len(train), fold, folds)),
        accelerator("float32"),
        Dump(**settings),
        origin=origin,
        checkpoint=folder.with_name("checkpoint"),
        out=folder,
    )
    return ScoreStore.open(folder, expect=origin)


def made_by(params: Params, method: str) -> dict[str, Any]:
    """What a student's folder says of a run with these parameters and seed 1."""
    return {
        "method": method,
        "settings": params.settings(method).model_dump(mode="json"),
        "seed": 1,
        "training": student_settings(params.student, params.settings(method)).model_dump(
            mode="json", exclude={"encoder"}
        ),
        "teachers": len(params.teachers),
        "folds": len(params.folds),
    }


class Text(NamedTuple):
    """Unlabelled text: what `encode_text` writes, and the folder of each teacher's scores of it."""

    encoded: Path
    scores: Path


def write_text(folder: Path, lines: Sequence[str]) -> Path:
    """What the stage `text` makes of lines of words, in row groups of seven."""
    words = [line.split() for line in lines]
    with new_folder(folder) as aside:
        write_shards((words[start : start + 7] for start in range(0, len(words), 7)), aside)
    return folder


def write_text_and_scores(folder: Path, corpus: Path, teacher: Path, lines: Sequence[str]) -> Text:
    """What the stages make of lines of words, in the folders `text_encoded` and `text_scores` of `folder`."""
    text = Text(folder / "text_encoded", folder / "text_scores")
    settings = Dump(batch_size=4, shard_sentences=8)
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        (place / "code").write_text("1")
        encode_text(write_text(place / "text", lines), text.encoded, encoder=teacher, encoded=corpus)
        code, out = place / "code", text.scores / "1"
        write_text_scores(text.encoded, out, teacher=teacher, code=code, settings=settings, root=place)
    return text


def tagger(
    encoder: Path, encoded: Encoded, *, layers: int | None = 2, seed: int = 0, head: Head = "crf"
) -> ChainTagger:
    """A tagger in evaluation mode whose emission layer and CRF, if any, are drawn at random."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = ChainTagger.from_encoder(encoder, encoded, layers=layers, head=head)
        for parameter in model.head_parameters:
            torch.nn.init.normal_(parameter, std=0.5)
    return model.eval()


def train_batches(corpus: Path, batch_size: int = 4) -> Batches:
    return Batches(load(corpus / "train.parquet"), batch_size)


def same_bits(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    """Whether two models' weights are the same, to the bit."""
    return one.keys() == other.keys() and all(
        one[name].dtype == other[name].dtype and one[name].numpy().tobytes() == other[name].numpy().tobytes()
        for name in one
    )
