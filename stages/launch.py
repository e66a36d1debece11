"""A stage as several processes, started by the launcher that the environment variable DISTIL_LAUNCH names.

DVC knows nothing of it: `python -m stages.teacher …` runs `$DISTIL_LAUNCH -m stages.teacher …`, waits for it,
and ends as its processes did. One line tells why, from what each process leaves in the folder NOTES:
`RANK.started` as it begins, `RANK.told` when SIGTERM has reached it, and `RANK.json`, its last line.
"""

import json
import logging
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, redirect_stdout, suppress
from pathlib import Path
from typing import Any, NoReturn

from pipeline.errors import Interrupted, ProcessLost, UserError, first_line
from stages.computing import runs_as_several

LAUNCH, NOTES = "DISTIL_LAUNCH", "DISTIL_NOTES"

Tell = Callable[[str], None]


def relaunch(stage: str, arguments: list[str]) -> None:
    """Run the stage under the launcher and exit with its status; return where there is none.

    Raises:
        UserError, Interrupted: as the stage did.
    """
    launched = NOTES in os.environ
    if launched and "MASTER_PORT" in os.environ and "LOCAL_RANK" not in os.environ:
        raise UserError(
            f"{LAUNCH}: its launcher started a single process, as accelerate launch --cpu does; use "
            "torchrun --nproc_per_node 2"
        )
    if launched or "LOCAL_RANK" in os.environ or not runs_as_several(stage):
        return
    if launcher := _launcher():
        with tempfile.TemporaryDirectory(prefix="distil-") as notes:
            _run([*launcher, "-m", f"stages.{stage}", *arguments], Path(notes))


def _launcher() -> list[str]:
    """The words of the launcher's command; none where no launcher is set."""
    try:
        return shlex.split(os.environ.get(LAUNCH, ""))
    except ValueError as error:
        raise UserError(f"{LAUNCH}: cannot be read ({error}); correct its quotes") from None


def _run(command: list[str], notes: Path) -> NoReturn:
    """Run the launcher's command, pass signals on to it, and end as its processes did, by their `notes`."""
    process: subprocess.Popen[bytes] | None = None
    forwarded: list[int] = []

    def forward(number: int, _: Any) -> None:
        forwarded.append(number)
        if process is not None:
            process.send_signal(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, forward)
    said = notes / "launcher"
    process = _start(command, notes, said)
    if forwarded:  # it came before the launcher could be told
        process.send_signal(forwarded[0])
    if process.wait() == 0:
        raise SystemExit(0)
    if forwarded:
        raise Interrupted(forwarded[0])
    raise _why(notes, said.read_text(encoding="utf-8", errors="replace"))


def _start(command: list[str], notes: Path, said: Path) -> "subprocess.Popen[bytes]":
    """Start the launcher's command, whose standard error goes to the file `said`."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    try:
        with said.open("wb") as errors:
            return subprocess.Popen(
                command,
                env=os.environ | {NOTES: str(notes), "PATH": path},
                stderr=errors,
                process_group=0,  # a Ctrl-C comes only here, and is passed on once
            )
    except OSError as error:
        raise UserError(
            f"{LAUNCH}: {command[0]} cannot be started ({error.strerror}); name a launcher such as "
            "torchrun --nproc_per_node 2"
        ) from error


def _why(place: Path, said: str) -> UserError:
    """The line that tells why the processes ended, by their notes."""
    notes = {int(path.stem): json.loads(path.read_text(encoding="utf-8")) for path in place.glob("*.json")}
    started = {int(path.stem) for path in place.glob("*.started")}
    several = max([len(started), *(note["processes"] for note in notes.values())], default=0)
    stopped = str(Interrupted(signal.SIGTERM))  # what a process says that the launcher has ended for another
    for rank, note in sorted(notes.items()):
        if note["line"] not in ("", stopped):
            where = f"process {rank} of {several}: " if rank else ""
            return UserError(where + note["line"])
    silent, told = started - notes.keys(), {int(path.stem) for path in place.glob("*.told")}
    if killed := sorted((silent - told) or silent):  # if all were told, the launcher has killed them
        names = ", ".join(map(str, killed))
        return UserError(
            f"process {names} of {several} (from 0) was killed, so the others have ended too; "
            "run the same command to resume from the last checkpoint"
        )
    if lost := [note["lost"] for _, note in sorted(notes.items()) if note["lost"]]:
        return UserError(f"the processes are disconnected ({lost[0]}); check the network and the devices")
    last = (said.strip().splitlines() or ["it said nothing"])[-1]
    return UserError(f"{LAUNCH}: the launcher failed ({last}); run it by hand to see more")


def noted() -> AbstractContextManager[Tell]:
    """A context with the function that tells how a stage ends: on standard error, or in a process's note."""
    notes = os.environ.get(NOTES)
    return _told_on_standard_error() if notes is None else _told_in_note(Path(notes))


@contextmanager
def _told_on_standard_error() -> Iterator[Tell]:
    try:
        yield lambda line: print(line, file=sys.stderr)
    except ProcessLost as error:
        print(f"error: another process of the run has ended ({first_line(error)})", file=sys.stderr)
        raise SystemExit(1) from None


@contextmanager
def _told_in_note(notes: Path) -> Iterator[Tell]:
    """Write the note of a launched process, whatever ends it.

    Its standard error goes where standard output does, as that of the launcher is kept apart.
    """
    rank, count = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    os.dup2(1, 2)
    told, lost = list[str](), ""
    (notes / f"{rank}.started").touch()
    _mark_when_told(notes / f"{rank}.told")
    try:
        with nullcontext() if rank == 0 else _quiet():
            yield told.append
    except ProcessLost as error:
        lost = first_line(error)
        raise SystemExit(1) from None
    except Exception as error:
        traceback.print_exc()
        told.append(f"{type(error).__name__}: {first_line(error)}")
        raise SystemExit(1) from None
    finally:
        content = {"processes": count, "line": " ".join(told).removeprefix("error: "), "lost": lost}
        note = notes / f"{rank}.note"
        note.write_text(json.dumps(content), encoding="utf-8", newline="\n")
        note.rename(note.with_suffix(".json"))  # so that what is read is whole


@contextmanager
def _quiet() -> Iterator[None]:
    """Show no warning and nothing that is printed: of launched processes, only the first shows them."""
    logging.disable(logging.WARNING)
    with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):  # noqa: PTH123
        yield


def _mark_when_told(mark: Path) -> None:
    """Make the file `mark` when SIGTERM comes, though the process itself cannot answer.

    While a GPU waits for a process that has died, Python runs no handler, and in the end the launcher kills:
    without the mark this would be one more process that was killed first.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)

    def watch() -> None:
        while signal.SIGTERM not in os.read(reading, 512):
            pass
        with suppress(FileNotFoundError):  # the launcher's folder is gone
            mark.touch()

    threading.Thread(target=watch, name="told-to-end", daemon=True).start()
