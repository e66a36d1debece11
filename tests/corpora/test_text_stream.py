"""Text comes in as sentences, whatever it comes through; what is no text is refused by file and line."""

import gzip
import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.corpora.conll import MOST_WORDS
from pipeline.corpora.text_stream import Layout, open_text, read_stream
from pipeline.corpora.word_columns import LONGEST_SENTENCE
from pipeline.corpora.words import Text
from pipeline.errors import UserError

Write = Callable[[bytes], Path]


class Endless(io.RawIOBase):
    """A pipe that repeats a line for ever."""

    def __init__(self, line: bytes) -> None:
        self.line = line

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        buffer[:] = (self.line * len(buffer))[: len(buffer)]
        return len(buffer)


def read_file(path: Path, layout: Layout) -> Iterator[Text]:
    with open_text(path) as file:
        yield from read_stream(file, str(path), layout)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(content: bytes) -> Path:
        (tmp_path / "text").write_bytes(content)
        return tmp_path / "text"

    return write


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_every_line_is_a_sentence(write: Write, pack: Callable[[bytes], bytes]) -> None:
    path = write(pack("\ufeffRome, now.\r\n\n  \nÉté".encode()))
    texts = list(read_file(path, "text"))
    assert [text.text for text in texts] == ["Rome, now.", "", "  ", "Été"]
    assert [text.words for text in texts] == [("Rome", ",", "now", "."), (), (), ("Été",)]
    assert [text.words for text in read_file(path, "words")] == [("Rome,", "now."), (), (), ("Été",)]


def test_columns_are_sentences_between_blank_lines(write: Write) -> None:
    path = write(b"-DOCSTART- -X-\n\nIn IN O\nNew\xc2\xa0York NNP B-LOC\n\n\n-DOCSTART-\nyes\t1 O\n. . O")
    assert list(read_file(path, "columns")) == [
        Text.of_words(("In", "New\u00a0York")),
        Text.of_words(("yes", ".")),
    ]


@pytest.mark.parametrize("layout", ["text", "characters", "words", "columns"])
def test_a_mark_between_joined_files_is_in_no_word(
    write: Write, layout: Layout, caplog: pytest.LogCaptureFixture
) -> None:
    path = write(2 * "\ufeffIda\n\n".encode())
    assert [text.text for text in read_file(path, layout) if text.words] == ["Ida", "Ida"]
    assert caplog.messages == [
        f"{path}:3: begins with a byte order mark, the first of 1 such line; the marks are left out"
    ]


@pytest.mark.parametrize("layout", ["text", "words", "columns"])
def test_nothing_in_nothing_out(write: Write, layout: Layout) -> None:
    assert not list(read_file(write(b""), layout))
    assert not list(read_file(write(gzip.compress(b"")), layout))


@pytest.mark.parametrize(
    ("content", "line", "says"),
    [
        (
            b"a\nb\nGr\xf6\xdfe\n",
            3,
            "byte 7 of the file (0xf6) is not utf-8; save it as UTF-8, for example with iconv",
        ),
        (
            b"Ulm\nZo\xeb lives in Ulm.\n",
            2,
            "byte 7 of the file (0xeb) is not utf-8; convert the file, for example with iconv -f latin1",
        ),
        (b"a\n\x00\x01\x02", 2, "NUL"),
        (b"\x7fELF\x02\x01\x00", 1, "NUL"),
        (b"a\rb\rc", 1, "carriage return"),
        (b"a\n" + b"x" * (LONGEST_SENTENCE + 1), 2, "longer than 200,000 characters"),
        (gzip.compress(b"a\nb\n" * 999, mtime=0)[:-20], 1, "damaged gzip"),
        (gzip.compress(b"a\n", mtime=0)[:-1] + b"x", 2, "damaged gzip"),
        (b"\x1f\x8bno", 1, "damaged gzip"),
    ],
)
@pytest.mark.parametrize("layout", ["text", "columns"])
def test_what_is_no_text_is_refused_by_line(
    write: Write, content: bytes, line: int, says: str, layout: Layout
) -> None:
    path = write(content)
    with pytest.raises(UserError) as refused:
        list(read_file(path, layout))
    message = str(refused.value)
    if "gzip" not in says:
        assert message.startswith(f"{path}:{line}: ")
    assert message.startswith(f"{path}:")
    assert says in message
    assert "\n" not in message


@pytest.mark.parametrize("layout", ["text", "characters", "words"])
def test_a_sentence_has_a_largest_number_of_words(write: Write, layout: Layout) -> None:
    assert len(list(read_file(write(b"a " * MOST_WORDS + b"\n" + b"a " * MOST_WORDS), layout))) == 2
    with pytest.raises(UserError, match=r"text:2: the sentence has more than 40,000 words; put one sentence"):
        list(read_file(write(b"a\n" + b"a " * (MOST_WORDS + 1)), layout))


def test_a_line_of_punctuation_is_refused_by_its_words(write: Write) -> None:
    """200,000 words: with an encoder of 512 pieces, some 8 GB when they were all read at once."""
    with pytest.raises(UserError, match=r"text:1: .*more than 40,000 words"):
        list(read_file(write(b"!?" * 100_000), "text"))


