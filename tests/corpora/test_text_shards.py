"""Shards give back the words that were written, one row group at a time."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.corpora import text_shards
from pipeline.corpora.text_shards import read_shards, write_shards
from pipeline.errors import UserError

GROUPS = [[["ba", "ne"], ["ri"]], [["中文"]], [["a b", "\t"], ["c"], ["d"]]]


def test_shards_give_back_what_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_shards, "GROUPS", 2)
    write_shards(GROUPS, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["text-00000.parquet", "text-00001.parquet"]
    assert [group.to_pylist() for group in read_shards(tmp_path)] == GROUPS


def test_a_group_is_asked_for_when_the_one_before_is_written(tmp_path: Path) -> None:
    sizes = []

    def groups() -> Iterator[list[list[str]]]:
        for number in range(50):
            sizes.append((tmp_path / "text-00000.parquet").stat().st_size if number else 0)
            yield [[str(number * 1000 + word) for word in range(1000)]]

    write_shards(groups(), tmp_path)
    assert sizes[-1] > sizes[25] > sizes[2]


def test_no_sentences_are_no_shard(tmp_path: Path) -> None:
    write_shards([], tmp_path)
    assert list(tmp_path.iterdir()) == list(read_shards(tmp_path)) == []


def test_a_damaged_shard_is_named(tmp_path: Path) -> None:
    (tmp_path / "text-00000.parquet").write_bytes(b"PAR1 but no Parquet")
    with pytest.raises(UserError, match=r"text-00000\.parquet: cannot be read .* run `dvc repro text`"):
        list(read_shards(tmp_path))
