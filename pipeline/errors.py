"""The exceptions that end a stage without a traceback, and strangers' text inside their messages."""


class UserError(Exception):
    """A mistake that the user can mend.

    Its text is one line that names the file, line, address or parameter, and says what to do. The stages
    print it without a traceback and exit with status 2.
    """


class Interrupted(Exception):
    """Ctrl-C or SIGTERM came and the state is saved; `signal` is its number."""

    def __init__(self, signal: int) -> None:
        super().__init__("stopped; the same command goes on from here")
        self.signal = signal


def one_line(text: object, limit: int = 200) -> str:
    """`text` on one line, cut to `limit` characters; what cannot be printed becomes a question mark."""
    words = " ".join(str(text).split())
    return "".join(letter if letter.isprintable() else "?" for letter in words[:limit])


def first_line(error: Exception) -> str:
    """What a library says first of its error; the error's name where it says nothing."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def visible(text: str) -> str:
    """Strangers' text as it is, but � for each character that a terminal would obey or not show.

    Line ends and tabs stay, and the wider spaces that words of some languages hold.
    """
    return "".join(letter if letter.isprintable() or letter in "\n\t\u3000\xa0" else "�" for letter in text)


def is_unicode(text: str) -> bool:
    """Whether `text` holds no lone surrogate, so that it can be written as UTF-8."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
