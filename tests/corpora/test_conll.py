"""Columns and text come in as sentences, or one line says which line is wrong."""

import gzip
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.corpora.conll import (
    Sentence,
    TagSet,
    check_counts,
    hold_out,
    read_conll,
    read_corpus,
)
from pipeline.corpora.tagging import to_iob2
from pipeline.errors import UserError

Writer = Callable[..., Path]

FOUR_COLUMNS = b"""-DOCSTART- -X- O O

EU NNP I-NP I-ORG
rejects VBZ I-VP O
German JJ I-NP I-MISC

-DOCSTART- -X- -X- O
Peter NNP I-NP I-PER
Jane NNP I-NP B-PER
Blackburn NNP I-NP I-PER
"""
SENTENCES = [
    Sentence(("EU", "rejects", "German"), ("B-ORG", "O", "B-MISC")),
    Sentence(("Peter", "Jane", "Blackburn"), ("B-PER", "B-PER", "I-PER")),
]


@pytest.fixture
def write(tmp_path: Path) -> Writer:
    def write(content: bytes, name: str = "corpus.txt") -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


def refusal(path: Path, **options: Any) -> str:
    with pytest.raises(UserError) as caught:
        read_conll(path, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_public_name_of_the_tag_set_is_here() -> None:
    assert TagSet.from_sentences(SENTENCES).tags[:3] == ("O", "B-MISC", "I-MISC")


def test_documents_and_blank_lines_end_sentences(write: Writer) -> None:
    assert read_conll(write(FOUR_COLUMNS), scheme="iob1") == SENTENCES


@pytest.mark.parametrize(
    "content",
    [
        FOUR_COLUMNS.replace(b" ", b"\t"),
        FOUR_COLUMNS.replace(b" ", b" \t "),
        FOUR_COLUMNS.replace(b"\n\n", b"\n \t\n\n \n"),
        b"\n\n" + FOUR_COLUMNS + b"\n\n\n",
        FOUR_COLUMNS.removesuffix(b"\n"),
        FOUR_COLUMNS.replace(b"O\n", b"O  \n"),
        FOUR_COLUMNS.replace(b"-DOCSTART- -X- O O\n", b"-DOCSTART-\n"),
        gzip.compress(FOUR_COLUMNS, mtime=0),
    ],
)
def test_layout_does_not_matter(write: Writer, content: bytes) -> None:
    assert read_conll(write(content), scheme="iob1") == SENTENCES


def test_iob1_and_iob2_files_are_one_corpus(write: Writer) -> None:
    rng = random.Random(5)
    choices = ["O", "B-X", "I-X", "I-Y", "B-Y"]
    sentences = [[rng.choice(choices) for _ in range(rng.randint(1, 9))] for _ in range(300)]
    iob1 = "\n".join("".join(f"w {tag}\n" for tag in tags) for tags in sentences)
    iob2 = "\n".join("".join(f"w {tag}\n" for tag in to_iob2(tags, "iob1")[0]) for tags in sentences)
    assert iob1 != iob2
    first = read_conll(write(iob1.encode(), "iob1"), scheme="iob1")
    assert first == read_conll(write(iob2.encode(), "iob2"), scheme="iob2", strict=True)
    assert len(first) == len(sentences)


def test_columns_are_chosen(write: Writer) -> None:
    path = write(FOUR_COLUMNS)
    chunks = read_conll(path, word=1, tag=2, scheme="iob1")
    assert chunks[0] == Sentence(("NNP", "VBZ", "JJ"), ("B-NP", "B-VP", "B-NP"))
    assert read_conll(path, word=-4, tag=1, scheme="plain")[0].tags == ("NNP", "VBZ", "JJ")
    assert read_conll(path, tag=None)[1] == Sentence(SENTENCES[1].words)


def test_a_separator_keeps_spaces_inside_words(write: Writer) -> None:
    path = write(b"New York\tB-LOC\n\nParis\tB-LOC\n")
    assert read_conll(path, separator="\t")[0] == Sentence(("New York",), ("B-LOC",))
    assert f"{path}:3: has 2 columns, but line 1 has 3" in refusal(path)


def test_unicode_spaces_and_line_separators_are_parts_of_words(write: Writer) -> None:
    words = ("10\u00a0000", "a\u2028b", "c\x85d", "\u3000", "\x0b", "\x1c")
    path = write("".join(f"{word} O\n" for word in words).encode())
    assert read_conll(path) == [Sentence(words, ("O",) * len(words))]


def test_encoding(write: Writer) -> None:
    path = write("Zürich B-LOC\nist O\n".encode("latin-1"))
    assert read_conll(path, encoding="latin-1")[0].words == ("Zürich", "ist")
    assert refusal(path).startswith(f"{path}:1: byte 2 of the file (0xfc) is not utf-8")
    assert read_conll(write(b"\xef\xbb\xbfa O\n"), encoding="utf-8-sig")[0].words == ("a",)
    assert read_conll(write("Łódź B-LOC\n".encode("utf-16")), encoding="utf-16")[0].words == ("Łódź",)


@pytest.mark.parametrize(
    ("content", "options", "line", "says"),
    [
        (b"a O\nb NN O\n", {}, 2, "has 3 columns, but line 1 has 2"),
        (b"a NN O\n\nb O\n", {}, 3, "has 2 columns, but line 1 has 3"),
        (b"a\nb\n", {"tag": 1}, 1, "has 1 columns, so tag: 1 does not exist"),
        (b"a O\n", {"tag": -3}, 1, "tag: -3 does not exist"),
        (b"a O\n", {"word": 2}, 1, "word: 2 does not exist"),
        (b"a O\nb S-X\n", {}, 2, "'S-X' is no iob2 tag"),
        (b"a O\nb B-\n", {"scheme": "iob1"}, 2, "'B-' is no iob1 tag"),
        (b"a\tO\n\tO\n", {"separator": "\t"}, 2, "the word in column 0 is empty"),
        (b"a O\r\nb O\r\n", {}, 1, "Windows line ends"),
        (b"a O\nb \rO\n", {}, 2, "carriage return inside"),
        (b"\xef\xbb\xbfa O\n", {}, 1, "byte order mark"),
        (b"\xef\xbb\xbfa O\n", {"encoding": "latin-1"}, 1, "byte order mark"),
        (b"a O\nb\x00c O\n", {}, 2, "NUL"),
        (b"a O\n" * 9999 + b"\xff O\n", {}, 10000, r"byte 39997 of the file \(0xff\) is not utf-8"),
        (b"a O\n+2AA- O\n", {"encoding": "utf-7"}, 2, "half a surrogate pair"),
        (b"a O\nb I-X\n", {"strict": True}, 2, "'I-X' breaks the scheme iob2"),
        (gzip.compress(b"a O\n" * 99, mtime=0)[:-9], {}, 100, "damaged gzip"),
    ],
)
def test_bad_lines_are_named(
    write: Writer, content: bytes, options: dict[str, Any], line: int, says: str
) -> None:
    path = write(content)
    message = refusal(path, **options)
    assert message.startswith(f"{path}:{line}: ")
    assert re.search(says, message)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"scheme": "bilou"}, "scheme: 'bilou'"),
        ({"encoding": "klingon"}, "encoding: 'klingon'"),
        ({"encoding": "base64"}, "encoding: 'base64'"),
        ({"separator": ""}, "separator: "),
    ],
)
def test_bad_settings_are_named(write: Writer, options: dict[str, Any], says: str) -> None:
    assert refusal(write(b"a O\n"), **options).startswith(says)


