"""Folders that are either whole or absent: written aside, sealed with checksums, renamed into place.

Every artifact of the pipeline (encoded corpus, score store, models, checkpoints) is such a folder, so that
a killed process or a full disk leaves the previous one usable, and a damaged one is refused by name.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import UserError

SEAL = "seal.json"


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder beside `path`; on a clean exit seal it and move it to `path`.

    An existing `path` is replaced only then. When the block raises, the new folder is removed and `path`
    stays as it was.

    Raises:
        UserError: the disk is full or the folder cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.new")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        aside.mkdir()
        yield aside
        _seal(aside)
        _replace(aside, path)
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror or error}); free space or rights, and run again") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def check(path: Path) -> dict[str, str]:
    """Verify every file of a sealed folder and return their SHA-256 by name.

    Raises:
        UserError: the folder is missing or unsealed, or a file of it is missing, extra or altered.
    """
    try:
        seal = json.loads((path / SEAL).read_text())
        files: dict[str, str] = seal["files"]
        intact = seal["sha256"] == _digest(files)
    except FileNotFoundError:
        raise UserError(f"{path}: not a finished output of the pipeline ({SEAL} is missing); run `dvc repro`") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        intact = False
    if not intact:
        raise UserError(f"{path / SEAL}: damaged; remove {path} and run `dvc repro`")
    for name, expected in files.items():
        if not (path / name).is_file():
            raise UserError(f"{path / name}: missing; remove {path} and run `dvc repro`")
        if sha256(path / name) != expected:
            raise UserError(f"{path / name}: damaged (checksum differs); remove {path} and run `dvc repro`")
    for name in _files(path):
        if name not in files:
            raise UserError(f"{path / name}: does not belong to this folder; remove it")
    return files


def identity(path: Path) -> str:
    """One SHA-256 that names the content of a sealed folder (of its seal; the files are not read)."""
    try:
        return str(json.loads((path / SEAL).read_text())["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(f"{path}: not a finished output of the pipeline; run `dvc repro`") from None


def _files(path: Path) -> list[str]:
    return sorted(str(p.relative_to(path)) for p in path.rglob("*") if p.is_file() and p.name != SEAL)


def _digest(files: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


def _seal(path: Path) -> None:
    files = {name: sha256(path / name) for name in _files(path)}
    (path / SEAL).write_text(json.dumps({"sha256": _digest(files), "files": files}, indent=1) + "\n")
    for name in [*files, SEAL]:
        with (path / name).open("rb") as file:
            os.fsync(file.fileno())


def _replace(aside: Path, path: Path) -> None:
    """Rename `aside` to `path`; an older `path` steps aside first, since folders do not overwrite."""
    old = path.with_name(f".{path.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if path.exists():
        path.rename(old)
    aside.rename(path)
    shutil.rmtree(old, ignore_errors=True)
