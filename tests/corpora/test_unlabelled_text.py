"""Text without tags is read however it is laid out; what is no such text is refused under its own name."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.corpora.tagging import Sentence
from pipeline.corpora.unlabelled_text import fetch_unlabelled, read_unlabelled
from pipeline.errors import UserError

COLUMNS = b"-DOCSTART-\n\nThe\ncat\n\nIt\nran\n.\n"


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize(
    ("content", "sentences"),
    [
        (b"The cat sat .\n\nIt ran .\n", [("The", "cat", "sat", "."), ("It", "ran", ".")]),
        (b"Same length here\nas in this\n", [("Same", "length", "here"), ("as", "in", "this")]),
        (b"Hello world\n\nGood day\n", [("Hello", "world"), ("Good", "day")]),
        (b"One\n\nTwo\n\nThree\n", [("One",), ("Two",), ("Three",)]),
        (b"The\ncat\n\nIt\nran\n.\n", [("The", "cat"), ("It", "ran", ".")]),
        (b"The DT\ncat NN\n\nIt PRP\n", [("The", "cat"), ("It",)]),
        (COLUMNS, [("The", "cat"), ("It", "ran", ".")]),
        (b"-DOCSTART-\n\nThe\n\nIt\n", [("The",), ("It",)]),
        (b"Anna left.\nRome, now!\n", [("Anna", "left", "."), ("Rome", ",", "now", "!")]),
        (
            b"Mr. X , of U.S. fame .\nIt fell 5% .",
            [("Mr.", "X", ",", "of", "U.S.", "fame", "."), ("It", "fell", "5%", ".")],
        ),
        (b"\xef\xbb\xbfOld Rome .\r\n\r\nfell .\r\n", [("Old", "Rome", "."), ("fell", ".")]),
    ],
)
def test_every_layout(
    tmp_path: Path, content: bytes, sentences: list[tuple[str, ...]], pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "text"
    path.write_bytes(pack(content))
    assert read_unlabelled(path, "name") == [Sentence(words) for words in sentences]


def test_raw_text_is_cut_as_it_is_when_tagged(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_text("Anna Hope's team, of Farnham, left the U.S. on 22/11/96.\nWhy? Nobody asked.\n")
    first, second = (sentence.words for sentence in read_unlabelled(path, "name"))
    assert first[:6] == ("Anna", "Hope", "'s", "team", ",", "of")
    assert first[-3:] == ("on", "22/11/96", ".")
    assert second == ("Why", "?", "Nobody", "asked", ".")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "text: holds no sentence; give text with one sentence a line"),
        (b"\n \n\n", "text: holds no sentence"),
        (b"good line\n" * 2000 + b"bad \xff\n", r"text:2001: byte 5 of the line \(0xff\) is not UTF-8"),
        (b"a\0b\n", "text:1: holds a NUL character"),
        (gzip.compress(b"some words\n" * 99, mtime=0)[:-9], "text: damaged gzip data|text:.*damaged"),
    ],
)
def test_a_bad_text_is_one_line_with_its_own_name(tmp_path: Path, content: bytes, says: str) -> None:
    source = tmp_path / "text"
    source.write_bytes(content)
    with pytest.raises(UserError, match=rf"^{tmp_path}/{says}") as caught:
        fetch_unlabelled(str(source))
    assert "\n" not in str(caught.value)


def test_a_missing_text(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=rf"^{tmp_path}/none\.txt: there is no such file; .* CORPUS_MIRROR=DIR"
    ):
        fetch_unlabelled(f"{tmp_path}/none.txt")


def test_the_mirror_is_looked_in_for_an_address(tmp_path: Path) -> None:
    (tmp_path / "news.txt.gz").write_bytes(gzip.compress(b"Old Rome fell .\n"))
    found = fetch_unlabelled("https://127.0.0.1:9/news.txt", mirror=tmp_path)
    assert found == [Sentence(("Old", "Rome", "fell", "."))]
