"""A file that is no text in the encoding expected is told by its first bytes, and text is not."""

import gzip
import io
import tarfile
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.corpora.file_kinds import HEAD, Advice, other_file

ADVICE = Advice("encoding", "convert from {}", "read the table")
TEXTS = {"latin": "Zoë lives in Ulm.\n", "cyrillic": "Анна живёт в Киеве.\n", "one word": "Ulm"}
TABLE = pa.table({"tokens": [["Anna"]]})


def told(head: bytes, encoding: str = "utf-8") -> str | None:
    return other_file(head[:HEAD], encoding, ADVICE)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16", "utf-16le", "UTF_32_BE"])
@pytest.mark.parametrize("written", ["utf-16le", "utf-16be", "utf-32le", "utf-32be"])
def test_utf_16_and_utf_32_without_their_marks(written: str, encoding: str, text: str) -> None:
    says = f"is {written[:6].upper()} without a byte order mark; convert from {written}"
    right = written.replace("-", "") == encoding.lower().replace("_", "").replace("-", "")
    assert told(text.encode(written), encoding) == (None if right else says)


@pytest.mark.parametrize("text", ["Ulm\n", "東京\n"])
@pytest.mark.parametrize(
    ("written", "read", "right"),
    [
        ("utf-8", "latin-1", "utf-8-sig"),
        ("utf-8", "utf-16", "utf-8-sig"),
        ("utf-16le", "utf-8", "utf-16"),
        ("utf-16be", "utf-8-sig", "utf-16"),
        ("utf-16be", "utf-32", "utf-16"),
        ("utf-32le", "utf-8", "utf-32"),
        ("utf-32le", "utf-16", "utf-32"),
        ("utf-32be", "latin-1", "utf-32"),
    ],
)
def test_byte_order_marks(written: str, read: str, right: str, text: str) -> None:
    head = f"\ufeff{text}".encode(written)
    assert told(head, read) == f"starts with a byte order mark of {right[:6].removesuffix('-').upper()}; " + (
        f"convert from {right}"
    )
    assert told(head, right) is None


@pytest.mark.parametrize(("read", "right"), [("utf-8", "utf-8-sig"), ("utf-16-le", "utf-16")])
def test_a_mark_may_be_removed_where_the_encoding_is_right_but_for_it(read: str, right: str) -> None:
    assert str(told("\ufeffUlm\n".encode(read), read)).endswith(f"; convert from {right}, or remove it")
    assert str(told("\ufeffUlm\n".encode("utf-16-be"), "utf-16-le")).endswith("from utf-16, or remove it")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_a_second_mark_is_not_said_to_need_an_encoding(encoding: str) -> None:
    assert told("\ufeff\ufeffUlm\n".encode(), encoding) == "starts with two byte order marks; remove both"


def zipped(*names: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name in names:
            archive.writestr(name, b"application/vnd.oasis.opendocument.text")
    return data.getvalue()


def tarred() -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("text"), io.BytesIO())
    return data.getvalue()


def table(kind: str) -> bytes:
    data = io.BytesIO()
    if kind == "parquet":
        pq.write_table(TABLE, data)
        return data.getvalue()
    new = pa.ipc.new_file if kind == "file" else pa.ipc.new_stream
    with new(data, TABLE.schema) as writer:
        writer.write_table(TABLE)
    return data.getvalue()


OTHERS = {
    "parquet": (table("parquet"), "is a Parquet file; read the table"),
    "arrow": (table("file"), "is an Arrow file; read the table"),
    "stream": (table("stream"), "is an Arrow file; read the table"),
    "zip": (zipped("text"), "is a zip archive; unpack it"),
    "docx": (zipped("[Content_Types].xml"), "is an office document; save it as plain text"),
    "odt": (zipped("mimetype"), "is an office document; save it as plain text"),
    "doc": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "is an office document"),
    "rtf": (b"{\\rtf1\\ansi Ulm}", "is an office document"),
    "tar": (tarred(), "is a tar archive; unpack it"),
    "gzip": (gzip.compress(b"a"), "is gzip data"),
    "bzip2": (b"BZh91AY&SY\xff", "is bzip2 data"),
    "pdf": (b"%PDF-1.4\n", "is a PDF document"),
}


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-16"])
@pytest.mark.parametrize(("head", "says"), OTHERS.values(), ids=OTHERS)
def test_other_kinds_of_file(head: bytes, says: str, encoding: str) -> None:
    assert str(told(head, encoding)).startswith(says)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"PAR1 is a receptor .",
        b"ARROW1 flew .",
        b"BZh and PK left .",
        b"%PDF and {rtf}",
        b"\n" * 9,
        b"\t\n\r\n" * 9,
        b"Ida\0B",
        b"a O\nb\0c O\n",
        b"\x40\0\0\0\0\0\0\0{}",
        bytes(range(256)) * 4,
        b"\x01\0\x02\0" * 9,
        "東京 O\n".encode("utf-16-le"),
        "東京 O\n".encode(),
    ],
)
def test_text_and_unknown_bytes_are_none_of_them(head: bytes) -> None:
    assert told(head) is None
