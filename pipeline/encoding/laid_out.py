"""Batches laid out by a thread while the device is at work on others; on a CPU, when they are used."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch

AHEAD = 3  # batches that are laid out, or being laid out, while one is used

Item = TypeVar("Item")
LaidOut = TypeVar("LaidOut")


def laid_out(
    items: Iterable[Item], lay_out: Callable[[Item], LaidOut], device: torch.device
) -> Generator[LaidOut, None, None]:
    """`map(lay_out, items)`, in its order; another thread is up to AHEAD items ahead, but for a CPU.

    A CPU has nothing to do while it waits. There a second thread that enters OpenMP makes more threads than
    cores, and libgomp then puts its own to sleep between two operations: a step of a student took half as
    long again.

    What `lay_out` raises is raised here, in the place of its result. Close the iterator to stop the thread.
    """
    if device.type == "cpu":
        yield from map(lay_out, items)
        return
    waiting: deque[Future[LaidOut]] = deque()
    with ThreadPoolExecutor(1, "batches") as worker:
        try:
            for item in items:
                waiting.append(worker.submit(lay_out, item))
                if len(waiting) > AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
