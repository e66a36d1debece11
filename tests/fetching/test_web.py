"""Only https is spoken, redirects included; only whole files are taken; every failure names the address."""

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import httpx2
import pytest

from pipeline.errors import UserError
from pipeline.fetching import checks, web
from tests.helpers.sample_sources import serve

PAGE = bytes(range(256)) * 9000


@contextmanager
def answering(*parts: bytes, pause: float = 0.0) -> Iterator[str]:
    """A server that sends these bytes to one client, whatever it asks, with pauses between; its address."""

    def answer() -> None:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            connection.recv(65536)
            try:
                for part in parts:
                    connection.sendall(part)
                    time.sleep(pause)
            except OSError:
                pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.close()
        thread.join()


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
        ("file:///etc/passwd", "leads to 'file://127.0.0.1/etc/passwd', which is not an https address"),
        ("ftp://127.0.0.1/x", "leads to 'ftp://127.0.0.1/x', which is not an https address"),
        ("http://example.com/x", "leads to 'http://example.com/x', which is not an https address"),
        ("data:text/plain,x", "answers 302 Found; check it"),
        ("/loop", "redirects more than 10 times"),
        ("//example.com/x", "leads to 'http://example.com/x', which is not an https address"),
        ("https://[::1/x", "answers 302 Found; check it"),
    ],
)
def test_redirects_that_are_refused(tmp_path: Path, target: str, says: str) -> None:
    with serve({}, {"/loop": target}) as address:
        assert refusal(f"{address}/loop", tmp_path / "out").startswith(says)
    assert not (tmp_path / "out").exists()


Hosts = Callable[[dict[str, str]], list[httpx2.Request]]


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch) -> Hosts:
    """Make up the web: redirects by address, a file at any other one; returns what is asked."""

    def made_up(redirects: dict[str, str]) -> list[httpx2.Request]:
        asked: list[httpx2.Request] = []

        def answer(request: httpx2.Request) -> httpx2.Response:
            asked.append(request)
            location = redirects.get(str(request.url))
            headers, stream = {"Location": location} if location else {}, httpx2.ByteStream(b"")
            return httpx2.Response(302 if location else 200, headers=headers, stream=stream)

        client = httpx2.Client(transport=httpx2.MockTransport(answer))
        monkeypatch.setattr(web, "_client", lambda: client)
        return asked

    return made_up


@pytest.mark.parametrize("target", ["http://127.0.0.1/x", "http://example.com/x", "file:///x"])
def test_https_never_leads_to_less(hosts: Hosts, tmp_path: Path, target: str) -> None:
    asked = hosts({"https://example.com/": target})
    assert refusal("https://example.com/", tmp_path / "out").startswith("leads to ")
    assert len(asked) == 1


def test_a_password_stays_with_its_host(hosts: Hosts, tmp_path: Path) -> None:
    first = "https://user:secret@example.com/x"
    asked = hosts({first: "/y", "https://user:secret@example.com/y": "https://other.example.com/z"})
    web.download(first, tmp_path / "out", advice="")
    assert [request.url.path for request in asked] == ["/x", "/y", "/z"]
    assert ["Authorization" in request.headers for request in asked] == [True, True, False]


def test_ten_redirects_are_followed(hosts: Hosts, tmp_path: Path) -> None:
    pages = [f"https://example.com/{number}" for number in range(12)]
    hosts(dict(pairwise(pages[:11])))
    web.download(pages[0], tmp_path / "out", advice="")
    hosts(dict(pairwise(pages)))
    assert refusal(pages[0], tmp_path / "out").startswith("redirects more than 10 times")


def test_a_message_tells_no_password_and_no_signature(hosts: Hosts, tmp_path: Path) -> None:
    hosts({"https://user:secret@example.com/x?X-Signature=abc": "http://u:hidden@example.org/y?sig=def"})
    with pytest.raises(UserError) as caught:
        web.download("https://user:secret@example.com/x?X-Signature=abc", tmp_path / "out", advice="")
    assert str(caught.value) == (
        "https://example.com/x?…: leads to 'http://example.org/y?…', which is not an https address; "
        "give an https address or a path"
    )


def test_this_machine_is_reached_without_a_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with serve({"/page": PAGE}) as address, serve({}) as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy)
        web.download(f"{address}/page", tmp_path / "out", advice="")
    assert (tmp_path / "out").read_bytes() == PAGE
    monkeypatch.setenv("https_proxy", "nonsense://x")
    with pytest.raises(UserError, match=r"^https_proxy: cannot be used"):
        web.download("https://example.com/", tmp_path / "out", advice="")


