"""Sentences from records, a list of words and a list of tags each: JSON Lines, Arrow and Parquet files."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.corpora.tagging import Sentence, SpanReader, tag_problem
from pipeline.corpora.textfile import read_lines, refuse
from pipeline.errors import UserError, is_unicode, one_line
from pipeline.fetching.hub import split_files


def read_jsonl(
    path: Path,
    *,
    word: str = "tokens",
    tag: str | None = "ner_tags",
    names: Sequence[str] | None = None,
    scheme: str = "iob2",
    encoding: str = "utf-8",
    strict: bool = False,
    report: Callable[[str], None] = refuse,
) -> list[Sentence]:
    """Read one JSON object a line; blank lines and sentences without words are passed over.

    Args:
        path: the file, plain or gzipped.
        word: the key whose value lists the words.
        tag: the key whose value lists the tags, as names or as numbers; None reads words alone.
        names: the names of tags that are numbers.
        scheme: iob1, iob2, bioes or plain; spans come out as IOB2.
        encoding: the file's.
        strict: refuse tags that break the scheme; else they are logged as one warning.
        report: called with each problem of a line, which is then skipped; raises UserError unless given.

    Raises:
        UserError: everything that is wrong with the file, as `FILE:LINE: what, and what to do`.
    """
    records = _Records(lambda number: f"{path}:{number}", word, tag, names, scheme, strict, report)
    for number, line in read_lines(path, encoding):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            report(f"{path}:{number}: is no JSON ({one_line(error)}); write one object a line")
            continue
        if not isinstance(record, dict) or word not in record or (tag and tag not in record):
            wanted = " and ".join(repr(key) for key in (word, tag) if key)
            report(f"{path}:{number}: is no object with {wanted}; correct it, or set word and tag")
            continue
        records.add(number, record[word], record[tag] if tag else None)
    return records.finish(path)


def read_arrow(
    path: Path,
    *,
    word: str = "tokens",
    tag: str | None = "ner_tags",
    names: Sequence[str] | None = None,
    scheme: str = "iob2",
    strict: bool = False,
    report: Callable[[str], None] = refuse,
) -> list[Sentence]:
    """Read a Hugging Face data set: a folder written by `save_to_disk`, or Parquet or Arrow files.

    Args:
        path: one file, or a folder of them.
        word: the column whose values list the words.
        tag: the column whose values list the tags, as names or as numbers; None reads words alone.
        names: the names of tags that are numbers; by default those the data set tells.
        scheme: iob1, iob2, bioes or plain; spans come out as IOB2.
        strict: refuse tags that break the scheme; else they are logged as one warning.
        report: called with each problem of a row, which is then skipped; raises UserError unless given.

    Raises:
        UserError: everything that is wrong with the files, as `PATH: row N: what, and what to do`, where the
            first row is 1.
    """
    files = _data_files(path)
    if names is None and tag:
        names = _label_names(path, files[0], tag)
    records = _Records(lambda number: f"{path}: row {number}", word, tag, names, scheme, strict, report)
    number = 0
    for file in files:
        for words, tags in _rows(file, word, tag):
            number += 1
            records.add(number, words, tags)
    return records.finish(path)


class _Records:
    """Checks records and collects their sentences."""

    def __init__(
        self,
        where: Callable[[int], str],
        word: str,
        tag: str | None,
        names: Sequence[str] | None,
        scheme: str,
        strict: bool,
        report: Callable[[str], None],
    ) -> None:
        self.where, self.word, self.tag, self.names, self.report = where, word, tag, names or (), report
        self.spans = SpanReader(scheme, where, strict, report)
        self.sentences: list[Sentence] = []

    def add(self, number: int, words: Any, tags: Any) -> None:
        """Take the record in line or row `number`, or report it."""
        problem = self._word_problem(words)
        if self.tag and not problem:
            problem = self._tag_problem(tags, len(words))
        if problem:
            self.report(f"{self.where(number)}: {problem}")
        elif words:
            iob2 = self.spans.read(self._named(tags), [number] * len(tags)) if self.tag else None
            self.sentences.append(Sentence(tuple(words), iob2))

    def finish(self, path: Path) -> list[Sentence]:
        """The sentences; says what was odd about them."""
        self.spans.warn()
        if not self.sentences:
            self.report(f"{path}: holds no sentence; give a file with labelled sentences")
        return self.sentences

    def _word_problem(self, words: Any) -> str | None:
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            return f"{self.word!r} is no list of words; correct it, or set word"
        if not all(word and is_unicode(word) for word in words):
            return f"{self.word!r} holds an empty word or half a surrogate pair; correct it"
        return None

    def _tag_problem(self, tags: Any, count: int) -> str | None:
        if not isinstance(tags, list) or not all(type(tag) in (str, int) for tag in tags):
            return f"{self.tag!r} is no list of tags; correct it, or set tag"
        if len(tags) != count:
            return f"has {count:,} words, but {len(tags):,} tags; correct it"
        numbers = [tag for tag in tags if isinstance(tag, int)]
        if numbers and not self.names:
            return f"{self.tag!r} holds numbers without names; set names to the list of tag names"
        for number in numbers:
            if not 0 <= number < len(self.names):
                return f"{self.tag!r} holds {number}, but names are 0 to {len(self.names) - 1}; correct it"
        problems = (tag_problem(tag, self.spans.scheme) for tag in self._named(tags))
        return next((problem for problem in problems if problem), None)

    def _named(self, tags: Sequence[str | int]) -> list[str]:
        return [self.names[tag] if isinstance(tag, int) else tag for tag in tags]


def _data_files(path: Path) -> list[Path]:
    """The files of a data set in order; `save_to_disk` lists them in state.json."""
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
        names = [file.name for file in files]
        splits = [split for split in ("train", "dev", "test") if split_files(str(path), names, split)]
        if len(splits) > 1:
            raise UserError(f"{path}: holds several splits ({', '.join(splits)}); give the files of one")
    if not files:
        raise UserError(f"{path}: holds no Arrow or Parquet files; give a folder that save_to_disk wrote")
    return files


def _label_names(path: Path, file: Path, tag: str) -> list[str] | None:
    """Names of the class labels in column `tag`, as the data set's own description tells them."""
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


