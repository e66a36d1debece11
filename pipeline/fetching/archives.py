"""Unpack gzip, zstd and zip without trusting them: no name leaves its folder, no size goes unchecked."""

import gzip
import re
import stat
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import UserError, one_line
from pipeline.fetching.checks import GZIP, ZSTD, check_size

CHUNK = 1 << 20
BOMB_BYTES = 100 << 20  # unpacked bytes above which the ratio is looked at
BOMB_RATIO = 100  # unpacked bytes for each packed one; text and weights stay far below


def unpacked_name(name: str) -> str:
    """The name of a file without the .gz or .zst that `chunks` unpacks."""
    return name.removesuffix(".gz").removesuffix(".zst")


def plain_chunks(path: Path) -> Iterator[bytes]:
    """The bytes of a file as they are, 1 MiB at a time."""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def chunks(path: Path, source: str) -> Iterator[bytes]:
    """The bytes of a file, unpacked if it is gzip or zstd data, 1 MiB at a time.

    Raises:
        UserError: damaged data, a bomb, or more than checks.LARGEST bytes; named by `source`.
        OSError: the file cannot be read.
    """
    packed, unpacked = path.stat().st_size, 0
    for chunk in _unpacked(path, source):
        unpacked += len(chunk)
        if _is_bomb(unpacked, packed):
            raise UserError(f"{source}: {packed:,} bytes unpack to over {unpacked:,}; not unpacked")
        check_size(source, unpacked)
        yield chunk


def zip_names(path: Path, source: str) -> list[str]:
    """Names of the files in a zip archive, once every member has been found harmless.

    Raises:
        UserError: no zip archive, or a member with `..`, an absolute path, a backslash, a link, a name that
            occurs twice, sizes that cannot be true, a member or a sum that is a bomb, or a sum of more than
            checks.LARGEST bytes; named by `source`.
    """
    with _reading(source), zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
        names = [info.orig_filename for info in infos]
    for info in infos:
        if problem := _problem(info):
            raise UserError(f"{source}: member {_quoted(info.orig_filename)} {problem}; not unpacked")
    if len({name.rstrip("/") for name in names}) != len(names):
        raise UserError(f"{source}: a member's name occurs twice; not unpacked")
    if sum(info.compress_size for info in infos) > path.stat().st_size:
        raise UserError(f"{source}: its members' sizes exceed the archive's; not unpacked")
    packed, unpacked = path.stat().st_size, sum(info.file_size for info in infos)
    if _is_bomb(unpacked, packed):
        raise UserError(f"{source}: {packed:,} bytes unpack to {unpacked:,}; not unpacked")
    check_size(source, unpacked)
    return [name for name in names if not name.endswith("/")]


def unzip(path: Path, source: str, wanted: Mapping[str, Path]) -> None:
    """Write members of a zip archive to the files given for their names, of which `zip_names` approved.

    Raises:
        UserError: a member is damaged, or longer or shorter than it says; named by `source`.
        OSError: a file cannot be written.
    """
    with _reading(source), zipfile.ZipFile(path) as archive:
        sizes = {info.filename: info.file_size for info in archive.infolist()}
    for name, target in wanted.items():
        with target.open("wb") as file:
            for chunk in _unzipped(path, name, source):
                file.write(chunk)
            if file.tell() != sizes[name]:
                raise UserError(
                    f"{source}: member {_quoted(name)} has {file.tell():,} bytes, "
                    f"but says {sizes[name]:,}; fetch it again"
                )


def _unpacked(path: Path, source: str) -> Iterator[bytes]:
    with path.open("rb") as file:
        head = file.read(len(ZSTD[0]))
    if head.startswith(GZIP):
        return _gunzipped(path, source)
    return _unpacked_zstd(path, source) if head in ZSTD else plain_chunks(path)


def _unpacked_zstd(path: Path, source: str) -> Iterator[bytes]:
    import pyarrow as pa  # it reads zstd, which Python 3.11 does not, and is installed in any case

    with _reading(source), pa.CompressedInputStream(pa.OSFile(str(path)), "zstd") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def _gunzipped(path: Path, source: str) -> Iterator[bytes]:
    with _reading(source), path.open("rb") as raw, gzip.GzipFile(fileobj=raw) as file:
        while chunk := file.read(CHUNK):
            yield chunk


def _unzipped(path: Path, name: str, source: str) -> Iterator[bytes]:
    where = f"{source}: member {_quoted(name)}"
    with _reading(where), zipfile.ZipFile(path) as archive, archive.open(name) as file:
        while chunk := file.read(CHUNK):
            yield chunk


@contextmanager
def _reading(source: str) -> Iterator[None]:
    """What goes wrong while reading an archive is the archive's fault: its modules raise a dozen kinds."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        reason = one_line(error) or type(error).__name__
        raise UserError(f"{source}: damaged archive ({reason}); fetch it again") from None


def _problem(info: zipfile.ZipInfo) -> str | None:
    name, kind = info.orig_filename, stat.S_IFMT(info.external_attr >> 16)
    if not name.isprintable() or "\\" in name or re.match("/|[A-Za-z]:", name):
        return "has a name that is absolute or no plain path"
    if any(part in ("", ".", "..") for part in name.removesuffix("/").split("/")):
        return "has a name that can leave its folder"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a link or device"
    if _is_bomb(info.file_size, info.compress_size):
        return f"says that {info.compress_size:,} bytes unpack to {info.file_size:,}"
    return None


def _quoted(name: str) -> str:
    """A member's name in a message: its writer chose its letters and its length."""
    return one_line(repr(name))


def _is_bomb(unpacked: int, packed: int) -> bool:
    return unpacked > BOMB_BYTES and unpacked > BOMB_RATIO * packed
