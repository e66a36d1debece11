"""Items that are given only once a later one has shown that they were read as they are meant."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from pipeline.errors import UserError

T = TypeVar("T")


class MisreadError(UserError):
    """What was read so far was meant otherwise, so that nothing of what is held back is given."""


def held_back(items: Iterable[tuple[T, bool]]) -> Iterator[T]:
    """The items; those that wait are held until one does not, or until there are no more.

    Args:
        items: each with whether it waits.

    Raises:
        UserError: as `items` raises it, behind the items held; a MisreadError in their place.
    """
    held: list[T] = []
    try:
        for item, waits in items:
            held.append(item)
            if not waits:
                yield from held
                held.clear()
    except MisreadError:
        raise
    except UserError:
        yield from held
        raise
    yield from held
