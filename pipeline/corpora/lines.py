"""Lines of a text file or stream, plain or gzipped; whatever is no clean text is refused by file and line."""

import codecs
import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from pipeline.corpora.file_kinds import HEAD, Advice, has_zero_bytes, other_file
from pipeline.errors import UserError, counted, is_encodable, unreadable
from pipeline.fetching.checks import GZIP, is_gzip

LONGEST_LINE = 1_000_000
"""Characters of a line of a labelled file: some 100,000 words as JSON."""

LABELLED = Advice(
    encoding="save it as UTF-8, or set encoding to what the file is in",
    latin="set encoding to what the file is in, for example latin-1",
    unicode="set encoding: {}",
    table="set format: dataset",
)
"""What to do about labelled files that are no text in the encoding given."""

CHUNK = 1 << 16  # bytes
MARK = "\ufeff"  # byte order mark
NOT_ASCII = re.compile(rb"[\x80-\xff]")


def refuse(problem: str) -> None:
    """Raise a problem as UserError: what a reader does with it unless told otherwise."""
    raise UserError(problem)


def read_lines(
    path: Path, encoding: str = "utf-8", *, warn: Callable[[str], None] | None = None
) -> Iterator[tuple[int, str]]:
    """The lines of a file, gzipped or not, as `stream_lines` gives them.

    Args:
        path: the file.
        encoding: the file's.
        warn: as in `stream_lines`.

    Raises:
        UserError: the file cannot be opened or is empty; and as `stream_lines`.
    """
    empty = True
    try:
        file = path.open("rb")
    except (OSError, ValueError) as error:
        raise unreadable(path, error, "name a text file") from None
    with file:
        for line in stream_lines(file, str(path), encoding, warn=warn):
            empty = False
            yield line
    if empty:
        raise UserError(f"{path}: is empty; give a file with sentences")


def stream_lines(
    raw: BinaryIO,
    name: str,
    encoding: str = "utf-8",
    *,
    windows: bool = False,
    longest: int = LONGEST_LINE,
    advice: Advice = LABELLED,
    warn: Callable[[str], None] | None = None,
) -> Iterator[tuple[int, str]]:
    """The lines of a stream of bytes, plain or gzipped: (line number from 1, line without its end).

    A line is given as soon as its end is read, and no more than a chunk and a line is held in memory. Lines
    end with a line feed and nothing else, so that the other separators of Unicode stay inside words. Byte
    order marks that begin later lines, as where files were joined, are left out.

    Args:
        raw: open for reading bytes, with `peek` and `read1`, as files and standard input have them.
        name: the stream's, for messages.
        encoding: of the bytes.
        windows: take a carriage return before the line feed as part of the line's end; refuse it otherwise.
        longest: most characters that a line may have.
        advice: what to do about a file that is no text in the encoding.
        warn: called at the end if lines had byte order marks, or if `encoding` has a byte for each character
            and the bytes are UTF-8 too.

    Raises:
        UserError: the stream cannot be read, `encoding` is unknown, gzip data are damaged, bytes are not in
            the encoding, or a line is longer than `longest` or holds a byte order mark at the file's start,
            a carriage return, a NUL or a lone surrogate. The message starts with `NAME:LINE`.
    """
    decoder, check = _decoder(encoding), _Check(name, encoding, windows, longest, advice)
    number, begun = 1, ""  # of the line that is not ended yet
    marks = _Marks()
    total, head = 0, b""
    unicode = _Unicode() if warn and _is_single_byte(encoding) else None
    try:
        data = _unzipped(raw)
        while True:
            chunk = data.read1(CHUNK)
            head, total = (head + chunk)[:HEAD] if len(head) < HEAD else head, total + len(chunk)
            if unicode:
                unicode.see(chunk)
            text, problem = _decode(decoder, chunk, total, encoding)
            *ended, begun = (begun + text).split("\n")
            for line in ended:
                yield number, check.clean(marks.dropped(number, line), number, head)
                number += 1
            if problem:
                told = check.file_problem(head) or f"{problem}; {advice.of_encoding(head)}"
                raise UserError(f"{name}:{number}: {told}")
            if not chunk:
                break
            if len(begun) > longest + 1:  # a carriage return may end it
                raise UserError(f"{name}:{number}: {check.file_problem(head) or _too_long(longest)}")
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UserError(f"{name}:{number}: damaged gzip data ({error}); fetch the file again") from None
    except OSError as error:
        raise unreadable(name, error, "name a text file") from None
    if begun:
        yield number, check.clean(marks.dropped(number, begun), number, head)
    if warn and marks.count:
        warn(
            f"{name}:{marks.first}: begins with a byte order mark, the first of "
            f"{counted(marks.count, 'such line')}; the marks are left out"
        )
    if warn and unicode and (first := unicode.line):
        warn(f"{name}:{first}: is also valid UTF-8; set encoding: utf-8 if words look wrong")


def _is_single_byte(encoding: str) -> bool:
    """Whether every byte of the encoding is a character, as in latin-1, so that UTF-8 passes for it."""
    high = bytes(range(0x80, 0x100))
    try:
        alone = sum(len(bytes([byte]).decode(encoding, "ignore")) for byte in high)
        return len(high.decode(encoding, "ignore")) == alone > 0
    except UnicodeError:
        return False


