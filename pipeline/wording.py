"""Text of others inside a message of ours."""


def one_line(text: object, limit: int = 200) -> str:
    """`text` on one line, cut to `limit` characters; what cannot be printed becomes a question mark."""
    words = " ".join(str(text).split())
    return "".join(letter if letter.isprintable() else "?" for letter in words[:limit])
