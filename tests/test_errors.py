"""Messages tell no secret and leave the terminal as it is."""

import errno
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.corpora.lines import read_lines
from pipeline.corpora.text_stream import open_text
from pipeline.encoding.encoder_config import read_json
from pipeline.errors import UserError, first_line, one_line, shown_address, visible
from pipeline.storage.yaml_file import read_yaml


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://example.com/a.txt", "https://example.com/a.txt"),
        ("https://user:secret@example.com/a.txt", "https://example.com/a.txt"),
        ("https://token@example.com:8080/a.txt", "https://example.com:8080/a.txt"),
        ("https://user:se@cret@example.com/", "https://example.com/"),
        ("https://user:se/cret@example.com/", "https://example.com/"),
        ("https://user:se?cret@example.com/", "https://example.com/"),
        ("https://user:se#cret@example.com/", "https://example.com/"),
        ("https://user:se cret@example.com/", "https://example.com/"),
        ("HTTPS://user:secret@example.com", "HTTPS://example.com"),
        ("https:/user:secret@example.com", "https:/example.com"),
        ("//user:secret@example.com", "//example.com"),
        ("ftp://user:secret@[::1]:21/x", "ftp://[::1]:21/x"),
        ("https://example.com/pkg@1.0/x", "https://example.com/pkg@1.0/x"),
        ("https://example.com:8080/pkg@1.0", "https://example.com:8080/pkg@1.0"),
        ("https://[::1]:8080/pkg@1.0", "https://[::1]:8080/pkg@1.0"),
        ("https://example.com/x?X-Amz-Signature=abc&e=1", "https://example.com/x?…"),
        ("https://example.com/x?", "https://example.com/x?"),
        ("https://example.com/x#token", "https://example.com/x#…"),
        ("https://example.com?sig=a/b@c", "https://example.com?…"),
        ("pypi:name==1.0", "pypi:name==1.0"),
        ("org/name@refs/pr/1", "org/name@refs/pr/1"),
        ("data/what?/me@home.txt", "data/what?/me@home.txt"),
        ("/data/a:b@c#d", "/data/a:b@c#d"),
        ("", ""),
    ],
)
def test_an_address_is_shown_without_its_secrets(address: str, shown: str) -> None:
    assert shown_address(address) == shown
    assert shown_address(shown) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 文 text", "plain é 文 text"),
        (" two\n lines\t", "two lines"),
        ("\x1b[31;1mred\x1b[0m", "red"),
        ("\x1b]0;title\x07name\x1b]8;;https://x\x1b\\link", "namelink"),
        ("\x1b]0;never ended", "0;never ended"),
        ("\x9b2Jgone \x1bcreset \x1b(Bset", "gone reset set"),
        ("bell\x07 back\x08 nul\0", "bell? back? nul?"),
        ("right\u202eto left\u200b", "right?to left?"),
        ("half \udc80", "half ?"),
        (
            "404 for https://user:secret@host/x?sig=abc, then (http://host/y?z=1).",
            "404 for https://host/x?…, then (http://host/y?…).",
        ),
        ("https://user:secret@host: answers 404", "https://host: answers 404"),
        ("https://user:secret@host/x", "https://host/x"),
        (ValueError("why"), "why"),
    ],
)
def test_untrusted_text_is_one_printable_line(text: object, shown: str) -> None:
    assert one_line(text) == shown


@pytest.mark.parametrize(
    "kept",
    [
        "two\nlines\tand a tab",
        "12\u202f000\u2009x\xa0y\u3000z",
        "\u0645\u06cc\u200c\u062e",
        "\U0001f469\u200d\u2695",
        "soft\xadhyphen",
    ],
)
def test_what_words_need_stays_visible(kept: str) -> None:
    assert visible(kept) == kept


@pytest.mark.parametrize(
    "letter",
    [
        *"\0\x07\x08\r\x1b\x7f\x80\x9b\x9d",  # controls
        *"\u061c\u200e\u200f\u202a\u202e\u2066\u2069",  # of the direction of text
        *"\u200b\u2028\u2029\u2060\ufeff\udc80",
    ],
)
def test_what_a_terminal_would_obey_or_not_show_is_replaced(letter: str) -> None:
    assert visible(f"a{letter}b") == "a�b"


def test_a_message_shows_no_joiner_since_it_may_be_the_fault() -> None:
    assert one_line("a\u200cb\u200dc\xadd") == "a?b?c?d"


def test_long_text_is_cut() -> None:
    assert one_line("x" * 200) == "x" * 200
    assert one_line("x" * 201) == "x" * 199 + "…"
    assert one_line("a." * 10_000_000, limit=2000) == "a." * 999 + "a…"


def test_the_first_line_of_an_error() -> None:
    assert first_line(ValueError("\nwhy\x1b[31m \nand how")) == "why"
    assert first_line(ValueError()) == "ValueError"


@pytest.mark.parametrize("read", [read_yaml, read_json, open_text, lambda path: list(read_lines(path))])
def test_a_file_without_permission_is_not_said_to_be_the_wrong_one(
    read: Callable[[Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Permissions themselves would not stop root, who may run the tests."""
    path = tmp_path / "file"
    path.write_text("{}\n")

    def denied(*_: Any, **__: Any) -> Any:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(Path, "open", denied)
    monkeypatch.setattr(io, "open", denied)
    with pytest.raises(UserError) as caught:
        read(path)
    assert str(caught.value) == f"{path}: cannot be read (Permission denied); change its permissions"
