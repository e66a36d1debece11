"""The exceptions that end a stage without a traceback; addresses and untrusted text in their messages."""

import re
from unicodedata import category

_SCHEME = re.compile(r"(?i)[a-z][a-z0-9+.-]{0,20}://|https?:/?|//")
_ADDRESS = re.compile(r"(?i)\b(?:[a-z][a-z0-9+.-]{0,20}://|https?:)\S*?(?=[])}>'\".,;:]*(?:\s|$))")
# All up to @; also where a password holds / ? or #, so that what follows the colon is no port.
_CREDENTIALS = re.compile(r"[^/?#]*@|[^/?#@:\[]*:(?!\d*(?:[/?#]|$)).*@")
_ESCAPE = re.compile(
    r"\x1b[]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)"  # a command with text, such as a window's title
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # colours and movements of the cursor
    r"|\x1b[ -/]*[0-~]"
)
_KEPT = frozenset("\n\t\u200c\u200d\xad")  # joiners of Persian, Indic scripts and emoji; the soft hyphen


class UserError(Exception):
    """A mistake that the user can mend.

    Its text is one line that names the file, line, address or parameter, and says what to do. The stages
    print it without a traceback and exit with status 2.
    """


def permission_denied(path: object, error: OSError, done: str = "read") -> UserError:
    """The error of a path that may not be `done`: read or written."""
    return UserError(f"{path}: cannot be {done} ({error.strerror}); change its permissions")


def unreadable(path: object, error: OSError | ValueError, advice: str) -> UserError:
    """The error of a path that cannot be read; `advice` says what to do, except for missing permissions."""
    if isinstance(error, PermissionError):
        return permission_denied(path, error)
    return UserError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error}); {advice}")


class Interrupted(BaseException):
    """Ctrl-C or SIGTERM came and the state is saved; `signal` is its number.

    Like KeyboardInterrupt it is no Exception, so that what catches a library's errors does not catch it.
    """

    def __init__(self, signal: int) -> None:
        super().__init__("stopped; run the same command to resume")
        self.signal = signal


class ProcessLost(Exception):
    """Another process of the run has ended, so this one cannot go on."""


def shown_address(address: str) -> str:
    """`address` as a message or a model card may show it: without `user:password@`, query and fragment.

    A query often signs the address for whoever has it, so `?…` stands in its place. What is no address, such
    as a path or a hub id, stays as it is.
    """
    match = _SCHEME.match(address)
    if not match:
        return address
    rest = address[match.end() :]
    if found := _CREDENTIALS.match(rest):
        rest = rest[found.end() :]
    return match[0] + re.sub(r"(?s)([?#]).+", r"\1…", rest)


def one_line(text: object, limit: int = 200) -> str:
    """Untrusted text on one line that a terminal shows as it is.

    Terminal escapes are removed, other characters that cannot be printed become question marks, addresses in
    it are as `shown_address` has them, and all behind `limit` characters becomes an ellipsis.
    """
    words = _ESCAPE.sub("", str(text)[: 16 * limit]).split()
    line = _ADDRESS.sub(lambda match: shown_address(match[0]), " ".join(words))
    line = "".join(letter if letter.isprintable() else "?" for letter in line)
    return line if len(line) <= limit else line[: limit - 1] + "…"


def counted(count: int, noun: str) -> str:
    """A number with its noun, for messages: 1 word, 2,000 words."""
    return f"{count:,} {noun}" + "s" * (count != 1)


def first_line(error: BaseException) -> str:
    """What a library says first of its error; the error's name where it says nothing."""
    return one_line((str(error).strip().splitlines() or [type(error).__name__])[0])


def visible(text: str) -> str:
    """Untrusted text as it is, but � for each character that a terminal would obey or not show.

    Line ends and tabs stay, and what the words of some languages hold: spaces of any width, joiners of
    letters and the soft hyphen.
    """
    return "".join(letter if letter.isprintable() or _is_kept(letter) else "�" for letter in text)


def _is_kept(letter: str) -> bool:
    return letter in _KEPT or category(letter) == "Zs"


def is_encodable(text: str) -> bool:
    """Whether `text` holds no lone surrogate, so that it can be written as UTF-8."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
