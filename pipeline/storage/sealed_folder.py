"""Folders that are either whole or absent: written aside, sealed with checksums, renamed into place.

Every artifact of the pipeline (encoded corpus, score store, models, checkpoints) is such a folder, so that
a killed process or a full disk leaves the previous one usable, and a damaged one is refused by name.
"""

import ctypes
import errno
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import UserError

SEAL = "seal.json"

# Other errors of the operating system, such as a missing input, are not about the folder being written.
_CANNOT_WRITE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder beside `path`; on a clean exit seal it and move it to `path`.

    An existing `path` is replaced only then, in one step where the system can swap two names. When the block
    raises, the new folder is removed and `path` stays as it was.

    Raises:
        UserError: the disk is full or the folder cannot be written.
    """
    aside, old = path.with_name(f".{path.name}.new"), path.with_name(f".{path.name}.old")
    try:
        if path.exists() and not path.is_dir():
            raise FileExistsError(errno.EEXIST, "a file of this name stands there", str(path))
        path.parent.mkdir(parents=True, exist_ok=True)
        if old.exists() and not path.exists():  # killed between the two renames of `_replace`
            old.rename(path)
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir()
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        yield aside
        _seal(aside)
        _replace(aside, path, old)
    except Exception as error:
        if (number := _system_error(error)) in _CANNOT_WRITE:
            told = error if isinstance(error, OSError) else OSError(number, os.strerror(number or 0))
            raise _unwritable(path, told) from error
        raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def check(path: Path) -> dict[str, str]:
    """Verify every file of a sealed folder and return their SHA-256 by name.

    Raises:
        UserError: the folder is missing or unsealed, or a file of it is missing, extra or altered.
    """
    remedy = f"remove {path} and run `dvc repro`"
    try:
        seal = json.loads((path / SEAL).read_text(encoding="utf-8"))
        files: dict[str, str] = seal["files"]
        intact = seal["sha256"] == _digest(files)
    except OSError as error:
        raise _unfinished(path, error) from None
    except (ValueError, KeyError, TypeError):
        intact = False
    if not intact:
        raise UserError(f"{path / SEAL}: damaged; {remedy}")
    for name, expected in files.items():
        if not (path / name).is_file():
            raise UserError(f"{path / name}: missing; {remedy}")
        try:
            found = sha256(path / name)
        except OSError as error:
            raise UserError(f"{path / name}: cannot be read ({error.strerror}); {remedy}") from error
        if found != expected:
            raise UserError(f"{path / name}: damaged (checksum differs); {remedy}")
    for name in _files(path):
        if name not in files:
            raise UserError(f"{path / name}: does not belong to this folder; remove it")
    return files


def identity(path: Path) -> str:
    """One SHA-256 that names the content of a sealed folder (of its seal; the files are not read).

    Raises:
        UserError: the folder is missing, or its seal is missing or damaged.
    """
    try:
        return str(json.loads((path / SEAL).read_text(encoding="utf-8"))["sha256"])
    except OSError as error:
        raise _unfinished(path, error) from None
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{path / SEAL}: damaged; remove {path} and run `dvc repro`") from None


def _system_error(error: Exception) -> int | None:
    """The system's number of an error, which safetensors and tokenizers have in their text alone."""
    if isinstance(error, OSError):
        return error.errno
    told = re.search(r"\(os error (\d+)\)", str(error))
    return int(told[1]) if told else None


def _unwritable(path: Path, error: OSError) -> UserError:
    where = f": {error.filename}" if error.filename else ""
    why = error.strerror or error
    return UserError(f"{path}: cannot be written ({why}{where}); free space or rights, and run again")


def _unfinished(path: Path, error: OSError) -> UserError:
    return UserError(
        f"{path}: not a finished output of the pipeline ({SEAL}: {error.strerror}); run `dvc repro`"
    )


def _files(path: Path) -> list[str]:
    return sorted(str(p.relative_to(path)) for p in path.rglob("*") if p.is_file() and p != path / SEAL)


def _digest(files: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


def _seal(path: Path) -> None:
    files = {name: sha256(path / name) for name in _files(path)}
    seal = json.dumps({"sha256": _digest(files), "files": files}, indent=1)
    (path / SEAL).write_text(seal + "\n", encoding="utf-8")
    for entry in [*path.rglob("*"), path]:
        _sync(entry)


def _sync(path: Path) -> None:
    """Have a file's bytes, or a folder's names, on the disk before going on."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _replace(aside: Path, path: Path, old: Path) -> None:
    """Move `aside` to `path`; where the two cannot be swapped, an older `path` steps to `old` first."""
    if path.exists():
        if _swap(aside, path):
            _sync(path.parent)
            return
        shutil.rmtree(old, ignore_errors=True)
        path.rename(old)
    aside.rename(path)
    _sync(path.parent)
    shutil.rmtree(old, ignore_errors=True)


def _swap(one: Path, other: Path) -> bool:
    """Swap two names in one step (Linux's renameat2, which Python lacks); False where impossible."""
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    try:
        renameat2 = ctypes.CDLL(None).renameat2
    except (OSError, TypeError, AttributeError):
        return False
    return bool(renameat2(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0)
