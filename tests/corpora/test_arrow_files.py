"""The columns of Arrow and Parquet files, whatever their names; a damaged file is one line that names it."""

import json
import re
import struct
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.corpora import arrow_files
from pipeline.corpora.arrow_files import column_values, data_files, label_names
from pipeline.errors import UserError
from tests.helpers.arrow_data import save_to_disk, write_stream

NAMES = ["O", "B-X", "I-X"]
WORDS = [["a", "b"], ["c"], []]
TAGS = [[1, 2], [0], []]
LABEL = {"names": NAMES, "_type": "ClassLabel"}
COLUMNS = {"word": "tokens", "tag": "ner_tags"}


def table(features: Any = None) -> pa.Table:
    made = pa.table({"id": range(3), "tokens": WORDS, "ner_tags": TAGS})
    if features is None:
        return made
    return made.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})


def read(file: Path) -> list[tuple[Any, ...]]:
    return list(arrow_files.rows(file, COLUMNS))


ROWS = list(zip(WORDS, TAGS, strict=True))


def write_file(data: pa.Table, path: Path) -> None:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, data.schema) as writer:
        writer.write_table(data, max_chunksize=2)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("f.PARQUET", lambda data, path: pq.write_table(data, path, row_group_size=1)),
        ("f.pq", pq.write_table),
        ("f.arrow", write_file),
        ("f.feather", write_file),
        ("stream", write_stream),
        ("f.parquet", write_stream),  # what it is called does not matter
    ],
)
def test_a_file_is_known_by_its_first_bytes(tmp_path: Path, name: str, write: Any) -> None:
    write(table(), tmp_path / name)
    assert data_files(tmp_path / name) == [tmp_path / name]
    assert read(tmp_path / name) == ROWS
    write(table()[:0], tmp_path / name)
    assert read(tmp_path / name) == []


def test_columns_come_in_the_order_asked_for_and_missing_ones_are_named(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(table(), path)
    asked = {"tag": "ner_tags", "word": "tokens"}
    assert list(arrow_files.rows(path, asked)) == [(tags, words) for words, tags in ROWS]
    with pytest.raises(UserError) as caught:
        list(arrow_files.rows(path, {"word": "words"}))
    assert str(caught.value) == f"{path}: has no column 'words' (but id, tokens, ner_tags); set word"
    pq.write_table(pa.Table.from_arrays([[1], [2]], names=["a", "a"]), path)
    with pytest.raises(UserError, match=r"has no column 'a' \(but a, a\); set tag$"):
        list(arrow_files.rows(path, {"tag": "a"}))


def test_the_files_of_a_folder_are_in_order_and_others_are_left_out(tmp_path: Path) -> None:
    for name in ("b.parquet", "a.arrow", "c.parquet"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "README.md").write_text("text")
    assert [file.name for file in data_files(tmp_path)] == ["a.arrow", "b.parquet", "c.parquet"]


def test_without_a_known_name_the_files_of_a_folder_are_known_by_their_bytes(tmp_path: Path) -> None:
    pq.write_table(table(), tmp_path / "2")
    write_file(table(), tmp_path / "1")
    (tmp_path / "notes").write_text("text")
    (tmp_path / "folder").mkdir()
    assert [file.name for file in data_files(tmp_path)] == ["1", "2"]


def test_a_saved_data_set_has_its_files_in_the_order_of_its_state(tmp_path: Path) -> None:
    folder = save_to_disk(tmp_path / "a", table()[:1], table()[1:], features={})
    listed = json.loads((folder / "state.json").read_text())
    assert data_files(folder) == [folder / entry["filename"] for entry in listed["_data_files"]]
    listed["_data_files"].reverse()
    (folder / "state.json").write_text(json.dumps(listed))
    assert data_files(folder) == [folder / entry["filename"] for entry in listed["_data_files"]]


def test_a_folder_with_several_splits_is_refused(tmp_path: Path) -> None:
    for name in ("train-00000-of-00002", "train-00001-of-00002", "validation-00000-of-00001"):
        pq.write_table(table(), tmp_path / f"{name}.parquet")
    with pytest.raises(UserError, match=r"holds several splits \(train, dev\); give the files of one"):
        data_files(tmp_path)
    (tmp_path / "validation-00000-of-00001.parquet").unlink()
    assert len(data_files(tmp_path)) == 2


@pytest.mark.parametrize("made", [False, True])
def test_a_folder_without_files_is_refused(tmp_path: Path, made: bool) -> None:
    folder = tmp_path / "none"
    if made:
        folder.mkdir()
        (folder / "notes.txt").write_text("text")
    with pytest.raises(
        UserError, match=rf"^{folder}: holds no Arrow or Parquet files; give a folder that sa"
    ):
        data_files(folder)


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"_data_files": [{"filename": "../x.arrow"}]}', '{"_data_files": [{"filename": 1}]}'],
)
def test_damaged_states_are_named(tmp_path: Path, content: str) -> None:
    folder = save_to_disk(tmp_path / "a", table(), features={})
    (folder / "state.json").write_text(content)
    with pytest.raises(UserError, match=re.escape(str(folder / "state.json"))):
        data_files(folder)


