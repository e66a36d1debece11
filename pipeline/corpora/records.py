"""Sentences from records, a list of words and a list of tags each: JSON Lines, Arrow and Parquet files."""

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.corpora.schemes import FileScheme, SpanReader
from pipeline.corpora.tagging import Sentence
from pipeline.corpora.textfile import read_lines, refuse
from pipeline.errors import UserError, counted, is_unicode, one_line
from pipeline.fetching.checks import ARROW, PARQUET
from pipeline.fetching.hub import split_files

log = logging.getLogger(__name__)

_ROWS = 10_000  # of a Parquet file that are held at a time


def read_jsonl(
    path: Path,
    *,
    word: str = "tokens",
    tag: str = "ner_tags",
    names: Sequence[str] | None = None,
    scheme: FileScheme = "iob2",
    encoding: str = "utf-8",
    strict: bool = False,
    report: Callable[[str], None] = refuse,
    warn: Callable[[str], None] = log.warning,
) -> Iterator[Sentence]:
    """Read one JSON object a line; blank lines and sentences without words are left out.

    Empty words are left out with their tags, and counted in one warning.

    Args:
        path: the file, plain or gzipped.
        word: the key whose value lists the words.
        tag: the key whose value lists the tags, as names or as numbers.
        names: the names of tags that are numbers.
        scheme: of the tags; spans come out as IOB2.
        encoding: the file's.
        strict: refuse tags that break the scheme; else they are logged as one warning.
        report: called with each problem of a line, which is then skipped; raises UserError unless given.
        warn: called with what is odd about the file, at its end; logs it unless given.

    Raises:
        UserError: everything that is wrong with the file, as `FILE:LINE: what, and what to do`.
    """
    records = _Records(lambda number: f"{path}:{number}", word, tag, names, scheme, strict, report, warn)
    for number, line in read_lines(path, encoding):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            report(f"{path}:{number}: is no JSON ({one_line(error)}); write one object a line")
            continue
        if not isinstance(record, dict) or word not in record or tag not in record:
            report(
                f"{path}:{number}: is no object with {word!r} and {tag!r}; correct it, or set word and tag"
            )
            continue
        yield from records.read(number, record[word], record[tag])
    records.finish(path)


def read_arrow(
    path: Path,
    *,
    word: str = "tokens",
    tag: str = "ner_tags",
    names: Sequence[str] | None = None,
    scheme: FileScheme = "iob2",
    strict: bool = False,
    report: Callable[[str], None] = refuse,
    warn: Callable[[str], None] = log.warning,
) -> Iterator[Sentence]:
    """Read a Hugging Face data set: a folder written by `save_to_disk`, or Parquet or Arrow files.

    Empty words are left out with their tags, and counted in one warning.

    Args:
        path: one file, or a folder of them.
        word: the column whose values list the words.
        tag: the column whose values list the tags, as names or as numbers.
        names: the names of tags that are numbers; by default those the data set tells.
        scheme: of the tags; spans come out as IOB2.
        strict: refuse tags that break the scheme; else they are logged as one warning.
        report: called with each problem of a row, which is then skipped; raises UserError unless given.
        warn: called with what is odd about the file, at its end; logs it unless given.

    Raises:
        UserError: everything that is wrong with the files, as `PATH: row N: what, and what to do`, where the
            first row is 1.
    """
    files = _data_files(path)
    records = _Records(lambda number: f"{path}: row {number}", word, tag, names, scheme, strict, report, warn)
    number = 0
    for file in files:
        if names is None:  # each file may number its tags otherwise
            records.names = _label_names(path, file, tag) or records.names
        for words, tags in _rows(file, {"word": word, "tag": tag}):
            number += 1
            yield from records.read(number, words, tags)
    records.finish(path)


