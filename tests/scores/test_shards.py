"""One shard by itself: what it says about the store, and the row groups that lie in it."""

from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.errors import UserError
from pipeline.scores.shards import Header, RowGroup, Shard, first_not_finite, repeated, write_shard
from tests.helpers.score_cases import ORIGIN, TAGS, Teacher


def header() -> Header:
    return Header(ORIGIN, Teacher().parameters, "float32", sentences=9, shards=2)


def group(*ids: int) -> RowGroup:
    """Sentences of two words each."""
    values = np.random.default_rng(ids[0]).normal(size=(2 * len(ids), len(TAGS))).astype(np.float32)
    return RowGroup(np.array(ids), np.full(len(ids), 2), values)


def test_a_header_comes_back_from_its_json_to_the_bit() -> None:
    written = header()
    read = Header.of_json(written.as_json())
    assert (read.origin, read.dtype, read.sentences, read.shards) == (ORIGIN, "float32", 9, 2)
    for one, other in zip(read.parameters, written.parameters, strict=True):
        assert torch.equal(one, other)


def test_a_shard_gives_back_its_row_groups_and_where_their_numbers_lie(tmp_path: Path) -> None:
    path = tmp_path / "shard.parquet"
    groups = [group(4, 0), group(7)]
    write_shard(path, header(), 1, groups)
    shard = Shard(path)
    assert (shard.number, shard.word_bytes) == (1, 4 * len(TAGS))
    content = path.read_bytes()
    for (found, starts), wanted in zip(shard.row_groups(), groups, strict=True):
        assert found.ids.tolist() == wanted.ids.tolist()
        assert found.lengths.tolist() == wanted.lengths.tolist()
        assert np.array_equal(found.emissions, wanted.emissions)
        size = 2 * shard.word_bytes
        stored = b"".join(content[start : start + size] for start in starts)
        assert stored == wanted.emissions.tobytes()


def test_an_id_outside_the_split_is_refused(tmp_path: Path) -> None:
    write_shard(tmp_path / "shard.parquet", header(), 0, [group(9)])
    with pytest.raises(UserError, match=r"shard\.parquet: holds an id outside 0 … 8"):
        list(Shard(tmp_path / "shard.parquet").row_groups())


def test_the_first_sentence_that_is_not_finite_is_found() -> None:
    values = np.zeros(12, np.float32)
    lengths = np.array([2, 1, 3])
    assert first_not_finite(values, lengths, tags=2) is None
    for place, sentence in ((0, 0), (3, 0), (4, 1), (6, 2), (11, 2)):
        bad = values.copy()
        bad[place] = np.nan
        assert first_not_finite(bad, lengths, tags=2) == sentence


def test_ids_that_are_there_twice() -> None:
    assert repeated(np.array([3, 1, 2])).tolist() == []
    assert repeated(np.array([3, 1, 3, 2, 1])).tolist() == [1, 3]
