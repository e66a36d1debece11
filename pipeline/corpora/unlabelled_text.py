"""Text without tags → sentences: laid out as the corpus is, or a sentence a line; or it is refused."""

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path

from pipeline.corpora.conll import DOCUMENT
from pipeline.corpora.settings import Corpus
from pipeline.corpora.tagging import Sentence
from pipeline.corpora.text_stream import FIRST, Layout, is_json, read_stream, text_lines
from pipeline.corpora.word_columns import Columns, check_words
from pipeline.errors import UserError, one_line
from pipeline.fetching.sources import fetch_file

LOOK_AT = 1000  # lines that decide how a text is laid out
MARKS = (",", ";", ":", "?", "!")


@dataclass(frozen=True)
class UnlabelledText:
    """Sentences without tags, and in words how they were read."""

    sentences: list[Sentence]
    layout: str

    def __str__(self) -> str:
        """One line: how much it is, how it was read, and the first sentence."""
        words = sum(len(sentence.words) for sentence in self.sentences)
        first = one_line(" | ".join(self.sentences[0].words[:40]))
        return (
            f"{len(self.sentences):,} sentences, {words:,} words, read as {self.layout}; the first: {first}"
        )


def fetch_unlabelled(
    source: str, corpus: Corpus, *, checksum: str | None = None, mirror: Path | None = None
) -> UnlabelledText:
    """`read_unlabelled` of a path or an https address, whose unpacked bytes must have the checksum, if any.

    Raises:
        UserError: see sources.fetch_file and `read_unlabelled`.
    """
    with tempfile.TemporaryDirectory(prefix="unlabelled-") as place:
        file = Path(place, "text")
        fetch_file(source, file, checksum=checksum, mirror=mirror)
        return read_unlabelled(file, source, corpus)


def read_unlabelled(file: Path, name: str, corpus: Corpus) -> UnlabelledText:
    """The sentences of UTF-8 text without tags, plain or gzipped; empty ones are left out.

    It is in columns if blank lines part its lines into blocks and all have equally many columns, or if most
    lines have tabs. Otherwise each line is a sentence: cut as the corpus' `words` say, or at its spaces if
    marks stand between spaces, as corpora have them.

    Args:
        file: to read.
        name: of the file in messages.
        corpus: whose `word`, `separator` and `comment` hold for columns too, or whose `word` names the field
            of JSON Lines. A file of one column has its words there.

    Raises:
        UserError: it holds no sentence, is JSON Lines where the corpus is not, or as
            `text_stream.read_stream`.
    """
    with file.open("rb") as raw:
        lines = [line for _, line in islice(text_lines(raw, name), LOOK_AT)]
    if corpus.format == "jsonl" and any(map(is_json, lines[:1])):
        field = str(corpus.word or "tokens")
        layout, found = f"JSON Lines, words in {field!r}", _json_words(file, name, field)
    else:
        layout, found = _plain_words(file, name, lines, corpus)
    sentences = [Sentence(tuple(words)) for words in found if words]
    if not sentences:
        raise UserError(f"{name}: holds no sentence; give text with one sentence a line")
    return UnlabelledText(sentences, layout)


def _plain_words(
    file: Path, name: str, lines: Sequence[str], corpus: Corpus
) -> tuple[str, Iterator[Sequence[str]]]:
    """How a text is laid out, and its sentences."""
    columns = _columns(lines, corpus)
    aligned = columns.separator == corpus.separator or _width(lines, columns) == 1
    if (aligned and _in_columns(lines, columns)) or _has_tabs(lines):
        return f"columns, words in column {columns.word or 0}", _read(file, name, "columns", columns)
    if corpus.words == "characters":
        return "raw text, a sentence a line, every character a word", _read(file, name, "characters")
    if _is_raw(lines):
        return "raw text, a sentence a line", _read(file, name, "text")
    return "a sentence a line, words between spaces", _read(file, name, "words")


def _read(file: Path, name: str, layout: Layout, columns: Columns = FIRST) -> Iterator[Sequence[str]]:
    with file.open("rb") as raw:
        for text in read_stream(raw, name, layout, columns):
            yield text.words


def _json_words(file: Path, name: str, field: str) -> Iterator[Sequence[str]]:
    with file.open("rb") as raw:
        for number, line in text_lines(raw, name):
            found = json.loads(line).get(field) if is_json(line) else None
            if not isinstance(found, list) or not all(isinstance(word, str) and word for word in found):
                raise UserError(
                    f"{name}:{number}: is no object with a list of words in {field!r}; correct the line, or "
                    "the corpus' setting `word`"
                )
            check_words(len(found), f"{name}:{number}", "cut it into sentences")
            yield found


def _columns(lines: Sequence[str], corpus: Corpus) -> Columns:
    """The corpus' columns, if it has any and the text has more than one."""
    if corpus.format != "conll":
        return FIRST
    # Column 0 is what None looks at, too, but with None it must not number the words.
    columns = Columns(int(corpus.word or 0) or None, corpus.separator, corpus.comment)
    return columns if _width(lines, columns) > 1 else Columns(comment=columns.comment)


def _width(lines: Sequence[str], columns: Columns) -> int:
    return max((len(cells) for _, cells in columns.rows(enumerate(lines))), default=0)


def _in_columns(lines: Sequence[str], columns: Columns) -> bool:
    """Whether blank lines part rows of equally many columns into blocks, or there are `-DOCSTART-` lines."""
    rows = [cells for _, cells in columns.rows(enumerate(lines))]
    same = len({len(row) for row in rows if row}) == 1
    blocks = any(before and row for before, row in pairwise(rows))
    documents = any(line.split(" ")[0] == DOCUMENT for line in lines)
    return documents or (same and blocks and not all(rows))


def _has_tabs(lines: Sequence[str]) -> bool:
    """Whether half of the lines or more have tabs between words, as few texts have; comments aside."""
    found = ["\t" in line.strip() for line in lines if line.strip() and not line.startswith("#")]
    return any(found) and 2 * sum(found) >= len(found)


def _is_raw(lines: Sequence[str]) -> bool:
    """Whether more marks stand at a word's end than alone.

    A period is one at a line's end only: elsewhere corpora have it at a word's end too (U.S., Mr.).
    """
    attached = alone = 0
    for line in lines:
        words = line.split()
        marked = [word for word in words if word.endswith(MARKS)]
        marked += [word for word in words[-1:] if word.endswith(".")]
        alone += sum(len(word) == 1 for word in marked)
        attached += sum(len(word) > 1 for word in marked)
    return attached > alone
