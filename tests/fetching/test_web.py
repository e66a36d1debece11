"""Only https is spoken, redirects included, and every failure names the address."""

import urllib.request
from http.client import HTTPMessage
from io import BytesIO
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.fetching import web
from tests.helpers.sample_sources import serve

PAGE = bytes(range(256)) * 9000


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def refusal(address: str, target: Path) -> str:
    with pytest.raises(UserError) as caught:
        web.download(address, target, advice="check it")
    assert str(caught.value).startswith(f"{address}: ")
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(f"{address}: ")


def test_a_page_and_a_redirect_to_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serve({"/page": PAGE, "/empty": b""}, {"/moved": "/page", "/empty-moved": "/empty"}) as address:
        for path in ("/page", "/moved"):
            web.download(address + path, tmp_path / "out", advice="")
            assert (tmp_path / "out").read_bytes() == PAGE
        assert capsys.readouterr().err == f"fetching {address}/page\nfetching {address}/moved\n"
        web.download(f"{address}/empty-moved", tmp_path / "out", advice="")
        assert (tmp_path / "out").read_bytes() == b""


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("file:///etc/passwd", "answers 302 "),
        ("ftp://127.0.0.1/x", "leads to 'ftp://127.0.0.1/x', which is no https address"),
        ("http://example.com/x", "leads to 'http://example.com/x', which is no https address"),
        ("data:text/plain,x", "answers 302 "),
        ("/loop", "answers 302 "),
        ("//example.com/x", "leads to 'http://example.com/x', which is no https address"),
    ],
)
def test_redirects_that_are_refused(tmp_path: Path, target: str, says: str) -> None:
    with serve({}, {"/loop": target}) as address:
        assert refusal(f"{address}/loop", tmp_path / "out").startswith(says)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("target", ["http://127.0.0.1/x", "http://example.com/x", "file:///x"])
def test_https_never_leads_to_less(target: str) -> None:
    request = urllib.request.Request("https://example.com/")
    with pytest.raises(UserError, match=r"^https://example.com/: leads to"):
        web._SafeRedirects().redirect_request(request, BytesIO(), 302, "Found", HTTPMessage(), target)


def test_pages_that_are_missing_or_break_off(tmp_path: Path) -> None:
    with serve({"/short": PAGE}) as address:
        assert refusal(f"{address}/none", tmp_path / "out") == "answers 404 Not Found; check it"
        message = refusal(f"{address}/short", tmp_path / "out")
        assert message == f"stopped after {len(PAGE):,} of {2 * len(PAGE):,} bytes; run again"
    assert refusal(f"{address}/page", tmp_path / "out").startswith("cannot be reached (")


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "http://example.com/x",
        "ftp://example.com/x",
        "https://",
        "https:///x",
        "http://127.0.0.1.example.com/",
        "https://[::1",
        "javascript:x",
        "//example.com/x",
        "",
        "https://example.com/a\nb",
    ],
)
def test_addresses_that_are_not_https(tmp_path: Path, address: str) -> None:
    with pytest.raises(UserError, match="is no https address"):
        web.download(address, tmp_path / "out", advice="")


@pytest.mark.parametrize("address", ["https://example.com/x", "http://localhost:1/x", "http://[::1]/x"])
def test_addresses_that_are(address: str) -> None:
    web.check_address(address, address)


@pytest.mark.parametrize("address", ["https://example.com:port/", "https://exa mple.com/"])
def test_addresses_that_no_library_takes(tmp_path: Path, address: str) -> None:
    assert "cannot be reached" in refusal(address, tmp_path / "out")
