"""Progress of bytes on their way: a bar on a terminal, one plain line elsewhere; always on standard error."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn


@contextmanager
def transfer(shown: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Show a transfer of `total` bytes (None: unknown); yields a function that is told each chunk's bytes."""
    if not sys.stderr.isatty():
        print(f"fetching {shown}", file=sys.stderr, flush=True)
        yield lambda size: None
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(shown, total=total)
        yield lambda size: bar.advance(task, size)
