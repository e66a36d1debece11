"""What a file is by its first bytes, if it is no text in the encoding expected, and what to do about it."""

import codecs
import re
from dataclasses import dataclass
from unicodedata import category
from unicodedata import name as letter_name

from pipeline.fetching.checks import ARROW, GZIP, PARQUET, ZIP, ZSTD

HEAD = 1024
"""First bytes of a file that are looked at."""

_MARKS = {  # that of UTF-32 begins with that of UTF-16
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
    codecs.BOM_UTF8: "utf-8-sig",
}
_UNMARKED = {"utf-32le": (4, 3), "utf-32be": (4, 0), "utf-16le": (2, 1), "utf-16be": (2, 0)}
"""Bytes of a character, and the place of the highest among them."""

_EAST_ASIAN = frozenset(
    ("CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "IDEOGRAPHIC", "FULLWIDTH", "HALFWIDTH")
)
"""First words of the names of letters that Chinese and Japanese mix."""
_BETWEEN = re.compile("[ \t\n\u3000-\u3002]")
"""Each has a byte below 3 in UTF-16, which text in other encodings has not."""
_RUNS = re.compile(rb"[\x80-\xff]+")  # of bytes that are not ASCII

_UNPACK = "unpack it and name the text file inside"
_OFFICE = "is an office document; save it as plain text"
_KINDS = {
    b"%PDF-": "is a PDF document; name a text file",
    b"{\\rtf": _OFFICE,
    b"\xd0\xcf\x11\xe0": _OFFICE,
    ZIP: f"is a zip archive; {_UNPACK}",
    b"7z\xbc\xaf": f"is a 7z archive; {_UNPACK}",
    GZIP: "is gzip data, which must be unpacked once more",
    b"\xfd7zXZ": "is xz data; unpack it, for example with unxz",
    **dict.fromkeys(ZSTD, "is zstd data; unpack it, for example with unzstd"),
    **{b"BZh%d1AY&SY" % n: "is bzip2 data; unpack it, for example with bunzip2" for n in range(1, 10)},
}
"""By bytes that no text begins with."""


@dataclass(frozen=True)
class Advice:
    """What a message says to do about a file that is no text in the encoding expected.

    encoding: about text in another encoding.
    latin: likewise, where it is probably in a Latin alphabet.
    unicode: about text in the encoding that `{}` stands for.
    table: about a Parquet or Arrow file.
    """

    encoding: str
    latin: str
    unicode: str
    table: str

    def of_encoding(self, head: bytes) -> str:
        """`latin` or `encoding`, by the file's first bytes: in a Latin alphabet few letters are not ASCII.

        Those that are not stand mostly between letters that are.
        """
        runs = _RUNS.findall(head)
        others = sum(map(len, runs))
        return self.latin if 4 * others <= len(head) and others <= 1.5 * len(runs) else self.encoding


def other_file(head: bytes, encoding: str, advice: Advice) -> str | None:
    """What a file is, and what to do, if its first bytes show that it is no text in `encoding`.

    Args:
        head: at most HEAD bytes.
        encoding: the name of a codec.
        advice: see Advice.
    """
    return _other_unicode(head, codecs.lookup(encoding).name, advice) or _other_kind(head, advice)


def has_zero_bytes(encoding: str) -> bool:
    """Whether text in an encoding may hold bytes of 0, as in UTF-16 and UTF-32."""
    return codecs.lookup(encoding).name.startswith(("utf-16", "utf-32"))


def _other_unicode(head: bytes, encoding: str, advice: Advice) -> str | None:
    if head.startswith(2 * codecs.BOM_UTF8):
        return "starts with two byte order marks; remove both"
    marked = next((name for mark, name in _MARKS.items() if head.startswith(mark)), None)
    found = marked or _unmarked(head)
    if found is None or codecs.lookup(found).name == encoding:
        return None
    family, told = found[:6].removesuffix("-"), advice.unicode.format(found)
    if not marked:
        return f"is {family.upper()} without a byte order mark; {told}"
    or_remove = ", or remove it" if encoding.startswith(family) else ""
    return f"starts with a byte order mark of {family.upper()}; {told}{or_remove}"


def _unmarked(head: bytes) -> str | None:
    """The UTF-16 or UTF-32 that a text without a mark is in, if its first bytes show it."""
    return _of_alphabet(head) or next(
        (found for found in ("utf-16le", "utf-16be") if _is_in_one_script(head, found)), None
    )


def _of_alphabet(head: bytes) -> str | None:
    """The UTF-16 or UTF-32 of an alphabet's text: spaces and few other characters are above U+0FFF."""
    head = head[: len(head) // 4 * 4]
    for name, (width, place) in _UNMARKED.items():
        highest = head[place::width]
        low = sum(byte < 0x10 for byte in highest)
        if 0 in highest and len(highest) > 1 and 4 * low >= 3 * len(highest) and _is_text(head, name):
            return name
    return None


def _is_in_one_script(head: bytes, encoding: str) -> bool:
    """Whether the bytes are words of one script, with spaces, line ends or ideographic marks between them.

    Letters by themselves show nothing: any two bytes of text in another encoding may be one.
    """
    text = _decoded(head, encoding)
    if not (_BETWEEN.search(text) and _is_text(head, encoding)):
        return False
    letters = [letter for letter in text if letter > "\x7f" and category(letter).startswith("L")]
    scripts = {letter_name(letter, "").partition(" ")[0] for letter in letters}
    return 4 * len(letters) >= len(text) and (len(scripts) == 1 or scripts <= _EAST_ASIAN)


def _decoded(head: bytes, encoding: str) -> str:
    """The characters, up to one that is cut off at the end; none if the bytes are not in the encoding."""
    try:
        return codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeDecodeError:
        return ""


def _is_text(head: bytes, encoding: str) -> bool:
    """Whether the bytes are characters in an encoding: no controls but those of lines, and few rare ones."""
    text = _decoded(head, encoding)
    if not text or 4 * sum(letter > "\uffff" for letter in text) > len(text):
        return False
    return not any(category(letter) in ("Cc", "Cn", "Co") for letter in text if letter not in "\t\r\n\f")


def _other_kind(head: bytes, advice: Advice) -> str | None:
    if head.startswith(PARQUET + b"\x15"):
        return f"is a Parquet file; {advice.table}"
    if head.startswith(ARROW + b"\0") or (head.startswith(b"\xff\xff\xff\xff") and head[7:8] == b"\0"):
        return f"is an Arrow file; {advice.table}"  # the second is a stream with a short first message
    if head[257:262] == b"ustar":
        return f"is a tar archive; {_UNPACK}"
    if head.startswith(ZIP) and (b"[Content_Types].xml" in head or b"mimetypeapplication/" in head):
        return _OFFICE
    return next((what for first, what in _KINDS.items() if head.startswith(first)), None)