@pytest.mark.parametrize("begin", [b"", b"\n \n"])
def test_json_is_no_raw_text(write: Write, begin: bytes) -> None:
    path = write(begin + b'{"tokens":["Anna","Hope"]}\n')
    with pytest.raises(
        UserError, match=rf"text:{1 + begin.count(10)}: is a JSON object, not a sentence; .*jq"
    ):
        list(read_file(path, "text"))
    assert next(read_file(write(b"{Anna} left .\n"), "text")).words[:2] == ("{", "Anna")


@pytest.mark.parametrize("layout", ["text", "characters", "words", "columns"])
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'["Anna left.", "Ben stays."]\n', "text:1: is a JSON array, not a sentence; .*jq -r '.\\[\\]'$"),
        (b'\n[\n  "Anna left.",\n', "text:2: is a JSON array, not"),
        (b'[{"text": "Anna left."},\n', "text:1: is a JSON array of objects, .*jq -r '.\\[\\].text'$"),
        (b'{\n  "text": "Anna left."\n}\n', "text:1: is a JSON object, .*jq -r .text$"),
        ("Anna left.\n".encode("utf-16"), "text:1: .*mark of UTF-16; convert it, .*iconv -f utf-16 -t utf8$"),
        ("Anna left.\n".encode("utf-16be"), "text:1: is UTF-16 without .*iconv -f utf-16be -t utf8$"),
        (
            b"PAR1\x15\x04\x15\n\xff",
            "text:1: is a Parquet file; write its sentences to a text file, one on each",
        ),
    ],
)
def test_other_data_are_no_text(write: Write, content: bytes, says: str, layout: Layout) -> None:
    with pytest.raises(UserError, match=says):
        list(read_file(write(content), layout))


PRETTY = json.dumps([{"text": "Anna left."}, {"text": "Ben stays."}], indent=2)


@pytest.mark.parametrize("layout", ["text", "characters", "words", "columns"])
@pytest.mark.parametrize("begin", ["", "\n \n"])
def test_nothing_of_json_is_given_before_it_is_refused(write: Write, begin: str, layout: Layout) -> None:
    texts = read_file(write(f"{begin}{PRETTY}\n".encode()), layout)
    with pytest.raises(UserError, match=rf"text:{1 + begin.count(chr(10))}: is a JSON array of objects"):
        next(texts)


@pytest.mark.parametrize(
    ("content", "given"),
    [("[\n", ["["]), ("\n[\n{\nAnna left.\n[", ["", "[", "{", "Anna left.", "["]), (" \n", [" "])],
)
def test_brackets_that_begin_no_json_are_sentences(write: Write, content: str, given: list[str]) -> None:
    assert [text.text for text in read_file(write(content.encode()), "text")] == given
    texts = read_file(write(content.encode() + b"\n\xff"), "text")
    assert [next(texts).text for _ in given] == given
    with pytest.raises(UserError, match="is not utf-8"):
        list(texts)


def test_endless_blank_lines_are_not_held_for_ever() -> None:
    assert next(read_stream(io.BufferedReader(Endless(b"\n")), "standard input", "text")).text == ""


def test_a_typed_bracket_is_answered_before_the_next_line_comes() -> None:
    reading, writing = os.pipe()
    with open(reading, "rb") as raw, open(writing, "wb", buffering=0) as typed:  # noqa: PTH123
        texts = read_stream(raw, "standard input", "text", typed=True)
        for line in (b"[\n", b"[Reuters] Anna left.\n", b"{\n"):
            typed.write(line)
            assert next(texts).text == line.decode().strip()


def test_clauses_without_spaces_are_one_warning(write: Write, caplog: pytest.LogCaptureFixture) -> None:
    clauses = "张伟昨天去了北京市。"
    path = write(f"Anna left.\n{clauses}\n{clauses}\n".encode())
    for layout in ("text", "words"):
        list(read_file(path, layout))
        (record,) = caplog.records
        assert record.getMessage().startswith(
            f"{path}:2: clauses of a script without spaces are read as words"
        )
        caplog.clear()
    words = [text.words for text in read_file(path, "characters")]
    assert words[1] == tuple(clauses)
    assert not caplog.records


def test_what_comes_before_a_bad_line_is_read(write: Write) -> None:
    texts = read_file(write(b"good\n\xff\n"), "text")
    assert next(texts).text == "good"
    with pytest.raises(UserError, match=":2: "):
        next(texts)


def test_lines_of_the_longest_length_are_read(write: Write) -> None:
    assert [
        len(text.text) for text in read_file(write((b"x" * LONGEST_SENTENCE + b"\n") * 2), "words")
    ] == 2 * [LONGEST_SENTENCE]


def test_a_sentence_in_columns_has_a_longest_length_too(write: Write) -> None:
    with pytest.raises(UserError, match=r":20001: .*blank line"):
        list(read_file(write(b"word23456\n" * 30_000), "columns"))


@pytest.mark.parametrize("name", [".", "missing"])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        list(read_file(tmp_path / name, "text"))


def test_no_more_is_read_than_is_asked_for() -> None:
    texts = read_stream(io.BufferedReader(Endless(b"line\n")), "standard input", "text")
    assert [next(texts).text for _ in range(3)] == 3 * ["line"]
