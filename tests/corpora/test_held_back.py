"""What is held back, and what is given of it where the source is refused."""

from collections.abc import Iterator

import pytest

from pipeline.corpora.held_back import MisreadError, held_back
from pipeline.errors import UserError


def source(waits: str, error: type[UserError] | None = None) -> Iterator[tuple[int, bool]]:
    """Numbers from 0, of which those of a `w` wait; then an error."""
    yield from ((number, kind == "w") for number, kind in enumerate(waits))
    if error:
        raise error("refused")


def test_what_waits_is_given_with_the_next_that_does_not() -> None:
    read: list[int] = []

    def watched() -> Iterator[tuple[int, bool]]:
        for number, waits in source("-ww-"):
            read.append(number)
            yield number, waits

    given = held_back(watched())
    assert (next(given), read) == (0, [0])
    assert (next(given), read) == (1, [0, 1, 2, 3])
    assert [*given] == [2, 3]


@pytest.mark.parametrize("waits", ["", "-", "www", "-w", "w-w"])
def test_all_is_given_in_its_order_at_the_end(waits: str) -> None:
    assert [*held_back(source(waits))] == [*range(len(waits))]


@pytest.mark.parametrize(("error", "expected"), [(UserError, [0, 1, 2]), (MisreadError, [0])])
def test_what_waits_is_given_before_an_error_unless_it_was_misread(
    error: type[UserError], expected: list[int]
) -> None:
    given: list[int] = []
    with pytest.raises(error, match="refused"):
        given.extend(held_back(source("-ww", error)))
    assert given == expected
