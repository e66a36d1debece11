"""A file that is no text in the encoding expected is told by its first bytes, and text is not."""

import gzip
import io
import tarfile
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.corpora.file_kinds import HEAD, Advice, other_file

ADVICE = Advice("encoding", "latin", "convert from {}", "read the table")
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


SCRIPTS = {
    "chinese": "他昨天去了北京。",
    "japanese": "東京へ行きました。\n",
    "korean": "서울 갔다\n",
    "khmer": "ភ្នំពេញ ទីក្រុង\n",
    "columns": "中國臺灣 O\n",
    "rare": "𠀀上北京去\n",
}


@pytest.mark.parametrize("text", SCRIPTS.values(), ids=SCRIPTS)
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "gb18030", "shift_jis", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("written", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("times", [1, 999])
def test_utf_16_of_scripts_without_bytes_of_0(written: str, encoding: str, text: str, times: int) -> None:
    says = (
        f"is UTF-16 without a byte order mark; convert from {written.replace('-', '').replace('utf', 'utf-')}"
    )
    assert told((times * text).encode(written), encoding) == (None if written == encoding else says)


@pytest.mark.parametrize(
    ("text", "encodings"),
    [
        (SCRIPTS["chinese"], ["utf-8", "gb18030", "utf-16"]),
        (SCRIPTS["japanese"], ["utf-8", "shift_jis", "euc_jp", "iso2022_jp"]),
        ("おはようございます", ["utf-8", "shift_jis", "euc_jp"]),
        (SCRIPTS["korean"], ["utf-8", "euc_kr"]),
        ("中國\tO\n臺灣\tO\n", ["utf-8", "big5", "gb18030"]),
        ("Bush hid the facts", ["ascii"]),
        ("ab\ncd\n", ["ascii"]),
        ("Zoë lives in Ulm.\n", ["utf-8", "latin-1"]),
        ("Анна живёт в Киеве.\n", ["utf-8", "cp1251", "koi8-r"]),
    ],
)
@pytest.mark.parametrize("times", [1, 2, 99])
def test_text_in_its_encoding_is_no_utf_16(text: str, encodings: list[str], times: int) -> None:
    for encoding in encodings:
        data = (times * text).encode(encoding)
        for begin in (0, 1):
            assert told(data[begin:], encoding) is None


@pytest.mark.parametrize(
    ("text", "encoding", "says"),
    [
        (TEXTS["latin"], "latin-1", "latin"),
        ("Ein schöner Tag, für große Größen.\n", "cp1252", "latin"),
        ("x" * HEAD, "ascii", "latin"),
        ("中 O\n國 O\n", "gb18030", "encoding"),
        ("他昨天去了北京", "utf-16-le", "encoding"),
        (TEXTS["cyrillic"], "cp1251", "encoding"),
        (SCRIPTS["japanese"], "shift_jis", "encoding"),
        (SCRIPTS["japanese"], "euc_jp", "encoding"),
    ],
)
def test_latin_1_is_advised_only_for_latin_letters(text: str, encoding: str, says: str) -> None:
    for times in (1, 9, 99):
        assert ADVICE.of_encoding((times * text).encode(encoding)[:HEAD]) == says


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
        "東京".encode("utf-16-le"),  # any four bytes would be two such letters
        "東京 O\n".encode(),
    ],
)
def test_text_and_unknown_bytes_are_none_of_them(head: bytes) -> None:
    assert told(head) is None
