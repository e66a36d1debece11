"""Lines come out as they were written, whatever the bytes come through, or one line says what is wrong."""

import gzip
import io
import random
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pytest

from pipeline.corpora.lines import CHUNK, LONGEST_LINE, read_lines, stream_lines
from pipeline.errors import UserError

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-7", "latin-1", "cp1252", "gb18030", "shift_jis")


class Slow(io.RawIOBase):
    """A pipe that gives a few bytes at a time."""

    def __init__(self, content: bytes, most: int) -> None:
        self.content, self.most, self.place = content, most, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        part = self.content[self.place : self.place + min(self.most, len(buffer))]
        buffer[: len(part)] = part
        self.place += len(part)
        return len(part)


def streamed(content: bytes, most: int = 1 << 20, **options: Any) -> list[tuple[int, str]]:
    return list(stream_lines(io.BufferedReader(Slow(content, most)), "name", **options))


def refusal(content: bytes, most: int = 1 << 20, **options: Any) -> str:
    with pytest.raises(UserError) as refused:
        streamed(content, most, **options)
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("packed", [False, True])
def test_lines_in_every_encoding(encoding: str, packed: bool) -> None:
    """The oracle is io.TextIOWrapper."""
    rng = random.Random(encoding)
    letters = "abc \t\x0b\x85\u2028 日本" if encoding in ("utf-8", "utf-16", "gb18030") else "abc \t"
    lines = ["".join(rng.choices(letters, k=rng.randrange(9))) for _ in range(50)]
    for end in ("", "\n"):
        data = ("\n".join(lines) + end).encode(encoding)
        wanted = io.TextIOWrapper(io.BytesIO(data), encoding, newline="\n").read().split("\n")
        wanted = wanted[:-1] if not wanted[-1] else wanted
        for most in (2, 3, 1000):
            found = streamed(gzip.compress(data) if packed else data, most, encoding=encoding)
            assert found == list(enumerate(wanted, 1))


def test_gzip_is_seen_and_line_ends_are_said_by_an_argument() -> None:
    packed = gzip.compress(b"a\r\nb\n")
    assert streamed(packed, windows=True) == [(1, "a"), (2, "b")]
    assert refusal(packed).startswith("name:1: ends with a carriage return (Windows line ends)")
    assert "is gzip data" in refusal(gzip.compress(packed))
    assert "damaged gzip data" in refusal(b"\x1f\x8bdamaged")
    assert refusal(b"a\rb\r\n", windows=True).startswith("name:1: holds a carriage return inside")


def test_latin_1_is_advised_only_for_latin_letters() -> None:
    assert refusal("Zoë lives in Ulm\n".encode("latin-1")).endswith("is in, for example latin-1")
    for text, encoding in (
        ("東京へ行く O\n", "shift_jis"),
        ("他昨天去了北京", "utf-16-le"),
        ("Анна O\n", "cp1251"),
    ):
        message = refusal(text.encode(encoding))
        assert message.endswith("is not utf-8; save it as UTF-8, or set encoding to what the file is in")
    for encoding in ("utf-16-le", "utf-16-be"):
        assert "is UTF-16 without a byte order mark; set encoding" in refusal("東京へ\n".encode(encoding))


def test_a_line_comes_as_soon_as_it_ends() -> None:
    lines = stream_lines(io.BufferedReader(Slow(b"one\ntwo\n" + b"x" * 10, 4)), "name")
    assert next(lines) == (1, "one")
    lines = stream_lines(io.BufferedReader(Slow(b"good\n\xff\n", 99)), "name")
    assert next(lines) == (1, "good")
    with pytest.raises(UserError, match=r"^name:2: byte 6 of the file \(0xff\) is not utf-8"):
        next(lines)


@pytest.mark.parametrize("most", [1, 2, 3, 7, 99])
def test_the_wrong_byte_is_named_wherever_chunks_end(most: int) -> None:
    content = "Zürich\nÖl\n".encode() + b"x\xc3 y\n"
    assert refusal(content, most).startswith("name:3: byte 14 of the file (0xc3) is not utf-8")
    content = "a\nb\n".encode("utf-16") + b"\x00\xd8a\x00"
    assert refusal(content, most, encoding="utf-16").startswith("name:3: byte 11 of the file (0x00) is not")
    content = b"abc\n\x1b$B\x46\x7c\xff\xff"  # wrong behind a change of the character set
    assert refusal(content, most, encoding="iso2022_jp").startswith("name:2: byte 10 of the file (0xff)")
    assert refusal(b"a\n\xc3", most).startswith("name:2: byte 3 of the file (0xc3) is not utf-8")


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("most", [2, 3, 99])
@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "koi8-r"])
def test_utf_8_that_is_read_as_one_byte_a_character_is_told(encoding: str, most: int, packed: bool) -> None:
    told: list[str] = []
    data = "a O\n\nZoë B-PER\nChloë B-PER".encode()
    lines = streamed(gzip.compress(data) if packed else data, most, encoding=encoding, warn=told.append)
    assert lines[0] == (1, "a O")
    assert told == ["name:3: is also valid UTF-8; set encoding: utf-8 if words look wrong"]


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("Zoë O\nZoë O\n".encode("latin-1"), "latin-1"),
        ("Zoë O\n".encode() + "Zoë O\n".encode("latin-1"), "latin-1"),
        ("Zoë O\nZo".encode() + b"\xc3", "latin-1"),
        (b"Zoe O\n", "cp1252"),
        ("Zoë O\n".encode(), "utf-8"),
        ("Zoë O\n".encode("utf-16"), "utf-16"),
        ("あ O\n".encode("shift_jis"), "shift_jis"),
        ("你 O\n".encode("gb18030"), "gb18030"),
    ],
)
def test_other_text_is_not_told_to_be_utf_8(content: bytes, encoding: str) -> None:
    streamed(content, 2, encoding=encoding, warn=pytest.fail)


