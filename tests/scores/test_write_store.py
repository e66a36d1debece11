"""What the score store's writer refuses, and how it goes on behind the shards of a stopped call."""

import resource
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch
from torch import Tensor

from pipeline.errors import UserError
from pipeline.scores import shards
from pipeline.scores.shards import ChainParameters
from pipeline.scores.write_store import FinishedShards
from pipeline.storage import sealed_folder as folders
from tests.helpers.score_cases import (
    ORIGIN,
    SENTENCES,
    SHARD,
    TAGS,
    Teacher,
    reads_back,
)
from tests.helpers.score_cases import folder_fixture as folder_fixture
from tests.helpers.score_cases import small_row_groups as small_row_groups
from tests.helpers.score_cases import teacher_fixture as teacher_fixture

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
