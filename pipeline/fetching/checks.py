"""What every fetched file is checked for: its size, and contents that are not the file itself."""

import re

from pipeline.errors import UserError

LARGEST = 64 << 30  # bytes of all that one source brings, unpacked; the largest encoders have 43 GB
HEAD = 1024  # bytes that show what a file holds

_HTML = re.compile(
    rb"(?i)(?:\xef\xbb\xbf)?(?:\s|<!--.*?-->)*<(?:!doctype\s+html|html|head|body|script)\b", re.DOTALL
)
GZIP, ZIP, PARQUET, ARROW = b"\x1f\x8b", b"PK\x03\x04", b"PAR1", b"ARROW1"
"""What files of these kinds start with."""
ZSTD = (b"\x28\xb5\x2f\xfd", *(bytes([first]) + b"\x2a\x4d\x18" for first in range(0x50, 0x60)))
"""What zstd data start with: a frame, or one that is skipped, as pzstd writes it first."""
_LFS = b"version https://git-lfs.github.com/spec/"


def is_gzip(head: bytes) -> bool:
    """Whether data that start with the bytes `head` are gzip data."""
    return head.startswith(GZIP)


def check_size(source: str, size: int) -> None:
    """Refuse more than LARGEST bytes, in the name of `source`.

    Raises:
        UserError: naming the bound.
    """
    if size > LARGEST:
        raise UserError(
            f"{source}: has more than {LARGEST >> 30} GiB, the most that is fetched; give a smaller one"
        )


def check_head(source: str, head: bytes) -> None:
    """Refuse a file whose first HEAD bytes are those of a web page or a Git LFS pointer.

    Raises:
        UserError: named by `source`.
    """
    if _HTML.match(head):
        raise page_refusal(source)
    if head.startswith(_LFS):
        raise UserError(f"{source}: is a Git LFS pointer, not the file; run `git lfs pull` in its folder")


def check_text_head(source: str, head: bytes) -> None:
    """Refuse text whose first HEAD bytes are packed, or as `check_head`.

    Raises:
        UserError: named by `source`.
    """
    check_head(source, head)
    if is_gzip(head):
        raise UserError(f"{source}: is gzip data inside gzip data; unpack it once with gunzip and give that")
    if head.startswith(ZSTD):
        raise UserError(f"{source}: is packed more than once; unpack it with unzstd and give that")
    if head.startswith(ZIP):
        raise UserError(f"{source}: is a zip archive; unzip it and give the file inside")


def page_refusal(source: str) -> UserError:
    """The error for a web page in place of a file, such as one to sign in."""
    return UserError(
        f"{source}: is a web page (HTML), not the file; fetch the file itself, signed in if its site asks "
        "for that, and give its path"
    )