def test_rows_that_an_index_rearranges_are_refused(tmp_path: Path) -> None:
    folder = save_to_disk(tmp_path / "a", table(), features={}, _indices_data_files=[{"filename": "i"}])
    with pytest.raises(UserError, match=r"call flatten_indices\(\) and save it again$"):
        data_files(folder)


@pytest.mark.parametrize(
    "feature", [{"feature": LABEL, "_type": "List"}, {"feature": LABEL, "length": -1}, [LABEL], LABEL]
)
def test_names_of_class_labels_are_found_in_whatever_list_they_stand(tmp_path: Path, feature: Any) -> None:
    folder = save_to_disk(tmp_path / "a", table(), features={"ner_tags": feature})
    (file,) = data_files(folder)
    assert label_names(folder, file, "ner_tags") == NAMES
    assert label_names(folder, file, "other") is None
    for path, write in ((tmp_path / "x.parquet", pq.write_table), (tmp_path / "x.arrow", write_stream)):
        write(table({"ner_tags": feature}), path)
        assert label_names(path, path, "ner_tags") == NAMES


@pytest.mark.parametrize(
    "features", [None, {}, {"ner_tags": None}, {"ner_tags": []}, {"ner_tags": {"names": [1, 2]}}]
)
def test_where_no_names_are_told_there_are_none(tmp_path: Path, features: Any) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(table(features), path)
    assert label_names(path, path, "ner_tags") is None


def test_values_are_numbered_over_all_files_of_a_folder(tmp_path: Path) -> None:
    pq.write_table(table()[:2], tmp_path / "0.parquet")
    pq.write_table(table()[2:], tmp_path / "1.parquet")
    found = column_values(tmp_path, "@hub", "tokens", setting="text")
    assert list(found) == [(1, WORDS[0]), (2, WORDS[1]), (3, WORDS[2])]
    with pytest.raises(UserError, match=r"^@hub/0\.parquet: has no column 'x' .*; set text$"):
        next(column_values(tmp_path, "@hub", "x", setting="text"))


@pytest.mark.parametrize("name", ["page.parquet", "page.arrow", "page"])
def test_a_file_of_another_kind_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("<html>")
    kind = Path(name).suffix or "Arrow"
    with pytest.raises(
        UserError, match=rf"^{tmp_path / name}: is not a readable {kind} file .*; fetch or sav"
    ):
        read(tmp_path / name)


@pytest.mark.parametrize("write", [pq.write_table, write_stream, write_file])
def test_a_file_that_is_cut_is_named_and_gives_no_row_too_few(tmp_path: Path, write: Any) -> None:
    path = tmp_path / "x.arrow"
    write(table(), path)
    whole = path.read_bytes()
    for end in range(8, len(whole), 13):
        path.write_bytes(whole[:end])
        with pytest.raises(UserError, match=rf"^{path}: ") as caught:
            read(path)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("old_format", [False, True])
def test_a_stream_that_is_cut_between_batches_is_refused(tmp_path: Path, old_format: bool) -> None:
    """The last batch ends with the bytes of the mark itself, so that bytes alone do not tell."""
    data = pa.table({"tokens": [["a"]], "ner_tags": [["O"]], "id": pa.array([2**32 - 1], pa.int64())})
    whole, mark = tmp_path / "whole.arrow", 4 if old_format else 8
    options = pa.ipc.IpcWriteOptions(use_legacy_format=old_format)
    with pa.OSFile(str(whole), "wb") as sink, pa.ipc.new_stream(sink, data.schema, options=options) as stream:
        stream.write_table(data)
        stream.write_table(data)
    assert len(read(whole)) == 2
    cut = tmp_path / "cut.arrow"
    cut.write_bytes(whole.read_bytes()[:-mark])
    assert cut.read_bytes().endswith(b"\xff\xff\xff\xff\0\0\0\0")
    with pytest.raises(
        UserError, match=rf"^{cut}: lacks the mark of an Arrow stream's end, .*; fetch or save"
    ):
        read(cut)
    twice = tmp_path / "twice.arrow"
    twice.write_bytes(2 * whole.read_bytes())
    with pytest.raises(UserError, match=rf"^{twice}: goes on behind the end of its Arrow stream; give each"):
        read(twice)


def test_lists_that_reach_past_their_values(tmp_path: Path) -> None:
    path = tmp_path / "x.arrow"
    write_stream(pa.table({"tokens": [["a", "b"], ["c", "d", "e"]], "ner_tags": [[0, 1], [2]]}), path)
    data = path.read_bytes()
    offsets = struct.pack("<3i", 0, 2, 3)
    assert data.count(offsets) == 1
    path.write_bytes(data.replace(offsets, struct.pack("<3i", 0, 2, 5)))
    with pytest.raises(UserError, match=r"x.arrow: is not a readable .arrow file \(.*offset"):
        read(path)
