"""Standard streams that end no stage: closed ones, a full disk behind them, a locale without a character."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self, TextIO

from pipeline.errors import UserError


class Messages:
    """A stream for messages: one that cannot be written ends no work, and `lost` says why.

    Anything else than writing and flushing is the stream's own.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.lost = ""
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")

    def write(self, text: str) -> int:
        """Write, or drop the text."""
        try:
            return self.stream.write(text)
        except OSError as error:
            self._drop(error)
            return len(text)

    def flush(self) -> None:
        """Flush, or drop what is waiting."""
        try:
            self.stream.flush()
        except OSError as error:
            self._drop(error)

    def _drop(self, error: OSError) -> None:
        self.lost = self.lost or _reason(error)
        _to_nowhere(self.stream)

    def __getattr__(self, name: str) -> object:
        return getattr(self.stream, name)


class ResultStream:
    """Standard output where it is what the user asked for: UTF-8, and a failure to write it is an error.

    A context: what was written before an error inside is flushed before the error is told.

    Raises:
        UserError: when writing or flushing, if the text cannot be written.
    """

    def __init__(self) -> None:
        self.stream: TextIO = sys.stdout.stream if isinstance(sys.stdout, Messages) else sys.stdout
        if isinstance(self.stream, io.TextIOWrapper):
            self.stream.reconfigure(encoding="utf-8", errors="strict")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.flush()

    def write(self, text: str) -> None:
        """Write."""
        try:
            self.stream.write(text)
        except OSError as error:
            raise self._failure(error) from None

    def flush(self) -> None:
        """Flush."""
        try:
            self.stream.flush()
        except OSError as error:
            raise self._failure(error) from None

    def _failure(self, error: OSError) -> UserError:
        _to_nowhere(self.stream)
        return UserError(
            f"standard output: cannot be written ({_reason(error)}); free space, or write elsewhere"
        )


@contextmanager
def standard_streams() -> Iterator[None]:
    """Open what is closed of standard input, output and error, and let no message end the work inside.

    A file that is opened later cannot take the place of a closed one then. A character that the locale's
    encoding lacks is written as a question mark.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free, which is this one
    before = sys.stdin, sys.stdout, sys.stderr
    sys.stdin = sys.stdin or open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    out = Messages(sys.stdout or open(1, "w", encoding="utf-8", closefd=False))  # noqa: SIM115
    err = Messages(sys.stderr or open(2, "w", encoding="utf-8", closefd=False))  # noqa: SIM115
    sys.stdout, sys.stderr = out, err
    try:
        yield
    finally:
        out.flush()
        if out.lost:
            print(f"warning: messages on standard output were lost ({out.lost})", file=err)
        err.flush()
        sys.stdin, sys.stdout, sys.stderr = before


def _reason(error: OSError) -> str:
    return error.strerror or str(error)


def _to_nowhere(stream: TextIO) -> None:
    """Send what waits in a stream, and what follows, to nowhere: Python flushes it once more at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
