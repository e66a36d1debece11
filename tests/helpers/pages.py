"""The pages in Markdown, and what of them can be run: code blocks by language, commands by line."""

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = tuple(sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md")))
PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", *DOCS)


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    """What stands in the page's fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", read(page), re.DOTALL | re.MULTILINE)


def commands(page: str) -> list[list[str]]:
    """The words of each command behind a $, in the page's order, without what it sets, pipes or redirects."""
    found = []
    for block in blocks(page, "console"):
        for line in re.findall(r"^\$ (.*)$", block, re.MULTILINE):
            for command in line.split(" && "):
                words = shlex.split(command.split(" | ")[0].split(" > ")[0], comments=True)
                found.append([word for word in words if not re.match("[A-Z_]+=", word)])
    return found
