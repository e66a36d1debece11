"""The score store gives back what was written, to the bit, or says by name why it does not."""

import base64
import json
import random
import resource
import shutil
import struct
import tracemalloc
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from torch import Tensor

from pipeline import folder as folders
from pipeline import scores, shards
from pipeline.errors import UserError
from pipeline.scores import ChainParameters, Origin, ScoreStore, unfinished, write_scores

TAGS = ("O", "B-PER", "I-PER", "B-Ort", "I-Ort")
ORIGIN = Origin(TAGS, teacher="a1", corpus="b2", tokenizer="c3", split="train")
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


@pytest.fixture(autouse=True)
def small_row_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several row groups in each shard."""
    monkeypatch.setattr(scores, "_ROW_GROUP_BYTES", 1000)


@pytest.fixture
def teacher() -> Teacher:
    return Teacher()


@pytest.fixture
def folder(teacher: Teacher, tmp_path: Path) -> Path:
    return teacher.write(tmp_path / "scores")


def bits(values: Tensor) -> bytes:
    return values.numpy().tobytes()


def reads_back(folder: Path, teacher: Teacher) -> None:
    """Assert that the store in `folder` is the teacher's, to the bit."""
    store = ScoreStore.open(folder, expect=ORIGIN)
    assert store.tags == TAGS
    assert store.sentences == len(teacher.lengths)
    assert torch.equal(store.lengths, teacher.lengths)
    for ours, theirs in zip(store.parameters, teacher.parameters, strict=True):
        assert bits(ours) == bits(theirs)
    values, lengths = store.words(torch.arange(store.sentences))
    assert bits(values) == bits(torch.cat(teacher.emissions))
    assert torch.equal(lengths, teacher.lengths)


def reseal(folder: Path) -> None:
    (folder / folders.SEAL).unlink()
    folders._seal(folder)


def shard_path(folder: Path, number: int) -> Path:
    return folder / shards.shard_name(number, 3)


def rewrite(path: Path, change: Any) -> None:
    """Write a shard anew behind `change(columns, metadata)`, which alters both, and seal it again."""
    columns = pq.read_table(path).to_pydict()
    metadata = json.loads(pq.read_schema(path).metadata[b"score_store"])
    dtype = metadata["dtype"]
    change(columns, metadata)
    with pq.ParquetWriter(
        path, shards._schema(dtype), compression="none", use_dictionary=False, store_schema=False
    ) as writer:
        writer.add_key_value_metadata({"score_store": json.dumps(metadata)})
        writer.write_table(pa.table(columns, schema=shards._schema(dtype)))
    reseal(path.parent)


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
    monkeypatch.setattr(scores, "_ROW_GROUP_BYTES", 1 << 20)
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
    monkeypatch.setattr(scores, "_ROW_GROUP_BYTES", 200_000)
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
        store = ScoreStore.open(tmp_path / "scores")
        for ids in torch.arange(sentences).split(64):
            store.batch(ids)
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
            teacher.write(tmp_path / "again", batches=stopped(), checkpoint=checkpoint)
        assert not (tmp_path / "again").exists()
        rest = unfinished(checkpoint, order)
        teacher.scored = 0
        teacher.write(tmp_path / "again", batches=teacher.batches(rest), checkpoint=checkpoint)
        finished_shards = stop * 7 // SHARD
        assert teacher.scored == len(order) - finished_shards * SHARD // 7
        assert folders.identity(tmp_path / "again") == folders.identity(folder)
        assert unfinished(checkpoint, order) == []
        shutil.rmtree(tmp_path / "again")


