"""Bytes from any place of a file that stays open: those of the file, or an error, and closed in the end."""

import gc
import os
import sys
from pathlib import Path

import pytest

from pipeline.storage.open_file import OpenFile

CONTENT = bytes(range(100))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "file").write_bytes(CONTENT)
    return tmp_path / "file"


def test_bytes_are_those_of_the_file(path: Path) -> None:
    file = OpenFile(path)
    assert file.size == len(CONTENT)
    assert file.read(0, 100) == CONTENT
    assert file.read(40, 3) == CONTENT[40:43]
    assert file.read(100, 0) == b""
    assert file.read_all([(90, 10), (0, 2), (1, 0), (0, 2)]) == CONTENT[90:] + CONTENT[:2] * 2
    assert file.read_all([]) == b""


def test_the_system_may_give_less_than_was_asked(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Linux gives at most 2 GiB at once."""
    whole = os.pread
    monkeypatch.setattr(os, "pread", lambda number, size, start: whole(number, min(size, 7), start))
    assert OpenFile(path).read(3, 60) == CONTENT[3:63]


def test_what_lies_behind_the_end_is_an_error(path: Path) -> None:
    file = OpenFile(path)
    with pytest.raises(OSError, match="cut short"):
        file.read(99, 2)
    os.truncate(path, 50)
    with pytest.raises(OSError, match="cut short"):
        file.read_all([(0, 10), (45, 10)])


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_it_is_closed_with_its_last_user(path: Path) -> None:
    gc.collect()
    before = os.listdir("/proc/self/fd")  # noqa: PTH208
    file = OpenFile(path)
    assert len(os.listdir("/proc/self/fd")) == len(before) + 1  # noqa: PTH208
    del file
    assert os.listdir("/proc/self/fd") == before  # noqa: PTH208
