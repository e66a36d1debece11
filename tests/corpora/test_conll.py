"""Columns and text come in as sentences, or one line says which line is wrong."""

import gzip
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.corpora.conll import read_conll
from pipeline.corpora.schemes import to_iob2
from pipeline.corpora.tagging import Sentence
from pipeline.errors import UserError

Writer = Callable[..., Path]


def read(path: Path, **options: Any) -> list[Sentence]:
    """All sentences of a file."""
    return list(read_conll(path, **options))


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
        read(path, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_documents_and_blank_lines_end_sentences(write: Writer) -> None:
    assert read(write(FOUR_COLUMNS), scheme="iob1") == SENTENCES


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
    assert read(write(content), scheme="iob1") == SENTENCES


def test_iob1_and_iob2_files_are_one_corpus(write: Writer) -> None:
    rng = random.Random(5)
    choices = ["O", "B-X", "I-X", "I-Y", "B-Y"]
    sentences = [[rng.choice(choices) for _ in range(rng.randint(1, 9))] for _ in range(300)]
    iob1 = "\n".join("".join(f"w {tag}\n" for tag in tags) for tags in sentences)
    iob2 = "\n".join("".join(f"w {tag}\n" for tag in to_iob2(tags, "iob1")[0]) for tags in sentences)
    assert iob1 != iob2
    first = read(write(iob1.encode(), "iob1"), scheme="iob1")
    assert first == read(write(iob2.encode(), "iob2"), scheme="iob2", strict=True)
    assert len(first) == len(sentences)


def test_columns_are_chosen(write: Writer) -> None:
    path = write(FOUR_COLUMNS)
    chunks = read(path, word=1, tag=2, scheme="iob1")
    assert chunks[0] == Sentence(("NNP", "VBZ", "JJ"), ("B-NP", "B-VP", "B-NP"))
    assert read(path, word=-4, tag=1, scheme="plain")[0].tags == ("NNP", "VBZ", "JJ")


def test_a_separator_keeps_spaces_inside_words(write: Writer) -> None:
    path = write(b"New York\tB-LOC\n\nParis\tB-LOC\n")
    assert read(path, separator="\t")[0] == Sentence(("New York",), ("B-LOC",))
    assert f"{path}:3: has 2 columns, but line 1 has 3" in refusal(path)


def test_unicode_spaces_and_line_separators_are_parts_of_words(write: Writer) -> None:
    words = ("10\u00a0000", "a\u2028b", "c\x85d", "\u3000", "\x0b", "\x1c")
    path = write("".join(f"{word} O\n" for word in words).encode())
    assert read(path) == [Sentence(words, ("O",) * len(words))]


def test_encoding(write: Writer) -> None:
    path = write("Zürich B-LOC\nist O\n".encode("latin-1"))
    assert read(path, encoding="latin-1")[0].words == ("Zürich", "ist")
    assert refusal(path).startswith(f"{path}:1: byte 2 of the file (0xfc) is not utf-8")
    assert read(write(b"\xef\xbb\xbfa O\n"), encoding="utf-8-sig")[0].words == ("a",)
    assert read(write("Łódź B-LOC\n".encode("utf-16")), encoding="utf-16")[0].words == ("Łódź",)


def test_utf_8_that_is_read_as_latin_1_is_a_warning(write: Writer, caplog: pytest.LogCaptureFixture) -> None:
    path = write("a O\nZoë B-PER\n\nChloë B-PER\n".encode())
    assert read(path, encoding="latin-1")[0].words == ("a", "ZoÃ«")
    assert caplog.messages == [f"{path}:2: is also valid UTF-8; set encoding: utf-8 if words look wrong"]


@pytest.mark.parametrize(
    ("content", "options", "line", "says"),
    [
        (b"a O\nb NN O\n", {}, 2, "has 3 columns, but line 1 has 2"),
        (b"a NN O\n\nb O\n", {}, 3, "has 2 columns, but line 1 has 3"),
        (b"a\nb\n", {"tag": 1}, 1, "has 1 column, so tag: 1 does not exist"),
        (b"a O\n", {"tag": -3}, 1, "tag: -3 does not exist"),
        (b"a O\n", {"word": 2}, 1, "word: 2 does not exist"),
        (b"a O\nb S-X\n", {}, 2, "'S-X' is not an iob2 tag"),
        (b"a O\nb B-\n", {"scheme": "iob1"}, 2, "'B-' is not an iob1 tag"),
        (b"a\tO\n\tO\n", {"separator": "\t"}, 2, "the word in column 0 is empty"),
        (b"a O\r\nb O\r\n", {}, 1, "Windows line ends"),
        (b"a O\nb \rO\n", {}, 2, "carriage return inside"),
        (b"\xef\xbb\xbfa O\n", {}, 1, "byte order mark"),
        (b"\xef\xbb\xbfa O\n", {"encoding": "latin-1"}, 1, "byte order mark.* set encoding: utf-8-sig"),
        ("\ufeffa O\n".encode("utf-16-le"), {"encoding": "utf-16-le"}, 1, "byte order mark.*: utf-16,"),
        ("\ufeffa O\n".encode("utf-32-be"), {"encoding": "UTF_32BE"}, 1, "byte order mark.*: utf-32,"),
        (b"a O\nb\x00c O\n", {}, 2, "NUL"),
        (b"a O\n" * 9999 + b"\xff O\n", {}, 10000, r"byte 39997 of the file \(0xff\) is not utf-8"),
        (b"a O\n+2AA- O\n", {"encoding": "utf-7"}, 2, "a lone surrogate"),
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
        ({"encoding": "klingon"}, "encoding: 'klingon'"),
        ({"encoding": "base64"}, "encoding: 'base64'"),
    ],
)
def test_bad_settings_are_named(write: Writer, options: dict[str, Any], says: str) -> None:
    assert refusal(write(b"a O\n"), **options).startswith(says)


def test_a_file_without_blank_lines_is_no_sentence(write: Writer) -> None:
    path = write(b"\n" + b"a O\n" * 50_000)
    problems: list[str] = []
    for options in ({}, {"report": problems.append}):
        assert refusal(path, **options) == (
            f"{path}:40002: the sentence has more than 40,000 words; separate sentences by a blank line"
        )
    assert not problems
    assert len(read(write(2 * (b"a O\n" * 40_000 + b"\n")))) == 2


def test_files_without_sentences(write: Writer, tmp_path: Path) -> None:
    path = write(b"")
    assert refusal(path).startswith(f"{path}: is empty")
    path = write(b"\n-DOCSTART- O\n\n")
    assert refusal(path).startswith(f"{path}: holds no sentence")
    assert refusal(tmp_path / "none").startswith(f"{tmp_path / 'none'}: cannot be read (No such file")
    assert refusal(tmp_path).startswith(f"{tmp_path}: cannot be read (Is a directory")


def test_orphans_start_spans_with_one_warning(write: Writer, caplog: pytest.LogCaptureFixture) -> None:
    path = write(b"a B-X\nb I-X\n\nc B-X\n\nd B-X\n\ne O\nf I-X\ng I-X\n")
    assert read(path)[-1].tags == ("O", "B-X", "I-X")
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith(f"{path}:9: the first of 1 tag")


def test_report_collects_every_problem_and_reads_on(write: Writer) -> None:
    problems: list[str] = []
    path = write(b"a O\nb\nc X\nd I-X\n\n\te\tO\ne f\n")
    sentences = read(path, strict=True, report=problems.append)
    assert [problem.split(":")[1] for problem in problems] == ["2", "3", "4", "7"]
    assert sentences == [Sentence(("a", "d"), ("O", "B-X")), Sentence(("e",), ("O",))]


# Lines that are no words

COMMENTS: dict[str, tuple[bytes, dict[str, Any], str]] = {
    "germeval": (
        b"#\thttp://example.org/a\t[2001-01-01]\n1\tIda\tB-PER\tO\n2\tsah\tO\tO\n\n"
        b"#\thttp://example.org/b\t[2001-01-02]\n1\tUlm\tB-LOC\tO\n",
        {"word": 1, "tag": 2, "separator": "\t"},
        "1: has 3 columns, but line 2 has 4; correct the line, or if such lines are comments, set comment",
    ),
    "multiconer": (
        b"# id 0001\tdomain=xx\nIda _ _ B-PER\nsah _ _ O\n\n# id 0002\tdomain=xx\nUlm _ _ B-LOC\n",
        {"tag": 3},
        "1: 'domain=xx' is not an iob2 tag",
    ),
    "jnlpba": (
        b"###MEDLINE:01\n\nIda\tB-PER\nsah\tO\n\n###MEDLINE:02\n\nUlm\tB-LOC\n",
        {},
        "1: has 1 column, ",
    ),
}


@pytest.mark.parametrize("name", COMMENTS)
def test_comments_are_left_out_where_they_are_said_to_be(write: Writer, name: str) -> None:
    content, options, says = COMMENTS[name]
    path = write(content)
    wanted = [Sentence(("Ida", "sah"), ("B-PER", "O")), Sentence(("Ulm",), ("B-LOC",))]
    assert read(path, comment="#", **options) == wanted
    message = refusal(path, **options)
    assert message.startswith(f"{path}:{says}")
    assert "set comment: '#'" in message


def test_a_comment_does_not_end_a_sentence(write: Writer) -> None:
    assert len(read(write(b"a O\n# b\nc O\n"), comment="# ")) == 1


def test_a_hash_is_a_word_unless_comments_are_said(write: Writer, caplog: pytest.LogCaptureFixture) -> None:
    path = write(b"#berlin\tB-LOC\nrocks\tO\n\nwe\tO\n#\tO\n1\tO\n")
    assert [sentence.words for sentence in read(path)] == [("#berlin", "rocks"), ("we", "#", "1")]
    assert not caplog.messages


def test_comments_that_pass_for_words_are_a_warning(write: Writer, caplog: pytest.LogCaptureFixture) -> None:
    path = write(b"# doc1\nthe DET\ncat NOUN\n\n# doc2\na DET\n")
    assert read(path, scheme="plain")[0].words[0] == "#"
    (message,) = caplog.messages
    assert message.startswith(f"{path}:1: the first of 2 sentences that begin with a # line")
    assert "set comment: '#'" in message


def test_one_comment_that_passes_for_a_word(write: Writer, caplog: pytest.LogCaptureFixture) -> None:
    path = write(b"# DET\n")
    read(path, scheme="plain")
    (message,) = caplog.messages
    assert message.startswith(f"{path}:1: the first of 1 sentence that begins with a # line")


@pytest.mark.parametrize(
    ("content", "options", "header"),
    [
        (b"token\tlabel\nthe\tDET\n", {}, True),
        (b"Word TAG\n\nthe DET\n", {}, True),
        (b"form,lemma,upos\nthe,the,DET\n", {"separator": ","}, True),
        (b"label token\nDET the\n", {"word": 1, "tag": 0}, True),
        (b"tokens ner_tags\nIda PER\n", {"scheme": "io"}, True),
        (b"word tag\nthe DET\n\nword tag\n", {}, False),
        (b"word NOUN\ntag NOUN\n", {}, False),
        (b"the DET\nword tag\n", {}, False),
    ],
)
def test_a_header_is_a_word_with_a_warning(
    write: Writer, caplog: pytest.LogCaptureFixture, content: bytes, options: dict[str, Any], header: bool
) -> None:
    path = write(content)
    read(path, **{"scheme": "plain"} | options)
    assert caplog.messages == header * [f"{path}:1: looks like a header; remove it"]


@pytest.mark.parametrize(
    "line",
    [
        "-DOCSTART-",
        "-DOCSTART- -X- -X- O",
        "-DOCSTART-\tO",
        "-DOCSTART-\tX\tX\tO",
        "-DOCSTART- O",
        "-DOCSTART-,O",
    ],
)
@pytest.mark.parametrize("between", ["\t", ",", " "])
def test_documents_begin_whatever_parts_their_lines(write: Writer, line: str, between: str) -> None:
    rows = ["New Glen|X|X|B-LOC", "wins|X|X|O", line, "Ida|X|X|B-PER"]
    if between == " ":
        rows[0] = "Glen|X|X|B-LOC"
    path = write(("\n".join([line, "", *rows]).replace("|", between) + "\n").encode())
    found = read(path, separator=None if between == " " else between)
    assert [sentence.tags for sentence in found] == [("B-LOC", "O"), ("B-PER",)]


def test_a_document_in_small_letters_is_a_word_with_a_warning(
    write: Writer, caplog: pytest.LogCaptureFixture
) -> None:
    path = write(b"a O\n\n-docstart- O\n\nb O\n\n-DocStart- O\n")
    assert len(read(path)) == 4
    (message,) = caplog.messages
    assert message.startswith(f"{path}:3: is read as a word; documents begin with -DOCSTART-")


def test_a_word_that_only_begins_like_a_document_is_a_word(write: Writer) -> None:
    assert read(write(b"-DOCSTART-s O\n"))[0].words == ("-DOCSTART-s",)


CONLLU = """# text = Vamos al mar.
1\tVamos\tir\tVERB\t_
2-3\tal\t_\t_\t_
2\ta\ta\tADP\t_
3\tel\tel\tDET\t_
4\tmar\tmar\tNOUN\t_
4.1\tazul\tazul\tADJ\t_

# text = Sue likes coffee and Bill tea
0.1\tella\tella\tPRON\t_
1-2\tdel\t_\t_\t_
1\tde\tde\tADP\t_
2\tel\tel\tDET\t_
"""


def test_rows_that_are_no_words_of_conll_u_are_left_out(write: Writer) -> None:
    path = write(CONLLU.encode())
    found = read(path, word=1, tag=3, scheme="plain", separator="\t", comment="#")
    assert [sentence.words for sentence in found] == [("Vamos", "a", "el", "mar"), ("de", "el")]
    assert found[0].tags == ("VERB", "ADP", "DET", "NOUN")
    spans = CONLLU.replace("VERB", "O").replace("NOUN", "B-X").replace("ADP", "O").replace("DET", "O")
    assert read(write(spans.encode()), word=1, tag=3, separator="\t", comment="#")[0].tags == (
        "O", "O", "O", "B-X",
    )  # fmt: skip


@pytest.mark.parametrize("content", [
    b"1-1\ta\tO\n1-2\tb\tO\n1-3\tc\tO\n",  # sentence and word, as WebAnno has it
    b"1-5\ta\tO\n7-9\tb\tO\n11-20\tc\tO\n",  # offsets
    b"0.1\ta\tO\n0.2\tb\tO\n0.3\tc\tO\n",
    b"1\ta\tO\n3\tb\tO\n4.1\tc\tO\n",
])  # fmt: skip
def test_other_first_columns_are_no_conll_u(write: Writer, content: bytes) -> None:
    assert read(write(content), word=1)[0].words == ("a", "b", "c")


def test_numbers_as_words_stay(write: Writer) -> None:
    assert read(write(b"1 O\n2 O\n1-2 O\n"))[0].words == ("1", "2", "1-2")


# Columns


@pytest.mark.parametrize("options", [{}, {"word": -1, "tag": 0}, {"word": 0, "tag": 0}])
def test_words_and_tags_in_one_column_are_refused(write: Writer, options: dict[str, Any]) -> None:
    path = write(b"the,DET\ncat,NOUN\n")
    message = refusal(path, scheme="plain", **options)
    assert message.startswith(f"{path}:1: has 1 column, so word: ")
    assert message.endswith("are the same one; correct them, or set separator")


def test_quoted_cells_are_named(write: Writer) -> None:
    path = write(b'sentence,word,tag\n1,"1,000",O\n')
    assert "cells in quotes are not read" in refusal(path, word=1, separator=",", scheme="plain")


def test_tags_that_look_alike_are_refused_by_line(write: Writer) -> None:
    path = write("Ida\tB-PER \nBob\tB-PER\nUlm\tB-LOC\u200b\nx\tB-PER\ufeff\ny\tB-PER\u00a0\n".encode())
    problems: list[str] = []
    assert read(path, separator="\t", report=problems.append) == [Sentence(("Bob",), ("B-PER",))]
    assert [problem.split(":")[1] for problem in problems] == ["1", "3", "4", "5"]


def test_typeless_tags(write: Writer) -> None:
    found = read(write(b"mutant B\nABC I\ngene O\n\nwild O\ntype B\n"))
    assert [sentence.tags for sentence in found] == [("B-SPAN", "I-SPAN", "O"), ("O", "B-SPAN")]
    path = write(b"a B-X\nb O\nc I\n")
    assert refusal(path).startswith(f"{path}:3: 'I' has no type, but 'B-X' before it has one")
