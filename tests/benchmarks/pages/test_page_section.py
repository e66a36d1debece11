from pathlib import Path

import pytest

from benchmarks.pages.page_section import BEGIN, END, with_section
from pipeline.errors import UserError

PAGE = Path("docs/results.md")


def test_what_stands_between_the_markers_is_replaced() -> None:
    new = with_section(f"# Title\n\n{BEGIN}\nold\n{END}\nrest\n", "new", PAGE)
    assert new == f"# Title\n\n{BEGIN}\n\nnew\n\n{END}\nrest\n"
    assert with_section(new, "new", PAGE) == new
    assert with_section(new, "", PAGE) == f"# Title\n\n{BEGIN}\n{END}\nrest\n"


@pytest.mark.parametrize("text", ["", BEGIN, END + BEGIN, BEGIN + END + END, BEGIN + BEGIN + END])
def test_wrong_markers_are_refused(text: str) -> None:
    with pytest.raises(UserError, match=r"docs/results\.md: must hold the lines"):
        with_section(text, "new", PAGE)
