"""The part of a page that a command writes, between two markers."""

from pathlib import Path

from pipeline.errors import UserError

BEGIN = "<!-- results: written by `python -m benchmarks.results`, do not edit -->"
END = "<!-- /results -->"


def with_section(text: str, body: str, page: Path) -> str:
    """The page's text with `body` between its markers.

    Raises:
        UserError: the markers are not there once each, in order.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in before + after:
        raise UserError(f"{page}: must hold the lines {BEGIN!r} and {END!r} once each, in this order")
    inside = f"\n{body}\n\n" if body else ""
    return f"{before}{BEGIN}\n{inside}{END}{after}"
