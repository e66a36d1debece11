"""A score store that is damaged, or another than was asked for, is refused by name."""

import base64
import json
import random
import shutil
import struct
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from pipeline.errors import UserError
from pipeline.scores import shards
from pipeline.scores.shards import Origin
from pipeline.scores.store import ScoreStore
from pipeline.storage import sealed_folder as folders
from tests.helpers.score_cases import ORIGIN, SENTENCES, Teacher, reads_back, shard_path
from tests.helpers.score_cases import folder_fixture as folder_fixture
from tests.helpers.score_cases import small_row_groups as small_row_groups
from tests.helpers.score_cases import teacher_fixture as teacher_fixture


def reseal(folder: Path) -> None:
    (folder / folders.SEAL).unlink()
    folders._seal(folder)


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


def negative(columns: dict[str, list[Any]], metadata: dict[str, Any]) -> None:
    columns["id"] = [number - SENTENCES for number in columns["id"]]


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
        (negative, "holds an id outside 0 … 49"),
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
