"""How benchmarks measure: in a process of its own, whose peak memory never sinks, and in turns."""

import multiprocessing
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

Work = Callable[..., dict[str, Any]]


def measured(work: Work, *arguments: Any) -> dict[str, Any]:
    """Run `work` in a new process; add its `seconds` and the `peak_mb` of that process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        found = pool.apply(_run, (work, arguments))
        pool.close()  # so that the process ends by itself, and gives back what it holds
        pool.join()
    return found


def peak() -> float:
    """Peak resident memory of this process in MB, libraries and pages of mapped files included."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def folder_bytes(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def in_turns(names: Sequence[str], rounds: int) -> Iterator[str]:
    """Every name once in each round, in an order that rotates."""
    for turn in range(rounds):
        start = turn % len(names)
        yield from [*names[start:], *names[:start]]


def _run(work: Work, arguments: tuple[Any, ...]) -> dict[str, Any]:
    import torch

    torch.set_num_threads(1)
    start = time.perf_counter()
    found = work(*arguments)
    return {"seconds": time.perf_counter() - start, **found, "peak_mb": peak()}
