"""Batches loaded by a thread while the device is at work on others; on a CPU, when they are used."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch

AHEAD = 3  # batches that are loaded, or being loaded, while one is used

Item = TypeVar("Item")
Loaded = TypeVar("Loaded")


def prefetch(
    items: Iterable[Item], load: Callable[[Item], Loaded], device: torch.device
) -> Generator[Loaded, None, None]:
    """`map(load, items)`, in its order; another thread is up to AHEAD items ahead, but for a CPU.

    A CPU has nothing to do while it waits. There a second thread that enters OpenMP makes more threads than
    cores, and libgomp then puts its own to sleep between two operations: a step of a student took half as
    long again.

    What `load` raises is raised here, in the place of its result. Close the iterator to stop the thread.
    """
    if device.type == "cpu":
        yield from map(load, items)
        return
    waiting: deque[Future[Loaded]] = deque()
    with ThreadPoolExecutor(1, "batches") as worker:
        try:
            for item in items:
                waiting.append(worker.submit(load, item))
                if len(waiting) > AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
