"""Corpus files → sentences. An error names file and line; nothing here knows a model."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from pipeline.corpora.records import read_arrow, read_jsonl
from pipeline.corpora.tagging import Sentence, SpanReader, TagSet, tag_problem
from pipeline.corpora.textfile import read_lines, refuse
from pipeline.errors import UserError

__all__ = ["Sentence", "TagSet", "check_counts", "hold_out", "in_columns", "read_conll", "read_corpus"]

DOCUMENT = "-DOCSTART-"
FORMATS = ("conll", "jsonl", "arrow")


def read_corpus(
    path: Path,
    *,
    format: str = "conll",
    word: int | str | None = None,
    tag: int | str | None = None,
    scheme: str = "iob2",
    encoding: str = "utf-8",
    separator: str | None = None,
    names: Sequence[str] | None = None,
    strict: bool = False,
    report: Callable[[str], None] = refuse,
) -> list[Sentence]:
    """Read a labelled file of any format.

    Args:
        path: the file; for `arrow` also a folder.
        format: conll, jsonl or arrow (Hugging Face data sets: Arrow or Parquet).
        word: a column's number in conll (default 0), a field's name elsewhere (default tokens).
        tag: likewise (default -1, the last; ner_tags).
        scheme: iob1, iob2, bioes or plain.
        encoding: of conll and jsonl.
        separator: of conll; see `read_conll`.
        names: tag names where jsonl or arrow holds numbers.
        strict: refuse tags that break the scheme.
        report: called with each problem of a line, which is then skipped; raises UserError unless given.

    Raises:
        UserError: everything that is wrong with the file or these arguments.
    """
    if format not in FORMATS:
        raise UserError(f"format: {format!r} is unknown; choose one of {', '.join(FORMATS)}")
    if format == "conll":
        column, last = 0 if word is None else word, -1 if tag is None else tag
        if not isinstance(column, int) or not isinstance(last, int):
            raise UserError(f"word, tag: must be column numbers in conll, not {word!r} and {tag!r}")
        return read_conll(
            path,
            word=column,
            tag=last,
            scheme=scheme,
            encoding=encoding,
            separator=separator,
            strict=strict,
            report=report,
        )
    words, tags = "tokens" if word is None else word, "ner_tags" if tag is None else tag
    if not isinstance(words, str) or not isinstance(tags, str):
        raise UserError(f"word, tag: must be names of fields in {format}, not {word!r} and {tag!r}")
    if format == "jsonl":
        return read_jsonl(
            path,
            word=words,
            tag=tags,
            names=names,
            scheme=scheme,
            encoding=encoding,
            strict=strict,
            report=report,
        )
    return read_arrow(path, word=words, tag=tags, names=names, scheme=scheme, strict=strict, report=report)


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
    return list(_sentences(path, word, tag, scheme, encoding, separator, strict, report))


def in_columns(lines: Sequence[str]) -> bool:
    """Whether these first lines of a text without tags are columns, and not a sentence each.

    They are if all have equally many, and blank lines separate them into blocks.
    """
    rows = [_cells(line, None) for line in lines]
    if any(row and row[0] == DOCUMENT for row in rows):
        return True
    same = len({len(row) for row in rows if row}) == 1
    blocks = any(before and row for before, row in pairwise(rows))
    return same and blocks and not all(rows)


def hold_out(sentences: Sequence[Sentence], count: int) -> tuple[list[Sentence], list[Sentence]]:
    """Split the last `count` sentences off, as development: (the rest, the last ones).

    Raises:
        UserError: nothing would be left on one side.
    """
    if not 0 < count < len(sentences):
        raise UserError(
            f"hold_out: {count:,} of {len(sentences):,} sentences cannot be held out; "
            "choose fewer than there are, and at least 1"
        )
    return list(sentences[:-count]), list(sentences[-count:])


def check_counts(
    sentences: Sequence[Sentence],
    name: str | Path,
    *,
    expect_sentences: int | None = None,
    expect_words: int | None = None,
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


def _sentences(
    path: Path,
    word: int,
    tag: int | None,
    scheme: str,
    encoding: str,
    separator: str | None,
    strict: bool,
    report: Callable[[str], None],
) -> Iterator[Sentence]:
    if separator == "":
        raise UserError("separator: is empty; leave it out for spaces and tabs")
    spans = SpanReader(scheme, lambda number: f"{path}:{number}", strict, report)
    words: list[str] = []
    tags: list[str] = []
    lines: list[int] = []
    columns = first = 0
    empty = True
    for number, line in _with_blank_end(read_lines(path, encoding)):
        cells = _cells(line, separator)
        if not cells or cells[0] == DOCUMENT:
            if words:
                empty = False
                yield Sentence(tuple(words), None if tag is None else spans.read(tags, lines))
                words, tags, lines = [], [], []
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
    spans.warn()
    if empty:
        report(f"{path}: holds no sentence; give a file with words in columns")


def _with_blank_end(lines: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """The lines and a blank one, which ends the last sentence."""
    yield from lines
    yield 0, ""


def _cells(line: str, separator: str | None) -> list[str]:
    """Columns, none if the line is blank; str.split() would also cut at no-break spaces inside words."""
    if separator is None:
        return [cell for cell in line.replace("\t", " ").split(" ") if cell]
    return line.split(separator) if line.strip(" \t") else []


def _check_columns(where: str, columns: int, wanted: dict[str, int | None]) -> None:
    for setting, column in wanted.items():
        if column is not None and not -columns <= column < columns:
            raise UserError(
                f"{where}: has {columns} columns, so {setting}: {column} does not exist; "
                f"choose 0 to {columns - 1}, or -1 for the last"
            )
