"""Text of others, in files of ours and inside our messages."""


def one_line(text: object, limit: int = 200) -> str:
    """`text` on one line, cut to `limit` characters; what cannot be printed becomes a question mark."""
    words = " ".join(str(text).split())
    return "".join(letter if letter.isprintable() else "?" for letter in words[:limit])


def first_line(error: Exception) -> str:
    """What a library says first of its error; the error's name where it says nothing."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def is_unicode(text: str) -> bool:
    """Whether `text` holds no lone surrogate, so that it can be written as UTF-8."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
