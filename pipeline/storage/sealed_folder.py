"""Folders that are either whole or absent: written aside, sealed with checksums, then committed.

Every artifact of the pipeline (encoded corpus, score store, models, checkpoints) is such a folder, so that
a killed process or a full disk leaves the previous one usable, and a damaged one is refused by name.
"""

import errno
import hashlib
import json
import os
import re
from collections.abc import Container, Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline import processes
from pipeline.errors import UserError, permission_denied, unreadable
from pipeline.storage.commit import replacing, resolved, unwritable

SEAL = "seal.json"
_BYTECODE = re.compile(r"((?:.*/)?)__pycache__/([^/.]+)\.[^/]+\.pyc")


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder beside `path`; on a clean exit seal it and move it to `path`.

    An existing `path` is replaced only then, in one step where the system can swap two names, and only if it
    holds nothing that this project did not write, but for bytecode of a module that it wrote. When the block
    raises, the new folder is removed and `path` stays as it was. Where `path` is a symbolic link, the folder
    behind it is replaced and the link stays.

    Raises:
        UserError: `path` holds files that this project did not write, is or holds the working folder, or
            cannot be written; the disk is full; another process is writing it.
    """
    target = resolved(path)
    if Path.cwd().is_relative_to(target):
        raise UserError(f"{path}: is the working folder, or holds it; name another folder")
    named = path.name not in ("", "..") and not path.is_symlink()
    with replacing(path if named else target, refuse=_refuse_others) as aside:
        try:
            aside.mkdir()
        except OSError as error:
            raise unwritable(path, error) from error
        try:
            yield aside
            _seal(aside)
        except FileNotFoundError:
            if aside.exists():
                raise
            raise UserError(f"{path}: was removed while it was being written; run again") from None


def check(path: Path) -> dict[str, str]:
    """Verify every file of a sealed folder and return their SHA-256 by name.

    Raises:
        UserError: the folder is missing or unsealed, or a file of it is missing, extra, altered or cannot be
            read.
    """
    remedy = f"remove {path} and run `dvc repro`"
    try:
        seal = json.loads((path / SEAL).read_text(encoding="utf-8"))
        files: dict[str, str] = dict(seal["files"].items())
        intact = seal["sha256"] == _digest(files)
    except OSError as error:
        raise _unfinished(path, error) from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        intact = False
    if not intact:
        raise UserError(f"{path / SEAL}: damaged; {remedy}")
    for name, expected in files.items():
        try:
            if not (path / name).is_file():
                raise UserError(f"{path / name}: missing; {remedy}")
            found = sha256(path / name)
        except OSError as error:
            raise unreadable(path / name, error, remedy) from error
        if found != expected:
            raise UserError(f"{path / name}: damaged (checksum differs); {remedy}")
    for name in _entries(path):
        if name not in files:
            raise UserError(f"{path / name}: does not belong to this folder; remove it")
    return files


def sealed_files(path: Path) -> dict[str, str]:
    """The SHA-256 of each file by its name, as the seal has them; nothing without a seal that can be read."""
    try:
        return dict(json.loads((path / SEAL).read_text(encoding="utf-8"))["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def filled(folder: Path, otherwise: Path) -> Path:
    """`folder`, or `otherwise` if it was sealed empty; only the seal is read.

    Raises:
        UserError: the folder is missing, or its seal is missing or damaged.
    """
    return otherwise if identity(folder) == _digest({}) else folder


def write_empty(path: Path) -> None:
    """Write a sealed folder without a file, in place of what is not needed; raises as `new_folder`.

    Of several processes, the first writes it.
    """
    if processes.is_first():
        with new_folder(path):
            pass


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


def _unfinished(path: Path, error: OSError) -> UserError:
    if isinstance(error, PermissionError):
        return permission_denied(path / SEAL, error)
    first = f"remove {path} and " if os.path.lexists(path) else ""
    return UserError(
        f"{path}: not a finished output of the pipeline ({SEAL}: {error.strerror}); {first}run `dvc repro`"
    )


def _entries(path: Path) -> list[str]:
    """What a folder holds at any depth but its seal: files, links and empty folders."""
    return sorted(
        entry.relative_to(path).as_posix()
        for entry in path.rglob("*")
        if entry != path / SEAL and (entry.is_symlink() or not entry.is_dir() or not any(entry.iterdir()))
    )


def _refuse_others(path: Path) -> None:
    """Raise UserError where `path` holds anything that this project did not write."""
    if not os.path.lexists(path):
        return
    if not path.is_dir():
        raise unwritable(path, FileExistsError(errno.EEXIST, "a file of this name exists"))
    ours = sealed_files(path)
    if others := [name for name in _entries(path) if name not in ours and not _is_bytecode(path, name, ours)]:
        raise UserError(
            f"{path}: holds {others[0]}, which this project did not write, so nothing is replaced; "
            "move it away or name another folder"
        )


def _is_bytecode(path: Path, name: str, ours: Container[str]) -> bool:
    """Whether Python wrote this entry of `path` when somebody imported a module that is among `ours`."""
    found = _BYTECODE.fullmatch(name)
    return found is not None and f"{found[1]}{found[2]}.py" in ours and not (path / name).is_symlink()


def _digest(files: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


def _seal(path: Path) -> None:
    """Write the seal; folders without files go, and modes follow the umask (safetensors writes 0600)."""
    mode = path.stat().st_mode & 0o666
    for entry in sorted(path.rglob("*"), reverse=True):
        if not entry.is_dir():
            entry.chmod(mode)
        elif not any(entry.iterdir()):
            entry.rmdir()
    files = {name: sha256(path / name) for name in _entries(path)}
    seal = json.dumps({"sha256": _digest(files), "files": files}, indent=1)
    (path / SEAL).write_text(seal + "\n", encoding="utf-8", newline="\n")
