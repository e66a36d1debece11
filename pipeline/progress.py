"""Progress of long work: a bar on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pipeline import processes

_SECONDS = 15.0  # between plain lines


class Meter:
    """Counts what is done; `advance` shows it."""

    def __init__(
        self, label: str, total: int | None, done: int, bar: Progress | None, quiet: bool = False
    ) -> None:
        self._label, self._total, self._bar, self._quiet = label, total, bar, quiet
        self._before = self._done = done
        self._shown = self._started = time.monotonic()
        self._task = None if bar is None else bar.add_task(label, total=total, completed=done, note="")

    def advance(self, count: int, note: str = "") -> None:
        """`count` more are done; `note` is shown beside, such as the loss."""
        self._done += count
        now = time.monotonic()
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, advance=count, note=note)
        elif now - self._shown >= _SECONDS and not self._quiet:
            of = "" if self._total is None else f"/{self._total:,}"
            place = f"{self._label}: {self._done:,}{of} {note}".rstrip()
            if self._total is not None:
                left = (now - self._started) / (self._done - self._before) * (self._total - self._done)
                place += f", {left:.0f} s left"
            print(place, flush=True)
            self._shown = now

    def say(self, line: str) -> None:
        """Print a line that stays."""
        if self._bar is not None:
            self._bar.console.print(line, highlight=False, markup=False)
        elif not self._quiet:
            print(line, flush=True)


@contextmanager
def progress(label: str, total: int | None, done: int = 0) -> Iterator[Meter]:
    """Show the progress of `total` units of work (None: nobody knows), `done` of which are done already.

    Only process 0 shows it.
    """
    if not processes.is_first():
        yield Meter(label, total, done, None, quiet=True)
    elif sys.stderr.isatty():
        label_column, note_column = (
            TextColumn(text, markup=False) for text in ("{task.description}", "{task.fields[note]}")
        )
        columns = (label_column, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), note_column)
        with Progress(*columns, console=Console(stderr=True)) as bar:
            yield Meter(label, total, done, bar)
    else:
        yield Meter(label, total, done, None)
