"""Sentences from columns, one word a line (CoNLL); an error names file and line."""

import logging
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from pipeline.corpora.lines import read_lines, refuse
from pipeline.corpora.schemes import FileScheme, SpanReader, tag_problem
from pipeline.corpora.tagging import Sentence
from pipeline.errors import UserError, counted

log = logging.getLogger(__name__)

DOCUMENT = "-DOCSTART-"
MOST_WORDS = 40_000
"""Of a sentence. None has so many: blank lines are missing, and memory would hold the whole file."""
MOST_TAGS = 1000
"""Of a file; of what might be one, no more are held."""
BLANK_LINES = "separate sentences by a blank line"
"""What to do about a sentence in columns that is too long."""
_COMMENT_HINT = ", or if such lines are comments, set comment: '#'"
_WORD_HEADERS = {"token", "tokens", "word", "words", "form", "text"}
_TAG_HEADERS = {"tag", "tags", "label", "labels", "ner", "ner_tags", "pos", "upos"}
_RANGE_OR_EMPTY = re.compile(r"\d+[-.]\d+")

Row = tuple[int, list[str]]
"""A line's number and its columns; none for a line between sentences."""


def read_conll(
    path: Path,
    *,
    word: int = 0,
    tag: int = -1,
    scheme: FileScheme = "iob2",
    encoding: str = "utf-8",
    separator: str | None = None,
    comment: str | None = None,
    strict: bool = False,
    report: Callable[[str], None] = refuse,
    warn: Callable[[str], None] = log.warning,
) -> Iterator[Sentence]:
    """Read columns: one word a line, a blank line after each sentence, `-DOCSTART-` lines between documents.

    Spans come out as IOB2 whatever `scheme` they are in. A tag that breaks the scheme (an I- that continues
    nothing) is read as the CoNLL evaluation script does, and logged as one warning per file. Where the first
    column counts the words of each sentence, as in CoNLL-U, the rows 1-2 (a token of several words) and 1.1
    (an empty node) are left out.

    Args:
        path: the file, plain or gzipped.
        word: column of the word; negative counts from the end.
        tag: column of the tag.
        scheme: of the tags.
        encoding: the file's.
        separator: what stands between columns; None means any run of spaces and tabs.
        comment: prefix of lines to skip; None skips none.
        strict: refuse tags that break the scheme.
        report: called with each problem of a line, which is then skipped; raises UserError unless given.
        warn: called with what is odd about the file, at its end; logs it unless given.

    Raises:
        UserError: everything that is wrong with the file, as `FILE:LINE: what, and what to do`.
    """
    lines = read_lines(path, encoding, warn=warn)
    comments = Comments(comment, separator, tag, scheme)
    spans = SpanReader(scheme, lambda n: f"{path}:{n}", strict, report)
    reader = _SentenceReader(path, word, tag, separator, spans, warn)
    yield from reader.sentences(rows(comments.left_out_of(lines), separator))
    if found := comments.like_rows(reader.tags):
        first, count = found
        warn(
            f"{path}:{first}: looks like a word with its tag, and is left out as a comment, the first "
            f"of {counted(count, 'such line')}; if words begin with {comment!r}, set comment to "
            "a longer prefix, which only comments have"
        )


