"""Numbers of an encoded split stay in their file, and what was read of it is given back."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from pipeline.batching import Batches
from pipeline.encoding import load
from pipeline.mapped import UNREADABLE, MappedTensors


def resident(path: Path) -> int:
    """Bytes of the file's mapping that this process holds in memory now."""
    lines = iter(Path("/proc/self/smaps").read_text().splitlines())
    for line in lines:
        if line.endswith(str(path)):
            return next(int(entry.split()[1]) * 1024 for entry in lines if entry.startswith("Rss:"))
    raise AssertionError(f"{path} is not mapped")


def test_tensors_are_those_of_the_library(tmp_path: Path) -> None:
    path = tmp_path / "numbers.safetensors"
    save_file(
        {"a": np.arange(7, dtype=np.int32), "b": -np.arange(3), "empty": np.zeros(0, np.int32)},
        path,
        {"note": "x"},
    )
    tensors, wanted = MappedTensors(path).tensors, load_file(path)
    assert tensors.keys() == wanted.keys()
    for name, tensor in tensors.items():
        assert tensor.numpy().dtype == wanted[name].dtype
        assert tensor.tolist() == wanted[name].tolist()


def test_a_change_never_reaches_the_file(tmp_path: Path) -> None:
    path = tmp_path / "numbers.safetensors"
    save_file({"a": np.arange(7, dtype=np.int32)}, path)
    whole = path.read_bytes()
    MappedTensors(path).tensors["a"][0] = 9
    assert path.read_bytes() == whole


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 64, b"\x03" + b"\0" * 7 + b"[1]"])
def test_another_file_is_an_ordinary_error(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "numbers.safetensors"
    path.write_bytes(content)
    with pytest.raises(UNREADABLE):
        MappedTensors(path)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_what_was_read_is_given_back(tmp_path: Path) -> None:
    path = tmp_path / "numbers.safetensors"
    save_file({"a": np.arange(1 << 20, dtype=np.int32)}, path)
    mapped = MappedTensors(path)
    assert int(mapped.tensors["a"].max()) == (1 << 20) - 1
    assert resident(path) >= 4 << 20
    mapped.release()
    assert resident(path) == 0
    assert int(mapped.tensors["a"][-1]) == (1 << 20) - 1


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_batches_hold_nothing_of_the_split(corpus: Path) -> None:
    batches = Batches(load(corpus / "train.parquet"), 4)
    path = corpus / "train.safetensors"
    assert resident(path) == 0
    for ids in [*batches.shuffled(0), torch.arange(len(batches.encoded))]:
        batches.batch(ids)
        assert resident(path) == 0


def test_every_truncation_is_an_ordinary_error(tmp_path: Path) -> None:
    path = tmp_path / "numbers.safetensors"
    save_file({"a": np.arange(7, dtype=np.int32), "b": np.arange(3)}, path)
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(UNREADABLE):
            MappedTensors(path)
