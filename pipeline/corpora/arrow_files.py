"""The columns of a data set's Arrow and Parquet files, as `save_to_disk` or the hub wrote them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.corpora.settings import SPLITS
from pipeline.errors import UserError, one_line
from pipeline.fetching.checks import ARROW, PARQUET
from pipeline.fetching.hub import split_files

_ROWS = 10_000  # of a Parquet file that are held at a time


def data_files(path: Path) -> list[Path]:
    """The files of a data set, a file or a folder, in order; `save_to_disk` lists them in state.json.

    Raises:
        UserError: there are none, they are of several splits, or state.json is damaged or names an index.
    """
    if path.is_file():
        return [path]
    state = path / "state.json"
    if state.is_file():
        listed = _json(state)
        try:
            names = [entry["filename"] for entry in listed["_data_files"]]
            rearranged = listed.get("_indices_data_files")
        except (KeyError, TypeError, AttributeError):
            raise UserError(f"{state}: damaged; save the data set again") from None
        if rearranged:
            raise UserError(
                f"{path}: its rows are rearranged by an index; call flatten_indices() and save it again"
            )
        if not all(isinstance(name, str) and name == Path(name).name for name in names):
            raise UserError(f"{state}: names files outside its folder; save the data set again")
        files = [path / name for name in names]
    else:
        files = sorted([*path.glob("*.parquet"), *path.glob("*.arrow")])
        if not files:  # by their first bytes, as a file that is given alone
            files = sorted(file for file in path.glob("*") if file.is_file() and _kind(file) != "stream")
        names = [file.name for file in files]
        splits = [split for split in SPLITS if split_files(str(path), names, split)]
        if len(splits) > 1:
            raise UserError(f"{path}: holds several splits ({', '.join(splits)}); give the files of one")
    if not files:
        raise UserError(f"{path}: holds no Arrow or Parquet files; give a folder that save_to_disk wrote")
    return files


def label_names(path: Path, file: Path, tag: str) -> list[str] | None:
    """The names of the class labels in column `tag`; None where neither folder nor file tells them.

    Args:
        path: the data set, which may be a folder with dataset_info.json.
        file: one of its files, whose metadata is read otherwise.
        tag: the column.

    Raises:
        UserError: dataset_info.json or the file cannot be read.
    """
    info = path / "dataset_info.json"
    described: Any = {}
    if info.is_file():
        described = _json(info)
    elif metadata := _schema(file).metadata:
        try:
            described = json.loads(metadata.get(b"huggingface", b"{}"))["info"]
        except (ValueError, KeyError, TypeError, RecursionError):
            return None
    try:
        feature = described["features"][tag]
        while "names" not in feature:
            feature = feature[0] if isinstance(feature, list) else feature["feature"]
        names = feature["names"]
    except (KeyError, TypeError, IndexError):
        return None
    return names if isinstance(names, list) and all(isinstance(name, str) for name in names) else None


def rows(file: Path, columns: dict[str, str]) -> Iterator[tuple[Any, ...]]:
    """The values of each row in `columns`, which have the settings that name them as keys.

    Raises:
        UserError: the file lacks a column, has it twice, or is damaged.
    """
    with _reading(file):
        held = _schema(file).names
    for setting, column in columns.items():
        if held.count(column) != 1:
            raise UserError(
                f"{file}: has no column {column!r} (but {one_line(', '.join(held))}); set {setting}"
            )
    with _reading(file):
        for batch in _batches(file, [*columns.values()]):
            batch.validate(full=True)
            yield from zip(*(batch.column(column).to_pylist() for column in columns.values()), strict=True)


def column_values(path: Path, name: str, column: str, *, setting: str) -> Iterator[tuple[int, Any]]:
    """Row number from 1 and value of one column of a data set.

    Args:
        path: one file, or a folder of them.
        name: of the files in messages.
        column: its name.
        setting: the parameter that names the column, for messages.

    Raises:
        UserError: there are no such files, or they lack the column or are damaged.
    """
    number = 0
    try:
        for file in data_files(path):
            for (value,) in rows(file, {setting: column}):
                number += 1
                yield number, value
    except UserError as error:
        raise UserError(str(error).replace(str(path), name)) from None


def _batches(file: Path, columns: list[str]) -> Iterator[pa.RecordBatch]:
    kind = _kind(file)
    if kind == "Parquet":
        with pq.ParquetFile(file) as parquet:
            yield from parquet.iter_batches(_ROWS, columns=columns)
    elif kind == "Arrow":
        with pa.OSFile(str(file)) as source, pa.ipc.open_file(source) as opened:
            for number in range(opened.num_record_batches):
                yield opened.get_batch(number).select(columns)
    else:
        for batch in _streamed(file):
            yield batch.select(columns)


def _streamed(file: Path) -> Iterator[pa.RecordBatch]:
    """The batches of a stream, which must end with its mark.

    Arrow takes the end of the file for the stream's end, too. Reading a mark moves on in the file; the same
    bytes may also end a batch.
    """
    with pa.OSFile(str(file)) as source, pa.ipc.open_stream(source) as stream:
        while True:
            place = source.tell()
            try:
                batch = stream.read_next_batch()
            except StopIteration:
                break
            yield batch
        if source.tell() == place:
            raise UserError(
                f"{file}: lacks the mark of an Arrow stream's end, so it may be cut; fetch or save it again"
            )
        if source.tell() < source.size():
            raise UserError(f"{file}: goes on behind the end of its Arrow stream; give each stream as a file")


def _kind(file: Path) -> str:
    """What a file is by its first bytes: Parquet, Arrow, or else a stream of Arrow's, which has no mark."""
    with file.open("rb") as opened:
        head = opened.read(max(len(PARQUET), len(ARROW)))
    return "Parquet" if head.startswith(PARQUET) else "Arrow" if head.startswith(ARROW) else "stream"


def _schema(file: Path) -> pa.Schema:
    with _reading(file):
        if (kind := _kind(file)) == "Parquet":
            return pq.read_schema(file)
        open_arrow = pa.ipc.open_file if kind == "Arrow" else pa.ipc.open_stream
        with pa.OSFile(str(file)) as source, open_arrow(source) as opened:
            return opened.schema


@contextmanager
def _reading(file: Path) -> Iterator[None]:
    """What goes wrong while Arrow reads is the file's fault: it raises a dozen kinds."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        kind = file.suffix or "Arrow"
        raise UserError(
            f"{file}: is not a readable {kind} file ({one_line(error)}); fetch or save it again"
        ) from None


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError, OSError) as error:
        raise UserError(
            f"{path}: is not readable JSON ({one_line(error)}); save the data set again"
        ) from None
