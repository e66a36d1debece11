"""Corpus files → sentences. An error names file and line; nothing here knows a model."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from pipeline.errors import UserError
from pipeline.tagging import Sentence, TagSet, check_scheme, tag_problem, to_iob2
from pipeline.textfile import read_lines

__all__ = ["Sentence", "TagSet", "check_counts", "hold_out", "read_conll"]

DOCUMENT = "-DOCSTART-"

log = logging.getLogger(__name__)


def refuse(problem: str) -> None:
    """What readers do with a problem unless told otherwise: raise it."""
    raise UserError(problem)


def read_conll(
    path: Path,
    *,
    word: int = 0,
    tag: int | None = -1,
    scheme: str = "iob2",
    encoding: str = "utf-8",
    separator: str | None = None,
    strict: bool = False,
    report: Callable[[str], None] = refuse,
) -> list[Sentence]:
    """Read columns: one word a line, a blank line after each sentence, `-DOCSTART-` lines between documents.

    Spans come out as IOB2 whatever `scheme` they are in. A tag that breaks the scheme (an I- that continues
    nothing) is read as the CoNLL evaluation script does, and logged as one warning per file.

    Args:
        path: the file, plain or gzipped.
        word: column of the word; negative counts from the end.
        tag: column of the tag; None reads words alone.
        scheme: iob1, iob2, bioes or plain.
        encoding: the file's.
        separator: what stands between columns; None means any run of spaces and tabs.
        strict: refuse tags that break the scheme.
        report: called with each problem of a line, which is then skipped; raises UserError unless given.

    Raises:
        UserError: everything that is wrong with the file, as `FILE:LINE: what, and what to do`.
    """
    check_scheme(scheme)
    if separator == "":
        raise UserError("separator: is empty; leave it out for spaces and tabs")
    spans = _Spans(path, scheme, strict, report)
    words: list[str] = []
    tags: list[str] = []
    lines: list[int] = []
    sentences = []
    columns = first = 0

    def end_sentence() -> None:
        if words:
            sentences.append(Sentence(tuple(words), None if tag is None else spans.read(tags, lines)))
        for part in (words, tags, lines):
            part.clear()

    for number, line in read_lines(path, encoding):
        if not line.strip(" \t"):
            end_sentence()
            continue
        cells = _cells(line, separator)
        if cells[0] == DOCUMENT:
            end_sentence()
            continue
        if not columns:
            columns, first = len(cells), number
            _check_columns(f"{path}:{number}", columns, {"word": word, "tag": tag})
        if len(cells) != columns:
            report(
                f"{path}:{number}: has {len(cells)} columns, but line {first} has {columns}; "
                "correct the line (or set separator, if words hold spaces)"
            )
        elif not cells[word]:
            report(f"{path}:{number}: the word in column {word} is empty; correct the line")
        elif tag is not None and (problem := tag_problem(cells[tag], scheme)):
            report(f"{path}:{number}: {problem}")
        else:
            words.append(cells[word])
            lines.append(number)
            if tag is not None:
                tags.append(cells[tag])
    end_sentence()
    spans.warn()
    if not sentences:
        report(f"{path}: holds no sentence; give a file with words in columns")
    return sentences


def hold_out(sentences: Sequence[Sentence], count: int) -> tuple[list[Sentence], list[Sentence]]:
    """Split the last `count` sentences off, as development: (the rest, the last ones).

    Raises:
        UserError: nothing would be left on one side.
    """
    if not 0 < count < len(sentences):
        raise UserError(
            f"hold_out: {count} of {len(sentences):,} sentences; choose 1 to {len(sentences) - 1:,}"
        )
    return list(sentences[:-count]), list(sentences[-count:])


def check_counts(
    sentences: Sequence[Sentence], name: str | Path, *, expect_sentences: int | None, expect_words: int | None
) -> None:
    """Compare a split with its published size; None is not compared.

    Raises:
        UserError: it differs; the message starts with `name` and gives both sizes.
    """
    for noun, count, expected in (
        ("sentences", len(sentences), expect_sentences),
        ("words", sum(len(sentence.words) for sentence in sentences), expect_words),
    ):
        if expected is not None and count != expected:
            raise UserError(
                f"{name}: holds {count:,} {noun}, but {expected:,} are expected; "
                "fetch the right file or correct the corpus's counts"
            )


class _Spans:
    """Turns tags into IOB2 and remembers where a file breaks its scheme."""

    def __init__(self, name: str | Path, scheme: str, strict: bool, report: Callable[[str], None]) -> None:
        self.name, self.scheme, self.strict, self.report = name, scheme, strict, report
        self.broken = self.starts = self.first = 0

    def read(self, tags: Sequence[str], lines: Sequence[int]) -> tuple[str, ...]:
        """IOB2 of one sentence whose tags stand in these lines."""
        iob2, broken = to_iob2(tags, self.scheme)
        for position in broken:
            if self.strict:
                self.report(
                    f"{self.name}:{lines[position]}: {tags[position]} breaks the scheme {self.scheme}; "
                    "correct it, or set strict: false"
                )
            self.first = self.first or lines[position]
        self.broken += len(broken)
        self.starts += sum(tag.startswith("B-") for tag in iob2)
        return iob2

    def warn(self) -> None:
        """Say once how many tags broke the scheme, and where the first one is."""
        if not self.broken or self.strict:
            return
        hint = "; the file looks like IOB1: set scheme: iob1" if 2 * self.broken > self.starts else ""
        log.warning(
            f"{self.name}:{self.first}: the first of {self.broken:,} tags that break the scheme "
            f"{self.scheme}; a span starts at each I- that continues nothing{hint}"
        )


def _cells(line: str, separator: str | None) -> list[str]:
    """Columns; str.split() would also cut at no-break spaces and other characters that belong to words."""
    if separator is not None:
        return line.split(separator)
    return [cell for cell in line.replace("\t", " ").split(" ") if cell]


def _check_columns(where: str, columns: int, wanted: dict[str, int | None]) -> None:
    for setting, column in wanted.items():
        if column is not None and not -columns <= column < columns:
            raise UserError(
                f"{where}: has {columns} columns, so {setting}: {column} does not exist; "
                f"choose 0 to {columns - 1}, or -1 for the last"
            )
