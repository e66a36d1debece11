"""Unlabelled text → words of sentences, one after the other: as params.yaml says, or it is refused."""

import json
import logging
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import Any

from pipeline.corpora.arrow_files import column_values
from pipeline.corpora.conll import DOCUMENT, MOST_WORDS, too_many_words
from pipeline.corpora.json_text import json_kind
from pipeline.corpora.schemes import PREFIXES
from pipeline.corpora.settings import Corpus, Unlabelled
from pipeline.corpora.tagging import Words
from pipeline.corpora.text_stream import (
    CUTS,
    FIRST_COLUMN,
    TO_TAG,
    ClauseWarning,
    Layout,
    is_json,
    read_stream,
    text_lines,
)
from pipeline.corpora.word_columns import Columns
from pipeline.corpora.words import Text, is_unspaced
from pipeline.errors import UserError, counted, is_encodable

log = logging.getLogger(__name__)

ADVICE = replace(TO_TAG, table="set unlabelled.format: dataset")
LOOK_AT = 1000  # lines or records that decide how a text is cut into words
NO_MARKS = frozenset(".%٪‰％'’‘*&@#/\\§·•′″׳״՚॰་༌")
"""Punctuation that stands at a word's start or end in corpora, too: 5%, dogs', l', and/, U.S., डॉ॰."""
_TAG = re.compile(f"O|[{''.join(PREFIXES.values())}]-.+")  # of any scheme
_LINE_END = re.compile(r"\r?\n|\r")


@dataclass(frozen=True)
class UnlabelledText:
    """A text: what it is read as, in words, and its sentences' words, which can be gone through once."""

    read_as: str
    sentences: Iterator[Words]


def read_unlabelled(path: Path, name: str, settings: Unlabelled, corpus: Corpus) -> UnlabelledText:
    """The sentences of unlabelled text in UTF-8; empty ones are left out.

    A line of text is cut as the corpus' `words` say, or at its spaces if marks stand between spaces, as
    corpora have them; so is the text in a field of JSON Lines or of a data set, each line of which is a
    sentence.

    Args:
        path: a file, plain or gzipped; with format dataset a file or a folder.
        name: of the file in messages.
        settings: whose `format` and `word` hold.
        corpus: whose `word`, `separator` and `comment` hold for columns too, and whose `word` for fields. A
            file of one column has its words there.

    Raises:
        UserError: the file is of another format, or as `text_stream.read_stream`; some are raised by the
            sentences only. The message starts with `NAME`.
    """
    if settings.format == "text":
        read_as, found = _of_text(path, name, corpus)
    elif settings.format == "conll":
        lines = _first_lines(path, name)
        _check_json(lines, name)
        columns = _columns(lines, settings, corpus)
        _check_separator(lines, name, columns)
        _check_words(lines, name, columns)
        read_as = f"columns, words in column {columns.word or 0}"
        found = _read(path, name, "columns", columns)
    else:
        field = str(settings.word or (corpus.format == settings.format and corpus.word) or "tokens")
        if settings.format == "jsonl":
            _check_json(_first_lines(path, name), name, lines_of_objects=True)
            read_as, found = _of_records(_json_values(path, name, field), field, corpus)
        else:
            rows = column_values(path, name, field, setting="unlabelled.word")
            values = ((f"{name}: row {number}", value) for number, value in rows)
            read_as, found = _of_records(values, field, corpus)
    if settings.format != "text":  # whose lines say it by themselves
        found = _warn_of_clauses(found, name)
    return UnlabelledText(read_as, filter(_has_text, found))


def _warn_of_clauses(sentences: Iterator[Words], name: str) -> Iterator[Words]:
    """The sentences; the first clause of a script without spaces that is read as a word gets a warning."""
    clauses = ClauseWarning()
    for words in sentences:
        clauses.look_at(words, name)
        yield words


def _has_text(words: Words) -> bool:
    """Whether some word is more than spaces of any kind, which cutting at plain spaces leaves."""
    return any(word.strip() for word in words)


def _of_text(path: Path, name: str, corpus: Corpus) -> tuple[str, Iterator[Words]]:
    """What a text of one sentence per line is read as, and its sentences."""
    lines = _first_lines(path, name)
    _check_json(lines, name)
    columns = _columns(lines, Unlabelled(), corpus)
    aligned = columns.separator == corpus.separator or _width(lines, columns) == 1
    if (aligned and _in_columns(lines, columns, corpus)) or _has_tabs(lines):
        raise UserError(
            f"{name}: looks like a word per line in columns; set unlabelled.format: conll, or put a sentence "
            "on each line, without tabs and blank lines"
        )
    layout, how = _cut(lines, corpus)
    read_as = f"{how}, a sentence a line" if how == "raw text" else f"a sentence a line, {how}"
    return read_as, _read(path, name, layout)


