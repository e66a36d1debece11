"""A made-up teacher's scores, written and compared to the bit: for the tests of the score store."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from pipeline.scores import shards, write_store
from pipeline.scores.shards import ChainParameters, Origin
from pipeline.scores.store import ScoreStore
from pipeline.scores.write_store import write_scores

TAGS = ("O", "B-PER", "I-PER", "B-Ort", "I-Ort")
ORIGIN = Origin(TAGS, teacher="a1", words="b2", tokenizer="c3", split="train")
SENTENCES, SHARD = 50, 20
AWKWARD = [0.0, -0.0, 1e-45, -3.4028234e38, 3.4028234e38, 1 + 2**-23]  # float32's edges


class Teacher:
    """Scores of `sentences` sentences and the order in which they are dumped."""

    def __init__(self, sentences: int = SENTENCES, tags: int = len(TAGS), seed: int = 0) -> None:
        chance = torch.Generator().manual_seed(seed)
        self.lengths = torch.randint(1, 9, (sentences,), generator=chance)
        self.emissions = [torch.randn(int(n), tags, generator=chance) for n in self.lengths]
        self.order = torch.randperm(sentences, generator=chance).split(7)
        draw = [torch.randn(*shape, generator=chance) for shape in ((tags, tags), (tags,), (tags,))]
        self.parameters = ChainParameters(*draw)
        self.scored = 0

    def batches(self, order: list[Tensor] | None = None) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        for ids in self.order if order is None else order:
            self.scored += 1
            yield ids, self.lengths[ids], torch.cat([self.emissions[i] for i in ids])

    def write(self, folder: Path, **changes: Any) -> Path:
        plain = {"origin": ORIGIN, "parameters": self.parameters, "shard_sentences": SHARD}
        batches = changes.pop("batches", None) or self.batches()
        write_scores(folder, batches, **{**plain, "sentences": len(self.lengths), **changes})
        return folder


def bits(values: Tensor) -> bytes:
    return values.numpy().tobytes()


def reads_back(folder: Path, teacher: Teacher) -> None:
    """Assert that the store in `folder` is the teacher's, to the bit."""
    store = ScoreStore.open(folder, expect=ORIGIN)
    assert store.tags == TAGS
    assert store.sentences == len(teacher.lengths)
    assert store.lengths.tolist() == teacher.lengths.tolist()
    for ours, theirs in zip(store.parameters, teacher.parameters, strict=True):
        assert bits(ours) == bits(theirs)
    values, lengths = store.words(torch.arange(store.sentences))
    assert bits(values) == bits(torch.cat(teacher.emissions))
    assert torch.equal(lengths, teacher.lengths)


def shard_path(folder: Path, number: int) -> Path:
    return folder / shards.shard_name(number, 3)


@pytest.fixture(autouse=True)
def small_row_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several row groups in each shard."""
    monkeypatch.setattr(write_store, "_ROW_GROUP_BYTES", 1000)


@pytest.fixture(name="teacher")
def teacher_fixture() -> Teacher:
    return Teacher()


@pytest.fixture(name="folder")
def folder_fixture(teacher: Teacher, tmp_path: Path) -> Path:
    return teacher.write(tmp_path / "scores")