@pytest.mark.parametrize("before", [{}, {"no_proxy": "a.example"}, {"NO_PROXY": "a.example"}])
def test_another_program_reaches_this_machine_without_a_proxy(
    before: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name, hosts in before.items():
        monkeypatch.setenv(name, hosts)
    monkeypatch.setenv("http_proxy", "http://proxy.example")
    environment = web.direct_environment()
    expected = ",".join([*before.values(), "localhost,127.0.0.1,::1"])
    assert environment["no_proxy"] == environment["NO_PROXY"] == expected
    assert environment["http_proxy"] == "http://proxy.example"


def test_pages_that_are_missing_or_break_off(tmp_path: Path) -> None:
    with serve({"/short": PAGE}) as address:
        assert refusal(f"{address}/none", tmp_path / "out") == "answers 404 Not Found; check it"
        message = refusal(f"{address}/short", tmp_path / "out")
        assert message.startswith(f"stopped after {len(PAGE):,} of {2 * len(PAGE):,} bytes (")
        assert message.endswith("; run again")
    assert refusal(f"{address}/page", tmp_path / "out").startswith("cannot be reached (")


@pytest.mark.parametrize(
    ("head", "says"),
    [
        ("206 Partial Content\r\nContent-Length: 6\r\nContent-Range: bytes 0-5/12", "answers 206 Partial"),
        ("204 No Content", "answers 204 No Content; check it"),
        ("203 Other\r\nContent-Length: 6", "answers 203 Other; check it"),
        ("304 Not Modified", "answers 304 Not Modified; check it"),
        ("302 Found\r\nContent-Length: 6", "answers 302 Found; check it"),
        ("500 \x1b[31mRed\r\nContent-Length: 6", "answers 500 Red; check it"),
        ("200 OK\r\nContent-Length: 7", "stopped after 6 of 7 bytes ("),
        ("200 OK\r\nTransfer-Encoding: chunked", "stopped after 0 bytes ("),
        ("200 OK\r\nContent-Length: 6, 7", "cannot be reached ("),
        ("200 OK\r\nContent-Length: 6\r\nContent-Type: text/html; charset=utf-8", "is a web page (HTML)"),
        (f"200 OK\r\nContent-Length: {65 << 30}", "has more than 64 GiB, the most that is fetched"),
        ("nonsense", "cannot be reached ("),
    ],
)
def test_answers_that_are_no_whole_file(tmp_path: Path, head: str, says: str) -> None:
    with answering(f"HTTP/1.1 {head}\r\n\r\nword O".encode("latin-1")) as address:
        assert refusal(f"{address}/x", tmp_path / "out").startswith(says)


def test_a_body_without_an_end_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "LARGEST", 1 << 20)
    with answering(b"HTTP/1.1 200 OK\r\n\r\n", *[bytes(1 << 16)] * 99) as address:
        assert "the most that is fetched" in refusal(f"{address}/x", tmp_path / "out")
    assert (tmp_path / "out").stat().st_size <= 1 << 20


def drops(text: bytes) -> Sequence[bytes]:
    return [text[place : place + 1] for place in range(len(text))]


def test_a_body_by_drops_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "WINDOW", 0.2)
    with answering(b"HTTP/1.1 200 OK\r\n\r\n", *drops(b"word O\n" * 999), pause=0.02) as address:
        message = refusal(f"{address}/x", tmp_path / "out")
        assert message.startswith("sends less than 1,024 bytes a second; run again")


def test_headers_by_drops_are_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "TIMEOUT", 0.3)
    with answering(*drops(b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 999), pause=0.02) as address:
        assert refusal(f"{address}/x", tmp_path / "out").startswith("cannot be reached (no answer within")


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
    with pytest.raises(UserError, match="is not an https address"):
        web.download(address, tmp_path / "out", advice="")


@pytest.mark.parametrize("address", ["https://example.com/x", "http://localhost:1/x", "http://[::1]/x"])
def test_https_and_this_machine_are_taken(address: str) -> None:
    web.check_address(address, address)


@pytest.mark.parametrize("address", ["https://example.com:port/", "https://exa mple.com/"])
def test_addresses_that_no_library_takes(tmp_path: Path, address: str) -> None:
    assert "cannot be reached" in refusal(address, tmp_path / "out")