class _Marks:
    """The byte order marks at the start of lines behind the first one."""

    def __init__(self) -> None:
        self.count = self.first = 0  # lines with such a mark, and the first of them

    def dropped(self, number: int, line: str) -> str:
        """The line without its marks."""
        if number == 1 or not line.startswith(MARK):
            return line
        self.count, self.first = self.count + 1, self.first or number
        return line.lstrip(MARK)


class _Unicode:
    """Whether bytes, seen chunk by chunk, are UTF-8; text in another encoding is so by no accident."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._valid = True
        self._lines = 1
        self._first: int | None = None

    @property
    def line(self) -> int | None:
        """The first line with a byte that is not ASCII, if there is one and all bytes are UTF-8."""
        return self._first if self._valid else None

    def see(self, chunk: bytes) -> None:
        """Look at the next bytes; none are the end."""
        if not self._valid:
            return
        if self._first is None:
            found = NOT_ASCII.search(chunk)
            self._lines += chunk.count(b"\n", 0, found.start() if found else len(chunk))
            self._first = self._lines if found else None
        try:
            self._decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError:
            self._valid = False


def _decoder(encoding: str) -> codecs.IncrementalDecoder:
    try:
        "".encode(encoding)  # refuses codecs between bytes, such as base64
        return codecs.getincrementaldecoder(encoding)()
    except (LookupError, ValueError):
        raise UserError(f"encoding: {encoding!r} is unknown; try utf-8 or latin-1") from None


def _unzipped(raw: BinaryIO) -> io.BufferedReader:
    buffered = cast(io.BufferedReader, raw)
    if not is_gzip(buffered.peek(len(GZIP))):
        return buffered
    return cast(io.BufferedReader, gzip.GzipFile(fileobj=buffered))


def _decode(
    decoder: codecs.IncrementalDecoder, chunk: bytes, total: int, encoding: str
) -> tuple[str, str | None]:
    """Decode a chunk, the last if it is empty: its text up to a byte that is wrong, and what is wrong there.

    `total` counts the bytes up to the chunk's end.
    """
    before = decoder.getstate()
    try:
        return decoder.decode(chunk, final=not chunk), None
    except UnicodeDecodeError as error:
        behind = len(error.object) - error.start  # bytes from the wrong one to the chunk's end
        place = f"byte {total - behind + 1} of the file (0x{error.object[error.start]:02x})"
        problem = f"{place} is not {_shown(encoding)}"
        with suppress(UnicodeError):
            decoder.setstate(before)
            return decoder.decode(chunk[: max(0, len(chunk) - behind)]), problem
        return "", problem
    except UnicodeError:  # some codecs cannot say where
        return "", f"the bytes are not {_shown(encoding)}"


@dataclass(frozen=True)
class _Check:
    """What a line of text must be; the settings are those of `stream_lines`."""

    name: str
    encoding: str
    windows: bool
    longest: int
    advice: Advice

    def clean(self, line: str, number: int, head: bytes) -> str:
        """The line without a carriage return at its end, if it is clean text; `head` begins the file."""
        if self.windows:
            line = line.removesuffix("\r")
        if problem := self._problem(line, number, head):
            raise UserError(f"{self.name}:{number}: {problem}")
        return line

    def file_problem(self, head: bytes) -> str | None:
        """What is wrong with the file as a whole, if its first bytes show it."""
        known = other_file(head, self.encoding, self.advice)
        is_binary = b"\0" in head and not has_zero_bytes(self.encoding)
        return known or (self._nul_problem() if is_binary else None)

    def _problem(self, line: str, number: int, head: bytes) -> str | None:
        if number == 1 and (problem := other_file(head, self.encoding, self.advice)):
            return problem
        if number == 1 and line.startswith(MARK):
            return f"starts with a byte order mark, which {self.encoding} keeps; remove it"
        if len(line) > self.longest:
            return _too_long(self.longest)
        if "\0" in line:
            return self.file_problem(head) or self._nul_problem()
        if "\r" in line:
            return self.file_problem(head) or _return_problem(line)
        if not is_encodable(line):
            return (
                "contains a lone surrogate, which is not a character; correct the file or the encoding "
                f"{self.encoding}"
            )
        return None

    def _nul_problem(self) -> str:
        told = "name a text file"
        if not has_zero_bytes(self.encoding):
            told += f", or if it is UTF-16, {self.advice.unicode.format('utf-16le')}"
        return f"holds a NUL character, so that it is not text in {_shown(self.encoding)}; {told}"


def _return_problem(line: str) -> str:
    if line.endswith("\r"):
        return "ends with a carriage return (Windows line ends); convert the file, for example with dos2unix"
    return "holds a carriage return inside; end each line with only a line feed"


def _shown(encoding: str) -> str:
    """An encoding's name without what concerns the byte order mark alone."""
    return encoding.removesuffix("-sig")


def _too_long(longest: int) -> str:
    return f"is longer than {longest:,} characters; end each line with a line feed"
