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
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path
from typing import Any

from pipeline.errors import Interrupted, ProcessLost, UserError, first_line
from stages.computing import runs_as_several

LAUNCH, NOTES = "DISTIL_LAUNCH", "DISTIL_NOTES"


def relaunch(stage: str, arguments: list[str]) -> None:
    """Run the stage under the launcher and exit with its status; return where there is none.

    Raises:
        UserError, Interrupted: as the stage did.
    """
    if NOTES in os.environ and "MASTER_PORT" in os.environ and "LOCAL_RANK" not in os.environ:
        raise UserError(
            f"{LAUNCH}: its launcher started a single process, as accelerate launch --cpu does; use "
            "torchrun --nproc_per_node 2"
        )
    if not runs_as_several(stage) or NOTES in os.environ or "LOCAL_RANK" in os.environ:
        return
    try:
        words = shlex.split(os.environ.get(LAUNCH, ""))
    except ValueError as error:
        raise UserError(f"{LAUNCH}: cannot be read ({error}); correct its quotes") from None
    if not words:
        return
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    with tempfile.TemporaryDirectory(prefix="distil-") as folder:
        place, said = Path(folder), Path(folder, "launcher")
        process: subprocess.Popen[bytes] | None = None
        forwarded: list[int] = []

        def forward(number: int, _: Any) -> None:
            forwarded.append(number)
            if process is not None:
                process.send_signal(number)

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, forward)
        try:
            with said.open("wb") as errors:
                process = subprocess.Popen(
                    [*words, "-m", f"stages.{stage}", *arguments],
                    env=os.environ | {NOTES: folder, "PATH": path},
                    stderr=errors,
                    process_group=0,  # a Ctrl-C comes only here, and is passed on once
                )
        except OSError as error:
            raise UserError(
                f"{LAUNCH}: {words[0]} cannot be started ({error.strerror}); name a launcher such as "
                "torchrun --nproc_per_node 2"
            ) from error
        if forwarded:  # it came before the launcher could be told
            process.send_signal(forwarded[0])
        if process.wait() == 0:
            raise SystemExit(0)
        if forwarded:
            raise Interrupted(forwarded[0])
        raise _why(place, said.read_text(encoding="utf-8", errors="replace"))


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


@contextmanager
def noted() -> Iterator[Callable[[str], None]]:
    """Yield the function that tells how a stage ends: on standard error, or in a launched process's note.

    Of launched processes the first alone shows warnings and what is printed; their standard error goes where
    standard output does, as that of the launcher is kept apart.
    """
    folder = os.environ.get(NOTES)
    if folder is None:
        try:
            yield lambda line: print(line, file=sys.stderr)
        except ProcessLost as error:
            print(f"error: another process of the run has ended ({first_line(error)})", file=sys.stderr)
            raise SystemExit(1) from None
        return
    rank, count = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    os.dup2(1, 2)
    place, told, lost = Path(folder), list[str](), ""
    (place / f"{rank}.started").touch()
    _mark_when_told(place / f"{rank}.told")
    try:
        if rank == 0:
            yield told.append
        else:
            logging.disable(logging.WARNING)
            with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):  # noqa: PTH123
                yield told.append
    except ProcessLost as error:
        lost = first_line(error)
        raise SystemExit(1) from None
    except Exception as error:
        traceback.print_exc()
        told.append(f"{type(error).__name__}: {first_line(error)}")
        raise SystemExit(1) from None
    finally:
        note = place / f"{rank}.note"
        line = " ".join(told).removeprefix("error: ")
        note.write_text(
            json.dumps({"processes": count, "line": line, "lost": lost}), encoding="utf-8", newline="\n"
        )
        note.rename(note.with_suffix(".json"))


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
