"""Sentences from records, a list of words and a list of tags each: JSON Lines, Arrow and Parquet files."""

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pipeline.corpora.arrow_files import data_files, label_names, rows
from pipeline.corpora.lines import read_lines, refuse
from pipeline.corpora.schemes import FileScheme, SpanReader
from pipeline.corpora.tagging import Sentence
from pipeline.errors import counted, is_encodable, one_line

log = logging.getLogger(__name__)


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
    spans = SpanReader(scheme, lambda number: f"{path}:{number}", strict, report)
    records = _Records(word, tag, names, spans, warn)
    for number, line in read_lines(path, encoding, warn=warn):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            report(f"{path}:{number}: is not JSON ({one_line(error)}); write one object a line")
            continue
        if record and isinstance(record, list):
            told = "write an object on each line, for example with jq -c '.[]'"
            report(f"{path}:{number}: is a JSON array; {told}")
            continue
        if not isinstance(record, dict) or word not in record or tag not in record:
            report(
                f"{path}:{number}: is not an object with {word!r} and {tag!r}; correct it or set word and tag"
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
        UserError: everything that is wrong with the files, as `FILE: row N: what, and what to do`, where the
            first row of each file is 1.
    """
    begun: list[tuple[int, Path]] = []  # the rows before each file
    spans = SpanReader(scheme, lambda number: _row(begun, number), strict, report)
    records = _Records(word, tag, names, spans, warn)
    number = 0
    for file in data_files(path):
        begun.append((number, file))
        if names is None:  # each file may number its tags otherwise
            records.names = label_names(path, file, tag) or records.names
        for words, tags in rows(file, {"word": word, "tag": tag}):
            number += 1
            yield from records.read(number, words, tags)
    records.finish(path)


def _row(begun: Sequence[tuple[int, Path]], number: int) -> str:
    """File and row in it of the row `number` of a data set; `begun` has the rows before each file."""
    before, file = next(pair for pair in reversed(begun) if pair[0] < number)
    return f"{file}: row {number - before}"


class _Records:
    """Checks records and turns them into sentences."""

    def __init__(
        self,
        word: str,
        tag: str,
        names: Sequence[str] | None,
        spans: SpanReader,
        warn: Callable[[str], None],
    ) -> None:
        self.word, self.tag, self.names, self.spans, self.warn = word, tag, names or (), spans, warn
        self.has_sentence = False
        self.empty_words = 0
        self.first_empty: int | None = None  # line or row of the first empty word

    def read(self, number: int, words: Any, tags: Any) -> Iterator[Sentence]:
        """The sentence of the record in line or row `number`; a record with a problem is reported."""
        if problem := self._word_problem(words) or self._tag_problem(tags, len(words)):
            self.spans.report(f"{self.spans.where(number)}: {problem}")
        elif words:
            iob2 = self.spans.read(self._named(tags), [number] * len(tags))
            if not all(words):
                words, iob2 = self._without_empty(number, words, iob2)
            if words:
                self.has_sentence = True
                yield Sentence(tuple(words), iob2)

    def finish(self, path: Path) -> None:
        """Warn of what is odd about the records as a whole; report it if `path` holds no sentence."""
        self.spans.warn(self.warn)
        if self.first_empty is not None:
            self.warn(
                f"{self.spans.where(self.first_empty)}: holds the first empty word of {self.empty_words:,}; "
                "empty words are left out with their tags"
            )
        if not self.has_sentence:
            self.spans.report(f"{path}: holds no sentence; give a file with labelled sentences")

    def _without_empty(
        self, number: int, words: Sequence[str], iob2: Sequence[str]
    ) -> tuple[list[str], tuple[str, ...]]:
        """Words and tags without the empty words; a span whose first word was empty starts at its second."""
        kept = [place for place, word in enumerate(words) if word]
        self.empty_words += len(words) - len(kept)
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
            return f"{self.word!r} is not a list of words; correct it, or set word"
        if not all(map(is_encodable, words)):
            return f"{self.word!r} contains a lone surrogate, which is not a character; correct it"
        return None

    def _tag_problem(self, tags: Any, count: int) -> str | None:
        if not isinstance(tags, list) or not all(type(tag) in (str, int) for tag in tags):
            return f"{self.tag!r} is not a list of tags; correct it, or set tag"
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
            return f"{self.tag!r} holds {other!r}, which is not one of the names; correct it, or names"
        return None

    def _named(self, tags: Sequence[str | int]) -> list[str]:
        return [self.names[tag] if isinstance(tag, int) else tag for tag in tags]