def _rows(file: Path, word: str, tag: str | None) -> Iterator[tuple[Any, Any]]:
    """Words and tags (None where `tag` is) of each row."""
    columns = [word, tag] if tag else [word]
    with _reading(file):
        held = _schema(file).names
    for setting, column in zip(("word", "tag"), columns, strict=False):
        if held.count(column) != 1:
            raise UserError(
                f"{file}: has no column {column!r} (but {one_line(', '.join(held))}); set {setting}"
            )
    with _reading(file):
        for batch in _batches(file, columns):
            batch.validate(full=True)
            words = batch.column(word).to_pylist()
            yield from zip(words, batch.column(tag).to_pylist() if tag else [None] * len(words), strict=True)


def _batches(file: Path, columns: list[str]) -> Iterator[pa.RecordBatch]:
    if file.suffix == ".parquet":
        with pq.ParquetFile(file) as parquet:
            yield from parquet.iter_batches(columns=columns)
    else:
        with pa.OSFile(str(file)) as source, pa.ipc.open_stream(source) as stream:
            for batch in stream:
                yield batch.select(columns)


def _schema(file: Path) -> pa.Schema:
    with _reading(file):
        if file.suffix == ".parquet":
            return pq.read_schema(file)
        with pa.OSFile(str(file)) as source, pa.ipc.open_stream(source) as stream:
            return stream.schema


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
            f"{file}: is no readable {kind} file ({one_line(error)}); fetch or save it again"
        ) from None


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError, OSError) as error:
        raise UserError(f"{path}: is no readable JSON ({one_line(error)}); save the data set again") from None