def column_values(path: Path, name: str, column: str, *, setting: str) -> Iterator[tuple[int, Any]]:
    """Row number from 1 and value of one column of the Parquet or Arrow files that `read_arrow` reads.

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
        for file in _data_files(path):
            for (value,) in _rows(file, {setting: column}):
                number += 1
                yield number, value
    except UserError as error:
        raise UserError(str(error).replace(str(path), name)) from None


class _Records:
    """Checks records and turns them into sentences."""

    def __init__(
        self,
        where: Callable[[int], str],
        word: str,
        tag: str,
        names: Sequence[str] | None,
        scheme: FileScheme,
        strict: bool,
        report: Callable[[str], None],
        warn: Callable[[str], None],
    ) -> None:
        self.where, self.word, self.tag, self.names, self.report = where, word, tag, names or (), report
        self.warn = warn
        self.spans = SpanReader(scheme, where, strict, report)
        self.any = False  # sentences
        self.empty = 0  # words
        self.first_empty: int | None = None

    def read(self, number: int, words: Any, tags: Any) -> Iterator[Sentence]:
        """The sentence of the record in line or row `number`; a record with a problem is reported."""
        if problem := self._word_problem(words) or self._tag_problem(tags, len(words)):
            self.report(f"{self.where(number)}: {problem}")
        elif words:
            iob2 = self.spans.read(self._named(tags), [number] * len(tags))
            if not all(words):
                words, iob2 = self._without_empty(number, words, iob2)
            if words:
                self.any = True
                yield Sentence(tuple(words), iob2)

    def finish(self, path: Path) -> None:
        """Say what was odd about all of them."""
        self.spans.warn(self.warn)
        if self.first_empty is not None:
            self.warn(
                f"{self.where(self.first_empty)}: holds the first empty word of {self.empty:,}; empty words "
                "are left out with their tags"
            )
        if not self.any:
            self.report(f"{path}: holds no sentence; give a file with labelled sentences")

    def _without_empty(
        self, number: int, words: Sequence[str], iob2: Sequence[str]
    ) -> tuple[list[str], tuple[str, ...]]:
        """Words and tags without the empty words; a span whose first word was empty starts at its second."""
        kept = [place for place, word in enumerate(words) if word]
        self.empty += len(words) - len(kept)
        self.first_empty = number if self.first_empty is None else self.first_empty
        tags, begins = list(iob2), False  # whether the first word of this span is yet to come
        if self.spans.scheme != "plain":
            for place, (word, tag) in enumerate(zip(words, iob2, strict=True)):
                begins = tag.startswith("B-") or (begins and tag.startswith("I-"))
                if word and begins:
                    tags[place], begins = f"B-{tag[2:]}", False
        return [words[place] for place in kept], tuple(tags[place] for place in kept)

    def _word_problem(self, words: Any) -> str | None:
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            return f"{self.word!r} is no list of words; correct it, or set word"
        if not all(map(is_unicode, words)):
            return f"{self.word!r} holds half a surrogate pair, which is no character; correct it"
        return None

    def _tag_problem(self, tags: Any, count: int) -> str | None:
        if not isinstance(tags, list) or not all(type(tag) in (str, int) for tag in tags):
            return f"{self.tag!r} is no list of tags; correct it, or set tag"
        if len(tags) != count:
            return f"has {counted(count, 'word')}, but {counted(len(tags), 'tag')}; correct it"
        numbers = [tag for tag in tags if isinstance(tag, int)]
        if numbers and not self.names:
            return f"{self.tag!r} holds numbers without names; set names to the list of tag names"
        for number in numbers:
            if not 0 <= number < len(self.names):
                return f"{self.tag!r} holds {number}, but names are 0 to {len(self.names) - 1}; correct it"
        problems = map(self.spans.problem, self._named(tags))
        if problem := next((problem for problem in problems if problem), None):
            return problem
        others = (tag for tag in tags if self.names and isinstance(tag, str) and tag not in self.names)
        if (other := next(others, None)) is not None:
            return f"{self.tag!r} holds {other!r}, which is none of the names; correct it, or names"
        return None

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


def _rows(file: Path, columns: dict[str, str]) -> Iterator[tuple[Any, ...]]:
    """The values of each row in `columns`, which have the settings that name them as keys."""
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
        with pa.OSFile(str(file)) as source, pa.ipc.open_stream(source) as stream:
            for batch in stream:
                yield batch.select(columns)


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
            f"{file}: is no readable {kind} file ({one_line(error)}); fetch or save it again"
        ) from None


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError, OSError) as error:
        raise UserError(f"{path}: is no readable JSON ({one_line(error)}); save the data set again") from None
