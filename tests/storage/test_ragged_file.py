"""Numbers of an encoded split stay in their file: rows that are asked for are read, the others are not."""

import gc
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from pipeline.encoding.batching import Batches
from pipeline.encoding.split_file import load
from pipeline.storage.ragged import Ragged
from pipeline.storage.ragged_file import UNREADABLE, StoredRagged, stored_integers

LENGTHS = [3, 0, 1, 4]


def write(path: Path, **others: np.ndarray) -> Ragged:
    """A file with the rows that are returned, whose `values` are int32 and `offsets` int64."""
    numbers = {
        "values": np.arange(10, 10 + sum(LENGTHS), dtype=np.int32),
        "offsets": np.cumsum([0, *LENGTHS]),
    } | others
    save_file(numbers, path, {"note": "x"})
    return Ragged(torch.from_numpy(numbers["values"]), torch.from_numpy(numbers["offsets"]))


def read(path: Path) -> StoredRagged:
    numbers = stored_integers(path)
    return StoredRagged(numbers["values"], numbers["offsets"])


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208


@pytest.mark.parametrize("rows", [[0, 1, 2, 3], [3, 0], [2, 2, 1], [1], []])
def test_rows_are_those_in_memory(rows: list[int], tmp_path: Path) -> None:
    held = write(tmp_path / "numbers.safetensors")
    stored = read(tmp_path / "numbers.safetensors")
    assert len(stored) == len(held) == len(LENGTHS)
    assert stored.lengths.tolist() == held.lengths.tolist() == LENGTHS
    ids = torch.tensor(rows, dtype=torch.int64)
    got, wanted = stored.take(ids), held.take(ids)
    assert got.values.dtype == torch.int32
    assert got.values.tolist() == wanted.values.tolist()
    assert got.offsets.tolist() == wanted.offsets.tolist()


def test_all_rows_are_those_in_memory(tmp_path: Path) -> None:
    held = write(tmp_path / "numbers.safetensors")
    got = read(tmp_path / "numbers.safetensors").in_memory()
    assert torch.equal(got.values, held.values)
    assert torch.equal(got.offsets, held.offsets)


def test_distinct_values_are_those_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.storage.ragged_file._VALUES", 3)
    held = write(tmp_path / "numbers.safetensors", values=np.array([7, 5, 7, 1, 1, 5, 9, 7], np.int32))
    assert held.distinct().tolist() == [1, 5, 7, 9]
    assert read(tmp_path / "numbers.safetensors").distinct().tolist() == [1, 5, 7, 9]


def test_tensors_are_those_of_the_library(tmp_path: Path) -> None:
    path = tmp_path / "numbers.safetensors"
    write(path, empty=np.zeros(0, np.int32))
    tensors, wanted = stored_integers(path), load_file(path)
    assert tensors.keys() == wanted.keys()
    for name, stored in tensors.items():
        read = stored.read((0, len(stored))).numpy()
        assert read.dtype == wanted[name].dtype
        assert read.tolist() == wanted[name].tolist()


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 64, b"\x03" + b"\0" * 7 + b"[1]"])
def test_another_file_is_an_ordinary_error(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "numbers.safetensors"
    path.write_bytes(content)
    with pytest.raises(UNREADABLE):
        stored_integers(path)


@pytest.mark.parametrize("offsets", [[0, 3, 9], [0, 3, 3, 4, 7], []])
def test_offsets_of_other_values_are_an_ordinary_error(offsets: list[int], tmp_path: Path) -> None:
    path = tmp_path / "numbers.safetensors"
    write(path, offsets=np.array(offsets, np.int64))
    with pytest.raises(UNREADABLE):
        read(path)


def test_every_truncation_is_an_ordinary_error(tmp_path: Path) -> None:
    path = tmp_path / "numbers.safetensors"
    write(path)
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(UNREADABLE):
            stored_integers(path)


def test_a_file_cut_short_while_it_is_read_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "numbers.safetensors"
    write(path)
    stored = read(path)
    os.truncate(path, path.stat().st_size - 1)
    with pytest.raises(OSError, match="cut short"):
        stored.take(torch.arange(len(LENGTHS)))


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_file_is_closed_with_the_last_of_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "numbers.safetensors"
    write(path)
    gc.collect()
    before = open_files()
    stored = read(path)
    assert stored.take(torch.tensor([0])).values.tolist() == [10, 11, 12]
    assert open_files() == before + 1
    del stored
    assert open_files() == before


@pytest.mark.parametrize("content", [b"", b"short"])
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_file_that_is_refused_is_closed(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "numbers.safetensors"
    path.write_bytes(content)
    gc.collect()
    before = open_files()
    with pytest.raises(UNREADABLE):
        stored_integers(path)
    gc.collect()
    assert open_files() == before


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_batches_map_nothing_of_the_split(corpus: Path) -> None:
    batches = Batches(load(corpus / "train.parquet"), 4)
    for ids in [*batches.shuffled(0), torch.arange(len(batches.encoded))]:
        batches.collate(ids)
    assert str(corpus / "train.safetensors") not in Path("/proc/self/maps").read_text()


def test_batches_are_those_of_numbers_in_memory(corpus: Path) -> None:
    encoded = load(corpus / "train.parquet")
    assert encoded.tags is not None
    held = replace(
        encoded,
        pieces=encoded.pieces.in_memory(),
        first=encoded.first.in_memory(),
        tags=encoded.tags.in_memory(),
    )
    stored, wanted = Batches(encoded, 4), Batches(held, 4)
    for ids in wanted.shuffled(0):
        got, batch = stored.collate(ids), wanted.collate(ids)
        for name in ("input_ids", "attention_mask", "word_index", "lengths", "tags"):
            assert torch.equal(getattr(got, name), getattr(batch, name)), name