def _check_json(lines: Sequence[str], name: str, *, lines_of_objects: bool = False) -> None:
    """Refuse JSON; where `lines_of_objects` are read, JSON of another form."""
    kind = json_kind(lines)
    if kind is None:
        return
    if kind == "object" and is_json(next(filter(str.strip, lines))):
        if lines_of_objects:
            return
        raise UserError(f"{name}: begins with a JSON object; set unlabelled.format: jsonl")
    told = "write a sentence on each line, for example with jq -r '.[]', and set unlabelled.format: text"
    if kind != "array":
        jq = "." if kind == "object" else "'.[]'"
        told = f"write an object on each line, for example with jq -c {jq}, and set unlabelled.format: jsonl"
    raise UserError(f"{name}: is a JSON {kind}, not lines of text or of objects; {told}")


def _of_records(values: Iterator[tuple[str, Any]], field: str, corpus: Corpus) -> tuple[str, Iterator[Words]]:
    """What the values (place, value) of a field are read as, and the sentences in them."""
    head = list(islice(values, LOOK_AT))
    texts = [line for _, value in head if isinstance(value, str) for line in _lines(value)]
    layout, how = _cut(texts, corpus)
    found = chain.from_iterable(
        _sentences(value, where, field, CUTS[layout]) for where, value in chain(head, values)
    )
    return f"text in {field!r}, {how}" if texts else f"words in {field!r}", found


def _sentences(value: Any, where: str, field: str, cut: Callable[[str], Text]) -> Iterator[Words]:
    """The sentences of one value: a list of words, or text with a sentence on each line; null has none.

    Empty words are left out, as they are of labelled sentences.
    """
    words = isinstance(value, list) and all(isinstance(word, str) for word in value)
    if not (words or isinstance(value, str | None)):
        raise UserError(f"{where}: {field!r} is neither text nor a list of words; correct it, or set word")
    found = [[*filter(None, value)]] if words else [cut(line).words for line in _lines(value or "")]
    for sentence in found:
        if not all(map(is_encodable, sentence)):
            raise UserError(f"{where}: {field!r} contains a lone surrogate, which is not a character")
        if len(sentence) > MOST_WORDS:
            raise too_many_words(where, "cut it into sentences")
        yield sentence


def _lines(text: str) -> list[str]:
    """The lines of a field, whichever system's line ends it has."""
    return _LINE_END.split(text)


def _json_values(path: Path, name: str, field: str) -> Iterator[tuple[str, Any]]:
    with path.open("rb") as raw:
        for number, line in text_lines(raw, name, ADVICE, warn=log.warning):
            if not line.strip():
                continue
            record = json.loads(line) if is_json(line) else {}
            if field not in record:
                raise UserError(
                    f"{name}:{number}: is not an object with {field!r}; correct the line, or set "
                    "unlabelled.word"
                )
            yield f"{name}:{number}", record[field]


def _read(path: Path, name: str, layout: Layout, columns: Columns = FIRST_COLUMN) -> Iterator[Words]:
    with path.open("rb") as raw:
        for text in read_stream(raw, name, layout, columns, advice=ADVICE):
            yield text.words


def _first_lines(path: Path, name: str) -> list[str]:
    with path.open("rb") as raw:
        return [line for _, line in islice(text_lines(raw, name, ADVICE), LOOK_AT)]


def _cut(lines: Sequence[str], corpus: Corpus) -> tuple[Layout, str]:
    """How lines of text are cut into words, and what a message says of it."""
    if corpus.words == "characters":
        return "characters", "every character a word"
    return ("text", "raw text") if _is_raw(lines) else ("words", "words between spaces")


def _columns(lines: Sequence[str], settings: Unlabelled, corpus: Corpus) -> Columns:
    """The columns that are set, or else the corpus', if it has any and the text has more than one."""
    word = settings.word
    if word is None and corpus.format == "conll":
        word = corpus.word
    # Column 0 is what None looks at, too, but with None it must not number the words.
    columns = Columns(int(word or 0) or None, corpus.separator, corpus.comment)
    if settings.word or _width(lines, columns) > 1:
        return columns
    return Columns(None, columns.separator if settings.format == "conll" else None, columns.comment)


