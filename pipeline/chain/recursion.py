"""The one door through which every dynamic program of the chain is started."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def start(program: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run `program`. A test replaces this function to count, or to forbid, dynamic programs."""
    return program(*args, **kwargs)