def test_a_checkpoint_of_another_dump_is_refused(teacher: Teacher, tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint"
    teacher.write(tmp_path / "scores", checkpoint=checkpoint)
    with pytest.raises(UserError, match="belongs to another dump"):
        teacher.write(tmp_path / "scores", checkpoint=checkpoint, origin=replace(ORIGIN, teacher="zz"))
    reads_back(tmp_path / "scores", teacher)


def test_a_damaged_checkpoint_is_refused_by_name(teacher: Teacher, tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint"
    teacher.write(tmp_path / "scores", checkpoint=checkpoint)
    path = checkpoint / "00001" / shards.shard_name(1, 3)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UserError, match=rf"{path.name}: damaged"):
        unfinished(checkpoint, list(teacher.order))


# A store that is not the one asked for


@pytest.mark.parametrize("field", [field.name for field in fields(Origin)])
def test_a_store_made_from_something_else_is_refused_with_both_values(folder: Path, field: str) -> None:
    other: Any = ("O", "X") if field == "tags" else "other"
    with pytest.raises(UserError) as caught:
        ScoreStore.open(folder, expect=replace(ORIGIN, **{field: other}))
    for part in (str(folder), f"its {field} is", repr(getattr(ORIGIN, field)), repr(other)):
        assert part in str(caught.value)


def test_another_format_is_refused_with_both_versions(
    tmp_path: Path, teacher: Teacher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "FORMAT", 7)
    teacher.write(tmp_path / "scores")
    monkeypatch.undo()
    with pytest.raises(UserError, match=f"has format 7, but this program reads format {shards.FORMAT}"):
        ScoreStore.open(tmp_path / "scores")


# A damaged store


def test_every_truncation_is_refused_by_name(tmp_path: Path, teacher: Teacher) -> None:
    folder = Teacher(3, 1).write(tmp_path / "scores", origin=replace(ORIGIN, tags=("O",)), shard_sentences=2)
    paths = sorted(folder.iterdir())
    assert [path.suffix for path in paths] == [".parquet", ".parquet", ".json"]
    for path in paths:
        whole = path.read_bytes()
        end = len(whole) - (path.suffix == ".json")  # the seal's last newline says nothing
        for size in range(end):
            path.write_bytes(whole[:size])
            with pytest.raises(UserError, match=path.name):
                ScoreStore.open(folder)
        path.write_bytes(whole)
    ScoreStore.open(folder)


def test_flipped_bits_are_harmless_or_refused_by_name(folder: Path, teacher: Teacher) -> None:
    chance = random.Random(0)
    refused = 0
    for path in sorted(folder.iterdir()):
        whole = path.read_bytes()
        for _ in range(200):
            flipped = bytearray(whole)
            flipped[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
            path.write_bytes(flipped)
            try:
                ScoreStore.open(folder)
            except UserError as error:
                message = str(error)
                refused += 1
            else:
                message = path.name
                reads_back(folder, teacher)
            assert path.name in message
        path.write_bytes(whole)
    assert refused >= 600


def test_flipped_bits_under_a_new_seal_never_end_in_a_traceback(folder: Path, teacher: Teacher) -> None:
    """Whoever seals damage anew gets the error of the project or a store that can be read."""
    chance = random.Random(1)
    path = shard_path(folder, 1)
    whole = path.read_bytes()
    tail = len(whole) - 2500  # the metadata, where flips matter
    for _ in range(100):
        flipped = bytearray(whole)
        flipped[chance.randrange(tail, len(whole))] ^= 1 << chance.randrange(8)
        path.write_bytes(flipped)
        reseal(folder)
        try:
            ScoreStore.open(folder).words(torch.arange(SENTENCES))
        except UserError as error:
            message = str(error)
        else:
            message = path.name
        assert str(folder.name) in message


def test_a_missing_or_extra_shard_is_named(folder: Path) -> None:
    extra = folder / shards.shard_name(3, 4)
    shutil.copy(shard_path(folder, 0), extra)
    with pytest.raises(UserError, match=rf"{extra.name}: does not belong"):
        ScoreStore.open(folder)
    extra.unlink()
    shard_path(folder, 2).unlink()
    with pytest.raises(UserError, match=rf"{shard_path(folder, 2).name}: missing"):
        ScoreStore.open(folder)
    reseal(folder)
    with pytest.raises(UserError, match="holds 2 of 3 shards"):
        ScoreStore.open(folder)


def test_shards_in_each_others_place_are_refused(folder: Path) -> None:
    one, other = shard_path(folder, 0), shard_path(folder, 1)
    one.rename(folder / "x")
    other.rename(one)
    (folder / "x").rename(other)
    reseal(folder)
    with pytest.raises(UserError, match=rf"{one.name}: is shard 1, found where 0 of 3"):
        ScoreStore.open(folder)


def test_a_shard_of_another_store_is_refused_with_both_values(folder: Path, tmp_path: Path) -> None:
    other = Teacher(seed=1).write(tmp_path / "other", origin=replace(ORIGIN, teacher="zz"))
    shutil.copy(shard_path(other, 1), shard_path(folder, 1))
    reseal(folder)
    with pytest.raises(UserError, match=rf"{shard_path(folder, 1).name}: has teacher 'zz', but .* has 'a1'"):
        ScoreStore.open(folder)


def twice(columns: dict[str, list[Any]], metadata: dict[str, Any]) -> None:
    columns["id"][0] = columns["id"][5]


def outside(columns: dict[str, list[Any]], metadata: dict[str, Any]) -> None:
    columns["id"][0] = SENTENCES


def missing(columns: dict[str, list[Any]], metadata: dict[str, Any]) -> None:
    for values in columns.values():
        values.pop()


def short(columns: dict[str, list[Any]], metadata: dict[str, Any]) -> None:
    columns["emissions"][3].pop()


def empty(columns: dict[str, list[Any]], metadata: dict[str, Any]) -> None:
    columns["emissions"][3], columns["length"][3] = [], 0


def not_finite(columns: dict[str, list[Any]], metadata: dict[str, Any]) -> None:
    columns["emissions"][3][0] = float("nan")


def no_parameters(columns: dict[str, list[Any]], metadata: dict[str, Any]) -> None:
    del metadata["end"]


def short_parameters(columns: dict[str, list[Any]], metadata: dict[str, Any]) -> None:
    metadata["end"] = metadata["end"][:-8]


def infinite_parameters(columns: dict[str, list[Any]], metadata: dict[str, Any]) -> None:
    end = struct.pack("<5f", 1, 2, float("inf"), 4, 5)
    metadata["end"] = base64.b64encode(end).decode()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (twice, "holds sentence [0-9]+, which is there twice"),
        (outside, "holds an id outside 0 … 49"),
        (missing, "sentence [0-9]+ is missing"),
        (short, "lengths and emissions contradict"),
        (empty, "lengths and emissions contradict"),
        (not_finite, "sentence [0-9]+ holds NaN or inf"),
        (no_parameters, "its metadata is damaged"),
        (short_parameters, "its metadata is damaged"),
        (infinite_parameters, "its metadata is damaged .end hold NaN or inf"),
    ],
)
@pytest.mark.parametrize("number", [0, 2])
def test_a_store_that_contradicts_itself_is_refused_though_sealed(
    folder: Path, change: Any, why: str, number: int
) -> None:
    rewrite(shard_path(folder, number), change)
    with pytest.raises(UserError, match=why):
        ScoreStore.open(folder)