def test_files_without_sentences(write: Writer, tmp_path: Path) -> None:
    path = write(b"")
    assert refusal(path).startswith(f"{path}: is empty")
    path = write(b"\n-DOCSTART- O\n\n")
    assert refusal(path).startswith(f"{path}: holds no sentence")
    assert refusal(tmp_path / "none").startswith(f"{tmp_path / 'none'}: cannot be read (No such file")
    assert refusal(tmp_path).startswith(f"{tmp_path}: cannot be read (Is a directory")


def test_orphans_start_spans_with_one_warning(write: Writer, caplog: pytest.LogCaptureFixture) -> None:
    path = write(b"a B-X\nb I-X\n\nc B-X\n\nd B-X\n\ne O\nf I-X\ng I-X\n")
    assert read_conll(path)[-1].tags == ("O", "B-X", "I-X")
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith(f"{path}:9: the first of 1 tags")


def test_report_collects_every_problem_and_reads_on(write: Writer) -> None:
    problems: list[str] = []
    path = write(b"a O\nb\nc X\nd I-X\n\n\te\tO\ne f\n")
    sentences = read_conll(path, strict=True, report=problems.append)
    assert [problem.split(":")[1] for problem in problems] == ["2", "3", "4", "7"]
    assert sentences == [Sentence(("a", "d"), ("O", "B-X")), Sentence(("e",), ("O",))]


def test_hold_out_takes_the_last() -> None:
    sentences = [Sentence((str(number),)) for number in range(5)]
    assert hold_out(sentences, 2) == (sentences[:3], sentences[3:])
    for count in (0, 5, 6, -1):
        with pytest.raises(UserError, match="hold_out"):
            hold_out(sentences, count)


def test_counts_are_compared() -> None:
    check_counts(SENTENCES, "train", expect_sentences=2, expect_words=6)
    check_counts(SENTENCES, "train", expect_sentences=None, expect_words=None)
    with pytest.raises(UserError, match=r"^train: holds 2 sentences, but 3,000 are expected"):
        check_counts(SENTENCES, "train", expect_sentences=3000, expect_words=6)
    with pytest.raises(UserError, match=r"^train: holds 6 words, but 7 are expected"):
        check_counts(SENTENCES, "train", expect_sentences=2, expect_words=7)


def test_one_entry_for_all_formats(write: Writer) -> None:
    path = write(b"a;NN;I-X\n")
    assert read_corpus(path, word=1, tag=2, scheme="iob1", separator=";") == [Sentence(("NN",), ("B-X",))]
    path = write(b'{"tokens": ["a"], "ner_tags": [1], "w": ["b"], "t": ["S-X"]}\n')
    assert read_corpus(path, format="jsonl", names=["O", "B-X"]) == [Sentence(("a",), ("B-X",))]
    read = read_corpus(path, format="jsonl", word="w", tag="t", scheme="bioes")
    assert read == [Sentence(("b",), ("B-X",))]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"format": "xml"}, "format: 'xml' is unknown; choose one of conll, jsonl, arrow"),
        ({"word": "tokens"}, "word, tag: must be column numbers in conll"),
        ({"format": "jsonl", "tag": 3}, "word, tag: must be names of fields in jsonl"),
        ({"format": "arrow", "word": 0}, "word, tag: must be names of fields in arrow"),
    ],
)
def test_settings_that_do_not_fit_the_format(write: Writer, options: dict[str, Any], says: str) -> None:
    with pytest.raises(UserError, match=says):
        read_corpus(write(b"a O\n"), **options)
