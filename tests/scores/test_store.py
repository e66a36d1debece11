"""The score store gives back what was written, to the bit, or says by name why it does not."""

import os
import resource
import shutil
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from torch import Tensor

from pipeline.errors import UserError
from pipeline.scores import store, write_store
from pipeline.scores.store import ScoreStore
from pipeline.scores.write_store import FinishedShards
from pipeline.storage import sealed_folder as folders
from tests.helpers.score_cases import (
    AWKWARD,
    ORIGIN,
    SENTENCES,
    Teacher,
    bits,
    reads_back,
    shard_path,
)
from tests.helpers.score_cases import folder_fixture as folder_fixture
from tests.helpers.score_cases import small_row_groups as small_row_groups
from tests.helpers.score_cases import teacher_fixture as teacher_fixture

# What is written is read


def test_everything_is_read_back_to_the_bit(folder: Path, teacher: Teacher) -> None:
    reads_back(folder, teacher)
    assert pq.ParquetFile(shard_path(folder, 0)).num_row_groups > 1


def test_numbers_at_the_edge_of_float32_keep_their_bits(tmp_path: Path, teacher: Teacher) -> None:
    edge = torch.tensor(AWKWARD[:5])
    for emissions in teacher.emissions:
        emissions[0] = edge
    teacher.parameters.transitions[0] = edge
    teacher.parameters.end[:] = torch.tensor(AWKWARD[1:])
    reads_back(teacher.write(tmp_path / "scores"), teacher)


@pytest.mark.parametrize(("tags", "sentences"), [(1, 1), (1, 41), (23, 40), (23, 3)])
def test_any_number_of_tags_and_sentences(tmp_path: Path, tags: int, sentences: int) -> None:
    teacher = Teacher(sentences, tags)
    folder = teacher.write(tmp_path / "scores", origin=replace(ORIGIN, tags=tuple(map(str, range(tags)))))
    values, lengths = ScoreStore.open(folder).words(torch.arange(sentences))
    assert bits(values) == bits(torch.cat(teacher.emissions))
    assert torch.equal(lengths, teacher.lengths)


def test_many_short_sentences_stay_one_run_of_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Arrow would begin a new page after 20,000 rows, wherever it is not told otherwise."""
    monkeypatch.setattr(write_store, "_ROW_GROUP_BYTES", 1 << 20)
    ids = torch.arange(25_000)
    emissions = torch.randn(len(ids), 1)
    Teacher(1, 1).write(
        tmp_path / "scores",
        batches=iter([(ids, torch.ones_like(ids), emissions)]),
        origin=replace(ORIGIN, tags=("O",)),
        sentences=len(ids),
        shard_sentences=len(ids),
    )
    assert torch.equal(ScoreStore.open(tmp_path / "scores").words(ids)[0], emissions)


def test_a_batch_is_padded_with_zeros_in_the_order_of_its_ids(folder: Path, teacher: Teacher) -> None:
    store = ScoreStore.open(folder)
    for ids in (torch.tensor([49, 3, 3, 20, 0]), torch.randperm(50), torch.tensor([7])):
        emissions, lengths = store.batch(ids)
        assert torch.equal(lengths, teacher.lengths[ids])
        expected = torch.nn.utils.rnn.pad_sequence([teacher.emissions[i] for i in ids], batch_first=True)
        assert emissions.dtype == torch.float32
        assert torch.equal(emissions, expected)


def test_float16_rounds_as_torch_does(tmp_path: Path, teacher: Teacher) -> None:
    store = ScoreStore.open(teacher.write(tmp_path / "scores", dtype="float16"))
    values, _ = store.words(torch.arange(SENTENCES))
    assert store.dtype == "float16"
    assert torch.equal(values, torch.cat(teacher.emissions).half().float())


def test_other_programs_read_it_as_ordinary_parquet(folder: Path, teacher: Teacher) -> None:
    frame = pq.read_table([shard_path(folder, n) for n in range(3)])
    assert [str(kind) for kind in frame.schema.types[:2]] == ["int64", "int32"]
    assert frame.schema.field("emissions").type.value_type == pa.float32()
    rows = frame.to_pylist()
    assert [row["id"] for row in rows] == torch.cat(teacher.order).tolist()
    for row in rows:
        assert row["length"] == teacher.lengths[row["id"]]
        assert row["emissions"] == teacher.emissions[row["id"]].flatten().tolist()


def test_the_same_dump_gives_the_same_files(folder: Path, teacher: Teacher, tmp_path: Path) -> None:
    again = teacher.write(tmp_path / "again")
    assert folders.identity(again) == folders.identity(folder)


def test_neither_writer_nor_reader_holds_the_corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numpy's memory stays under a fifth of the store's (Arrow's and torch's: see benchmarks/store.py)."""
    monkeypatch.setattr(write_store, "_ROW_GROUP_BYTES", 200_000)
    words, sentences, tags = 40, 6400, 20
    size = words * sentences * tags * 4

    def batches() -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        for ids in torch.arange(sentences).split(64):
            yield ids, torch.full_like(ids, words), torch.randn(len(ids) * words, tags)

    teacher = Teacher(1, tags)
    origin = replace(ORIGIN, tags=tuple(map(str, range(tags))))
    tracemalloc.start()
    try:
        teacher.write(tmp_path / "scores", batches=batches(), sentences=sentences, origin=origin)
        assert tracemalloc.get_traced_memory()[1] < size / 5
        tracemalloc.reset_peak()
        opened = ScoreStore.open(tmp_path / "scores")
        for ids in torch.arange(sentences).split(64):
            opened.batch(ids)
        assert tracemalloc.get_traced_memory()[1] < size / 5
    finally:
        tracemalloc.stop()


# A store of many shards


def test_more_shards_than_files_may_be_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    teacher, place = Teacher(), tmp_path / "checkpoint"
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    monkeypatch.setattr(store, "_OPEN_SHARDS", 3)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (open_files() + 30, most))
    try:
        folder = teacher.write(
            tmp_path / "scores", shard_sentences=1, finished=FinishedShards(place, SENTENCES)
        )
        assert FinishedShards(place, SENTENCES).held.all()
        opened = ScoreStore.open(folder)
        values, _ = opened.words(torch.arange(SENTENCES))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert bits(values) == bits(torch.cat(teacher.emissions))


def open_files() -> int:
    return len(os.listdir("/dev/fd"))  # noqa: PTH208


def test_a_shard_that_changes_after_it_was_verified_is_refused(
    tmp_path: Path, teacher: Teacher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_OPEN_SHARDS", 1)
    folder = teacher.write(tmp_path / "scores")
    opened = ScoreStore.open(folder)
    other = Teacher(seed=1).write(tmp_path / "other")
    shard_path(folder, 1).unlink()
    shutil.copyfile(shard_path(other, 1), shard_path(folder, 1))
    with pytest.raises(UserError, match=r"scores-00001-of-00003.parquet: was changed while it was in use"):
        opened.words(torch.arange(SENTENCES))
    shard_path(folder, 1).unlink()
    with pytest.raises(UserError, match=r"scores-00001-of-00003.parquet: was removed while it was in use"):
        opened.words(torch.arange(SENTENCES))
