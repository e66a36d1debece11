"""Batches laid out by a worker thread while the device is at work on the one before."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

AHEAD = 3  # batches that are laid out, or being laid out, while one is used

Item = TypeVar("Item")
LaidOut = TypeVar("LaidOut")


def laid_out(items: Iterable[Item], lay_out: Callable[[Item], LaidOut]) -> Generator[LaidOut, None, None]:
    """`map(lay_out, items)`, in its order, up to AHEAD items ahead in another thread.

    What `lay_out` raises is raised here, in the place of its result. Close the iterator to stop the thread.
    """
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