class Comments:
    """The lines of one file that begin with `prefix`, which are no words; None: there are none.

    Those that look like a row, a word with its tag in column `tag`, are counted.
    """

    def __init__(self, prefix: str | None, separator: str | None, tag: int, scheme: FileScheme) -> None:
        self.prefix, self.separator, self.tag, self.scheme = prefix, separator, tag, scheme
        self._like_rows: dict[str, tuple[int, int]] = {}  # first line and count, by the tag if it decides

    def left_out_of(self, lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
        """The other lines; each comment is compared with the row before it, or else with the first one."""
        if self.prefix is None:
            yield from lines
            return
        row = ""
        before_rows: list[tuple[int, str]] = []
        for number, line in lines:
            if line.startswith(self.prefix):
                if row:
                    self._compare(number, line, row)
                elif len(before_rows) < MOST_TAGS:
                    before_rows.append((number, line))
                continue
            if line.strip(" \t") and not _is_document(line):
                row = line
                for comment in before_rows:
                    self._compare(*comment, row)
                before_rows.clear()
            yield number, line

    def _compare(self, number: int, comment: str, row: str) -> None:
        cells, columns = (split_columns(line, self.separator) for line in (comment, row))
        if len(cells) == len(columns) and -len(cells) <= self.tag < len(cells):
            tag = cells[self.tag]
            if tag_problem(tag, self.scheme) is None:
                self._note(number, tag if self._needs_tag(comment) else "")

    def _needs_tag(self, comment: str) -> bool:
        """Whether only the tag shows if it is a row: in `io` and `plain` every name is one.

        There `# doc1` looks like a row only if the file has its tag, and `#berlin` in any case.
        """
        is_apart = comment.removeprefix(self.prefix or "").startswith((" ", "\t"))
        return is_apart and self.scheme in ("io", "plain")

    def _note(self, number: int, tag: str) -> None:
        first, count = self._like_rows.get(tag, (number, 0))
        if count or len(self._like_rows) < MOST_TAGS:
            self._like_rows[tag] = first, count + 1

    def like_rows(self, tags: Collection[str]) -> tuple[int, int] | None:
        """The first line and the number of the comments that look like rows; None: there are none.

        Args:
            tags: those of the file's words.
        """
        found = [told for tag, told in self._like_rows.items() if not tag or tag in tags]
        return (min(first for first, _ in found), sum(count for _, count in found)) if found else None


def rows(lines: Iterable[tuple[int, str]], separator: str | None = None) -> Iterator[Row]:
    """The columns of numbered lines; none for a blank line and for one that begins with `-DOCSTART-`.

    Args:
        lines: (line number, line without its end).
        separator: what stands between columns; None means any run of spaces and tabs.
    """
    for number, line in lines:
        cells = split_columns(line, separator)
        yield number, [] if cells and _is_document(cells[0]) else cells


def split_columns(line: str, separator: str | None = None) -> list[str]:
    """The columns of a line; none if it is blank. No-break spaces stay inside words."""
    if separator is None:
        return [cell for cell in line.replace("\t", " ").split(" ") if cell]
    return line.split(separator) if line.strip(" \t") else []


def count_words(cells: Sequence[str]) -> bool:
    """Whether the first cells of a sentence's rows number its words from 1, as in CoNLL-U."""
    numbers = [cell for cell in cells if not is_range_or_empty(cell)]
    return bool(numbers) and numbers == [str(number) for number in range(1, len(numbers) + 1)]


def is_range_or_empty(cell: str) -> bool:
    """Whether a first cell is 1-2, of a token of several words, or 1.1, of an empty node, as in CoNLL-U."""
    return _RANGE_OR_EMPTY.fullmatch(cell) is not None


class _SentenceReader:
    """Reads the rows of one file as sentences."""

    def __init__(
        self,
        path: Path,
        word: int,
        tag: int,
        separator: str | None,
        spans: SpanReader,
        warn: Callable[[str], None],
    ) -> None:
        self.path, self.word, self.tag, self.separator, self.spans = path, word, tag, separator, spans
        self.warn = warn
        self.columns = self.first = 0
        self.begun = self.hashes = 0  # sentences, and those whose first line begins with #
        self.first_hash = self.first_document = 0
        self.tags: set[str] = set()  # as the file has them
        self.header: tuple[int, str] | None = None  # line and tag of the first word, if it looks like one

    def sentences(self, rows: Iterable[Row]) -> Iterator[Sentence]:
        """The sentences; what is odd about the file is told at its end."""
        block: list[Row] = []
        empty = True
        for number, cells in chain(self._measured(rows), [(0, [])]):
            if cells:
                block.append((number, cells))
                if len(block) > MOST_WORDS:
                    raise too_many_words(f"{self.path}:{number}", BLANK_LINES)
            elif block:
                if (sentence := self._sentence(block)).words:
                    empty = False
                    yield sentence
                block = []
        self.spans.warn(self.warn)
        if 2 * self.hashes > self.begun:
            verb = "begins" if self.hashes == 1 else "begin"
            self.warn(
                f"{self.path}:{self.first_hash}: the first of {counted(self.hashes, 'sentence')} that {verb} "
                "with a # line; if these lines are comments, set comment: '#'"
            )
        if self.first_document:
            self.warn(
                f"{self.path}:{self.first_document}: is read as a word; documents begin with {DOCUMENT} in "
                "capital letters"
            )
        if self.header:
            self.warn(f"{self.path}:{self.header[0]}: looks like a header; remove it")
        if empty:
            self.spans.report(f"{self.path}: holds no sentence; give a file with words in columns")

    def _measured(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows unchanged; `columns` is set before, by the first that does not begin with #, if any."""
        iterator = iter(rows)
        seen: list[Row] = []
        for number, cells in iterator:
            seen.append((number, cells))
            if cells and not cells[0].startswith("#"):
                break
        told = [row for row in seen if row[1]]
        if told:
            first = told[0] if told[-1][1][0].startswith("#") else told[-1]
            self.first, self.columns = first[0], len(first[1])
            self._check_columns()
        return chain(seen, iterator)

    def _check_columns(self) -> None:
        where, columns = f"{self.path}:{self.first}", self.columns
        for setting, column in (("word", self.word), ("tag", self.tag)):
            if not -columns <= column < columns:
                raise UserError(
                    f"{where}: has {counted(columns, 'column')}, so {setting}: {column} does not exist; "
                    f"choose 0 to {columns - 1}, or -1 for the last, or set separator"
                )
        if self.word % columns == self.tag % columns:
            raise UserError(
                f"{where}: has {counted(columns, 'column')}, so word: {self.word} and tag: {self.tag} are "
                "the same one; correct them, or set separator"
            )

    def _sentence(self, block: Sequence[Row]) -> Sentence:
        """The words of a block that have no problem."""
        words, tags, lines = [], [], []
        self.begun += 1
        if block[0][1][0].startswith("#"):
            self.hashes += 1
            self.first_hash = self.first_hash or block[0][0]
        for number, cells in self._counted_words(block):
            if problem := self._problem(cells):
                self.spans.report(f"{self.path}:{number}: {problem}")
            else:
                if cells[0].upper() == DOCUMENT and not self.first_document:
                    self.first_document = number
                self._look_for_header(number, cells[self.word], cells[self.tag])
                words.append(cells[self.word])
                tags.append(cells[self.tag])
                lines.append(number)
        self.tags.update(tags)
        return Sentence(tuple(words), self.spans.read(tags, lines))

    def _look_for_header(self, number: int, word: str, tag: str) -> None:
        """Take the file's first word for a header by its name and tag's, unless that tag occurs again."""
        if number == self.first:
            named = word.lower() in _WORD_HEADERS and tag.lower() in _TAG_HEADERS
            self.header = (number, tag) if named else None
        elif self.header and self.header[1] == tag:
            self.header = None

    def _counted_words(self, block: Sequence[Row]) -> Sequence[Row]:
        """The block without the rows 1-2 and 1.1 of CoNLL-U, if its other rows are numbered from 1."""
        if self.word in (0, -self.columns) or not count_words([cells[0] for _, cells in block]):
            return block
        return [row for row in block if not is_range_or_empty(row[1][0])]

    def _problem(self, cells: Sequence[str]) -> str | None:
        if len(cells) != self.columns:
            problem = f"has {counted(len(cells), 'column')}, but line {self.first} has {self.columns}"
            if cells[0].startswith("#"):
                return f"{problem}; correct the line{_COMMENT_HINT}"
            if self.separator == "," and any('"' in cell for cell in cells):
                return f"{problem}; cells in quotes are not read: save the file with tabs, set separator"
            return f"{problem}; correct the line (or set separator, if words hold spaces)"
        if not cells[self.word]:
            return f"the word in column {self.word} is empty; correct the line"
        refused = self.spans.problem(cells[self.tag])
        return f"{refused}{_COMMENT_HINT}" if refused and cells[0].startswith("#") else refused


def too_many_words(where: str, advice: str) -> UserError:
    """The error of a sentence with more than MOST_WORDS words."""
    return UserError(f"{where}: the sentence has more than {MOST_WORDS:,} words; {advice}")


def _is_document(cell: str) -> bool:
    """Whether a line's first column says that a document begins, whatever stands behind it."""
    return cell.startswith(DOCUMENT) and (cell == DOCUMENT or cell[len(DOCUMENT)] in " \t,;|")