def test_an_id_in_two_shards_is_refused(folder: Path) -> None:
    first = pq.read_table(shard_path(folder, 0)).column("id")[4].as_py()

    def repeat(columns: dict[str, list[Any]], metadata: dict[str, Any]) -> None:
        columns["id"][0] = first

    rewrite(shard_path(folder, 2), repeat)
    with pytest.raises(UserError, match=f"holds sentence {first}, which is there twice"):
        ScoreStore.open(folder)


def test_a_rewritten_shard_that_holds_the_same_is_read(folder: Path, teacher: Teacher) -> None:
    rewrite(shard_path(folder, 1), lambda columns, metadata: None)
    reads_back(folder, teacher)


def test_other_parquet_is_refused(folder: Path, tmp_path: Path) -> None:
    path = shard_path(folder, 1)
    table, metadata = pq.read_table(path), pq.read_schema(path).metadata
    wider = table.append_column("x", table.column("id")).replace_schema_metadata(metadata)
    for other, why in (
        (table, "not stored plain"),
        (wider, "its columns are not those"),
        (pa.table({"id": np.arange(3)}), "not a shard of a score store"),
    ):
        pq.write_table(other, path, compression="zstd", use_dictionary=False)
        reseal(folder)
        with pytest.raises(UserError, match=why):
            ScoreStore.open(folder)
    path.write_bytes(b"PAR1")
    reseal(folder)
    with pytest.raises(UserError, match="not a shard of a score store"):
        ScoreStore.open(folder)


def test_a_folder_that_is_no_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not a finished output"):
        ScoreStore.open(tmp_path)
    with folders.new_folder(tmp_path / "empty"):
        pass
    with pytest.raises(UserError, match="holds no scores"):
        ScoreStore.open(tmp_path / "empty")