def _check_separator(lines: Sequence[str], name: str, columns: Columns) -> None:
    """Refuse columns between spaces where another separator is expected: each row would be one word."""
    if columns.separator is None or _width(lines, columns) > 1:
        return
    widths = {len(cells) for _, cells in Columns(comment=columns.comment).rows(enumerate(lines)) if cells}
    if len(widths) == 1 and (width := widths.pop()) > 1:
        raise UserError(
            f"{name}: has {counted(width, 'column')} between spaces, but the corpus has another separator "
            f"({columns.separator!r}); put that between the columns, or keep only the words"
        )


def _check_words(lines: Sequence[str], name: str, columns: Columns) -> None:
    """Refuse a column of tags, which the corpus' column of words may be in a text of fewer columns."""
    word = columns.word or 0
    rows = [cells for _, cells in columns.rows(enumerate(lines)) if cells and cells[0] != DOCUMENT]
    found = {cells[word] for cells in rows if -len(cells) <= word < len(cells)}
    if "O" in found and len(found) > 1 and all(map(_TAG.fullmatch, found)):
        raise UserError(
            f"{name}: column {word} holds tags, not words ({', '.join(sorted(found)[:3])}, …); set "
            "unlabelled.word"
        )


def _width(lines: Sequence[str], columns: Columns) -> int:
    return max((len(cells) for _, cells in columns.rows(enumerate(lines))), default=0)


def _in_columns(lines: Sequence[str], columns: Columns, corpus: Corpus) -> bool:
    """Whether blank lines part rows of equally many columns into blocks, or there are `-DOCSTART-` lines.

    One column of clauses, in a script without spaces, is text with a sentence a line.
    """
    rows = [cells for _, cells in columns.rows(enumerate(lines))]
    same = len({len(row) for row in rows if row}) == 1
    blocks = any(before and row for before, row in pairwise(rows))
    documents = any(line.split(" ")[0] == DOCUMENT for line in lines)
    alone = [row[0] for row in rows if len(row) == 1]
    clauses = is_unspaced(alone) or (corpus.words == "characters" and any(len(word) > 1 for word in alone))
    return documents or (same and blocks and not all(rows) and not clauses)


def _has_tabs(lines: Sequence[str]) -> bool:
    """Whether half of the lines or more have tabs between words, as few texts have; comments aside."""
    found = ["\t" in line.strip() for line in lines if line.strip() and not line.startswith("#")]
    return any(found) and 2 * sum(found) >= len(found)


def _is_raw(lines: Sequence[str]) -> bool:
    """Whether more marks stand at a word's end, or open brackets and quotes at its start, than alone.

    Marks are Unicode's punctuation but dashes and NO_MARKS. A period is one at a line's end only: elsewhere
    corpora have it at a word's end too (U.S., Mr.). Closing quotes alone say nothing: in French text a space
    stands before them.
    """
    attached = alone = 0
    for line in lines:
        words = line.split()
        marks = [word for word in words if len(word) == 1 and _closes(word) and word not in "»”"]
        alone += len(marks) + (words[-1:] == ["."])
        attached += sum(map(_has_mark, words)) + any(map(_ends_sentence, words[-1:]))
    return attached > alone


def _has_mark(word: str) -> bool:
    """Whether a word with letters or digits has a mark at an end.

    Brackets of which both are in the word are its own: (c), [UNK], f(x).
    """
    if not _is_written(word):
        return False
    kinds = [unicodedata.category(letter) for letter in word]
    own = {"Ps", "Pe"} if {"Ps", "Pe"} <= set(kinds) else set()
    opens = word[0] in '"¿¡' or (kinds[0] in ("Ps", "Pi") and word[0] not in NO_MARKS)
    return (opens and kinds[0] not in own) or (_closes(word[-1]) and kinds[-1] not in own)


def _ends_sentence(word: str) -> bool:
    return word.endswith(".") and _is_written(word)


def _is_written(word: str) -> bool:
    """Whether a word has letters or digits."""
    return any(map(str.isalnum, word))


def _closes(letter: str) -> bool:
    """Whether a character is a mark that stands behind a word in running text."""
    return letter not in NO_MARKS and unicodedata.category(letter) in ("Po", "Pe", "Pf")
