"""How every output reaches its place: locked, written beside it, flushed to the disk, and renamed.

Whatever stops the process, the output is the old one or the new one, never half of one.
"""

import ctypes
import errno
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.errors import UserError

NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# Other errors of the operating system, such as a missing input, are not about the output being written.
_CANNOT_WRITE = NO_ROOM | {errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}
# A file where a folder has to be, or the reverse.
_IN_THE_WAY = {errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENOTEMPTY}
_LOCK_SECONDS = 1.0  # to wait for another process before this one gives up

Check = Callable[[], None]
_reserved: list[tuple[Path, Check]] = []


@contextmanager
def replacing(path: Path, *, refuse: Callable[[Path], None]) -> Iterator[Path]:
    """Yield a free name beside `path`; on a clean exit, what was written there becomes `path`.

    When the block raises, what was written is removed and `path` stays as it was. `path` is locked meanwhile.

    Args:
        path: a file or a folder.
        refuse: raises UserError where what stands at `path` must not be replaced; called first and last.

    Raises:
        UserError: the disk is full, `path` cannot be written, or another process is writing it.
    """
    aside = working_name(path)
    with locked(path, "another process is writing it"):
        try:
            restore(path)
            _remove(aside)
        except OSError as error:
            raise unwritable(path, error) from error
        refuse(path)
        try:
            yield aside
            _flush(aside)
            refuse(path)
            _check_reserved(path)
            _replace(aside, path)
        except Exception as error:
            if (number := system_error(error)) in _CANNOT_WRITE:
                told = error if isinstance(error, OSError) else OSError(number, os.strerror(number or 0))
                raise unwritable(path, told) from error
            raise
        finally:
            with suppress(OSError):
                _remove(aside)


@contextmanager
def reserved(*paths: Path, check: Check) -> Iterator[None]:
    """Lock outputs from the start of a run until they are committed.

    Args:
        paths: the outputs, or folders that hold them.
        check: called just before each of them is renamed into place; what it raises keeps the old one.

    Raises:
        UserError: another process is writing one of them, or it cannot be locked.
    """
    entries = [(resolved(path), check) for path in paths]
    with ExitStack() as locks:
        for path in paths:
            locks.enter_context(locked(resolved(path), "another process is writing it"))
        _reserved.extend(entries)
        try:
            yield
        finally:
            for entry in entries:
                _reserved.remove(entry)


@contextmanager
def locked(path: Path, busy: str) -> Iterator[None]:
    """Hold the lock of `path`, a file beside it, for this process; a process may take it several times.

    Raises:
        UserError: another process holds it, and the line says what `busy` says; or there is no place for it.
    """
    made = [parent for parent in path.parents if not parent.exists()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(resolved(path.parent) / f".{path.name}.lock", is_singleton=True)
        lock.acquire(timeout=_LOCK_SECONDS)
    except Timeout:
        if error := _no_file_can_stand(Path(lock.lock_file)):
            raise unwritable(path, error) from None
        raise UserError(f"{path}: {busy}; wait for it or stop it") from None
    except OSError as error:
        raise unwritable(path, error) from error
    try:
        yield
    finally:
        # Removed while it is held: FileLock takes no lock on a file that has lost its name.
        if lock.lock_counter == 1:
            with suppress(OSError):
                Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()
        with suppress(OSError):  # folders that nothing was written into
            for parent in made:
                parent.rmdir()


def _no_file_can_stand(path: Path) -> OSError | None:
    """Why the lock file that is not at `path` cannot be made; FileLock waits for it, as in /proc."""
    if os.path.lexists(path):
        return None
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return None
    except OSError as error:
        return error
    with suppress(OSError):
        path.unlink()
    return None


def working_name(path: Path) -> Path:
    """Where `path` is written before it takes its place."""
    return path.with_name(f".{path.name}.new")


def restore(path: Path) -> None:
    """Put the old output back where a process was killed between the two renames of `_replace`."""
    if (old := _old_name(path)).exists() and not path.exists():
        old.rename(path)


def resolved(path: Path) -> Path:
    """The absolute path behind all symbolic links; a loop of links stays as it is."""
    return Path(os.path.realpath(path))


def unwritable(path: Path, error: OSError) -> UserError:
    """The line that says why `path` cannot be written, and what to do."""
    where = f": {error.filename}" if error.filename else ""
    why = error.strerror or error
    advice = "move what is there away" if error.errno in _IN_THE_WAY else "free space or change permissions"
    return UserError(f"{path}: cannot be written ({why}{where}); {advice}, and run again")


def system_error(error: Exception) -> int | None:
    """The system's number of an error, which safetensors and tokenizers have only in their text."""
    if isinstance(error, OSError):
        return error.errno
    told = re.search(r"\(os error (\d+)\)", str(error))
    return int(told[1]) if told else None


def _old_name(path: Path) -> Path:
    return path.with_name(f".{path.name}.old")


def _check_reserved(path: Path) -> None:
    for place, check in _reserved:
        if resolved(path).is_relative_to(place):
            check()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    for entry in (*path.rglob("*"), path) if path.is_dir() else (path,):
        _sync(entry)


def _sync(path: Path) -> None:
    """Have a file's bytes, or a folder's names, on the disk before going on."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _replace(aside: Path, path: Path) -> None:
    """Move `aside` to `path`; where two folders cannot be swapped, the older one is renamed first."""
    old = _old_name(path)
    try:
        if not aside.is_dir():
            aside.replace(path)
        elif not path.exists():
            aside.rename(path)
        elif not _swap(aside, path):
            shutil.rmtree(old, ignore_errors=True)
            path.rename(old)
            aside.rename(path)
        _sync(path.parent)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise unwritable(path, error) from error


def _swap(one: Path, other: Path) -> bool:
    """Swap two names in one step (Linux's renameat2, which Python lacks); False where impossible."""
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    try:
        renameat2 = ctypes.CDLL(None).renameat2
    except (OSError, TypeError, AttributeError):
        return False
    return bool(renameat2(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0)
