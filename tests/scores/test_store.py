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
from pipeline.scores import shards, store
from pipeline.scores.store import ChainParameters, FinishedShards, ScoreStore
from pipeline.storage import sealed_folder as folders
from tests.helpers.score_cases import (
    AWKWARD,
    ORIGIN,
    SENTENCES,
    SHARD,
    TAGS,
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
    monkeypatch.setattr(store, "_ROW_GROUP_BYTES", 1 << 20)
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
    monkeypatch.setattr(store, "_ROW_GROUP_BYTES", 200_000)
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


# What cannot be written


@pytest.mark.parametrize("place", [0, -1])  # the first or last number of the sentence
@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_none_names_its_sentence(
    folder: Path, teacher: Teacher, number: float, place: int
) -> None:
    broken = Teacher(seed=1)
    broken.emissions[31][place, place] = number
    with pytest.raises(UserError, match="sentence 31: the teacher's emissions hold NaN or inf"):
        broken.write(folder)
    reads_back(folder, teacher)


def test_a_number_outside_float16_names_its_sentence(tmp_path: Path, teacher: Teacher) -> None:
    teacher.emissions[31][0, 2] = -65520.0  # rounds to -inf; 65519 still rounds to 65504
    teacher.emissions[30][0, 2] = 65519.0
    with pytest.raises(UserError, match="sentence 31: an emission is outside the range of float16"):
        teacher.write(tmp_path / "scores", dtype="float16")
    assert list(tmp_path.iterdir()) == []
    reads_back(teacher.write(tmp_path / "scores"), teacher)


@pytest.mark.parametrize("name", ChainParameters._fields)
def test_a_crf_that_is_not_finite_is_refused(tmp_path: Path, teacher: Teacher, name: str) -> None:
    getattr(teacher.parameters, name)[0] = float("inf")
    with pytest.raises(UserError, match=f"{name} holds NaN or inf"):
        teacher.write(tmp_path / "scores")


def test_a_split_without_sentences_is_refused(tmp_path: Path, teacher: Teacher) -> None:
    with pytest.raises(UserError, match="no sentences to store"):
        teacher.write(tmp_path / "scores", sentences=0)


@pytest.mark.parametrize(
    ("batch", "why"),
    [
        (([1, 2], [1], 1), "contradict"),
        (([1, 2], [1, 1], 3), "contradict"),
        (([1, 2], [0, 1], 1), "contradict"),
        (([1, 1], [1, 1], 2), "an id came twice"),
        (([50], [1], 1), r"outside 0 … 49"),
        (([-1], [1], 1), r"outside 0 … 49"),
    ],
)
def test_a_batch_that_contradicts_itself_is_refused(
    tmp_path: Path, teacher: Teacher, batch: tuple[list[int], list[int], int], why: str
) -> None:
    ids, lengths, words = batch
    broken = iter([(torch.tensor(ids), torch.tensor(lengths), torch.zeros(words, len(TAGS)))])
    with pytest.raises(ValueError, match=why):
        teacher.write(tmp_path / "scores", batches=broken)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("sentences", "why"), [(49, "outside"), (51, "50 sentences came, 51 were announced")]
)
def test_a_wrong_number_of_sentences_is_refused(
    tmp_path: Path, teacher: Teacher, sentences: int, why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        teacher.write(tmp_path / "scores", sentences=sentences)
    assert list(tmp_path.iterdir()) == []


def test_an_id_in_two_batches_is_refused(tmp_path: Path, teacher: Teacher) -> None:
    with pytest.raises(ValueError, match="an id came twice"):
        teacher.write(tmp_path / "scores", batches=teacher.batches([*teacher.order, teacher.order[0]]))


def test_a_crf_of_another_size_is_refused(tmp_path: Path, teacher: Teacher) -> None:
    with pytest.raises(ValueError, match=r"transitions is torch.float32 \(5, 5\), 4 tags"):
        teacher.write(tmp_path / "scores", origin=replace(ORIGIN, tags=TAGS[:4]))
    with pytest.raises(ValueError, match="dtype 'int8'"):
        teacher.write(tmp_path / "scores", dtype="int8")


def test_a_full_disk_leaves_the_old_store(folder: Path, teacher: Teacher) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, limits[1]))
    try:
        with pytest.raises(UserError, match="scores: cannot be written"):
            Teacher(seed=1).write(folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    reads_back(folder, teacher)


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


# A dump that was stopped


def test_a_stopped_dump_goes_on_behind_its_finished_shards(
    folder: Path, teacher: Teacher, tmp_path: Path
) -> None:
    order = list(teacher.order)
    for stop in range(len(order)):
        checkpoint = tmp_path / f"checkpoint{stop}"

        def stopped(stop: int = stop) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
            yield from teacher.batches(order[:stop])
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            teacher.write(
                tmp_path / "again", batches=stopped(), finished=FinishedShards(checkpoint, SENTENCES)
            )
        assert not (tmp_path / "again").exists()
        done = FinishedShards(checkpoint, SENTENCES).held
        finished_shards = stop * 7 // SHARD
        assert sorted(done.nonzero()[0]) == sorted(torch.cat(order)[: finished_shards * SHARD].tolist())
        rest = [ids for ids in order if not done[ids.numpy()].all()]
        teacher.scored = 0
        teacher.write(
            tmp_path / "again", batches=teacher.batches(rest), finished=FinishedShards(checkpoint, SENTENCES)
        )
        assert teacher.scored == len(order) - finished_shards * SHARD // 7
        assert folders.identity(tmp_path / "again") == folders.identity(folder)
        assert FinishedShards(checkpoint, SENTENCES).held.all()
        shutil.rmtree(tmp_path / "again")


def test_a_checkpoint_of_another_dump_is_refused(teacher: Teacher, tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint"
    teacher.write(tmp_path / "scores", finished=FinishedShards(checkpoint, SENTENCES))
    with pytest.raises(UserError, match="belongs to another dump"):
        teacher.write(
            tmp_path / "scores",
            finished=FinishedShards(checkpoint, SENTENCES),
            origin=replace(ORIGIN, teacher="zz"),
        )
    reads_back(tmp_path / "scores", teacher)


def test_a_damaged_checkpoint_is_refused_by_name(teacher: Teacher, tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint"
    teacher.write(tmp_path / "scores", finished=FinishedShards(checkpoint, SENTENCES))
    path = checkpoint / "00001" / shards.shard_name(1, 3)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UserError, match=rf"{path.name}: damaged"):
        FinishedShards(checkpoint, SENTENCES)


def test_finished_shards_that_vanish_during_the_dump_are_told_in_a_line(
    teacher: Teacher, tmp_path: Path
) -> None:
    checkpoint, folder = tmp_path / "checkpoint", tmp_path / "scores"
    teacher.write(folder, finished=FinishedShards(checkpoint, SENTENCES))
    finished = FinishedShards(checkpoint, SENTENCES)
    shutil.rmtree(checkpoint / "00001")
    with pytest.raises(UserError, match=r"00001: was removed before the run ended; run it again"):
        teacher.write(folder, finished=finished)
    reads_back(folder, teacher)


@pytest.mark.parametrize("shard", [1, 2, 3, 5, 13])
@pytest.mark.parametrize("size", [1, 2, 4, 6, 13])
def test_each_shard_has_its_number_of_sentences_however_they_come(
    tmp_path: Path, shard: int, size: int
) -> None:
    teacher = Teacher(13)
    order = list(torch.arange(13).flip(0).split(size))
    folder = teacher.write(tmp_path / "scores", batches=teacher.batches(order), shard_sentences=shard)
    reads_back(folder, teacher)
    counts = [pq.read_metadata(path).num_rows for path in sorted(folder.glob("*.parquet"))]
    assert counts == [min(shard, 13 - start) for start in range(0, 13, shard)]


def test_finished_shards_of_a_longer_split_are_refused(tmp_path: Path, teacher: Teacher) -> None:
    place = tmp_path / "finished"
    teacher.write(place / "00000", shard_sentences=SENTENCES)
    with pytest.raises(UserError, match=rf"has {SENTENCES} sentences, not {SENTENCES - 1}"):
        FinishedShards(place, SENTENCES - 1)