def zipped() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("train.conll", "Ida B-PER\n" * 99)
    return data.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (zipped(), "is a zip archive; unpack it"),
        (gzip.compress(zipped()), "is a zip archive; unpack it"),
        (gzip.compress(gzip.compress(b"Ida B-PER\n")), "is gzip data, which must be unpacked once more"),
        (b"PAR1\x15\x04\x15\x80\x00\xff", "is a Parquet file; set format: dataset"),
        ("Ida B-PER\n".encode("utf-16"), "set encoding: utf-16"),
    ],
    ids=["zip", "zip in gzip", "gzip in gzip", "parquet", "utf-16"],
)
def test_other_kinds_of_file_are_told_by_their_names(content: bytes, says: str, encoding: str) -> None:
    message = refusal(content, encoding=encoding)
    assert message.startswith("name:1: ")
    assert says in message
    assert "latin-1" not in message


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
@pytest.mark.parametrize("content", [b"\x80\0", b"a\nb\0", b"\x89PNG\r\n\x1a\n\0", b"x" * 99 + b"\0"])
def test_bytes_of_0_are_no_text_of_another_single_byte_encoding(content: bytes, encoding: str) -> None:
    message = refusal(content, encoding=encoding, longest=50)
    told = "holds a NUL character, so that it is not text in"
    assert f"{told} {encoding.removesuffix('-sig')}; name a text file, or if it is UTF-16, set enc" in message


def test_a_pdf_is_no_text_in_latin_1_either() -> None:
    assert refusal(b"%PDF-1.4\n%\xe2\xe3\n", encoding="latin-1").startswith("name:1: is a PDF document")


@pytest.mark.parametrize("most", [1, 2, 99])
def test_marks_that_an_encoding_keeps_are_told_once(most: int) -> None:
    two = "\ufeff\ufeffAnna O\n"
    assert (
        refusal(two.encode(), encoding="utf-8-sig") == "name:1: starts with two byte order marks; remove both"
    )
    assert refusal(two.encode("utf-16-be"), most, encoding="utf-16") == (
        "name:1: starts with a byte order mark, which utf-16 keeps; remove it"
    )
    assert "gb18030 keeps; remove it" in refusal(two[1:].encode("gb18030"), encoding="gb18030")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "gb18030"])
@pytest.mark.parametrize("most", [2, 3, 99])
def test_marks_of_joined_files_are_left_out_with_a_warning(encoding: str, most: int) -> None:
    told: list[str] = []
    text = "Ida O\n\n\ufeff\n\ufeff\ufeff# Ida\nUlm\ufeff O\n\ufeffBob O"
    lines = streamed(text.encode(encoding), most, encoding=encoding, warn=told.append)
    assert [line for _, line in lines] == ["Ida O", "", "", "# Ida", "Ulm\ufeff O", "Bob O"]
    says = "name:3: begins with a byte order mark, the first of 3 such lines; the marks are left out"
    assert told == [says]
    assert streamed(text.encode(encoding), most, encoding=encoding) == lines


def test_a_line_has_a_longest_length() -> None:
    assert streamed(b"x" * 9 + b"\n" + b"y" * 9, longest=9) == [(1, "x" * 9), (2, "y" * 9)]
    for content in (b"a\n" + b"x" * 10 + b"\n", b"a\n" + b"x" * 10, b"a\n" + b"x" * 10**6):
        assert refusal(content, longest=9).startswith("name:2: is longer than 9 characters")
    for most in (1, 10, 11, 99):
        assert streamed(b"x" * 9 + b"\r\n" + b"y" * 9 + b"\r", most, longest=9, windows=True) == [
            (1, "x" * 9),
            (2, "y" * 9),
        ]
        assert refusal(b"x" * 10 + b"\n", most, longest=9, windows=True).startswith("name:1: is longer")
    assert f"longer than {LONGEST_LINE:,} characters" in refusal(b"x" * (LONGEST_LINE + CHUNK))


def test_memory_does_not_grow_with_a_line(tmp_path: Path) -> None:
    path = tmp_path / "long.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        for _ in range(64):
            file.write(b"x" * 1_000_000)
    tracemalloc.start()
    with pytest.raises(UserError, match=r"long.gz:1: is longer than 1,000,000 characters"):
        list(read_lines(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * LONGEST_LINE


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none", Path("a\0b")):
        with pytest.raises(UserError, match="cannot be read"):
            list(read_lines(path))
    (tmp_path / "empty").touch()
    with pytest.raises(UserError, match=r"empty: is empty"):
        list(read_lines(tmp_path / "empty"))
