"""Fetch one address. Only https is spoken, redirects included; http to this very machine, for mirrors."""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager
from ipaddress import ip_address
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from pipeline.errors import UserError, one_line, shown_address
from pipeline.fetching.checks import check_size, page_refusal
from pipeline.fetching.transfer import transfer

if TYPE_CHECKING:
    import httpx2

TIMEOUT = 60.0  # seconds in which an answer must begin, and without a byte of it
WINDOW = 60.0  # seconds over which the speed is measured
SLOWEST = 1024  # bytes a second, on the average of a window
REDIRECTS = 10
HEADERS = {"User-Agent": "substructured-distillation", "Accept-Encoding": "identity"}
PAGES = ("text/html", "application/xhtml+xml")
THIS_MACHINE = ("localhost", "127.0.0.1", "[::1]")

T = TypeVar("T")


def download(address: str, target: Path, *, advice: str) -> None:
    """Write what `address` answers to `target`.

    Args:
        address: an https address.
        target: the file to write; the caller removes it when this raises.
        advice: what the user can do when the address does not answer.

    Raises:
        UserError: the address or a redirect is not https; it answers with another status than 200 or with a
            web page; it stops midway, is too slow, or sends more than checks.LARGEST bytes.
        OSError: `target` cannot be written.
    """
    import httpx2

    check_address(address, address)
    shown = shown_address(address)
    with _client() as client:
        try:
            response = _answer(client, address)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as error:
            raise UserError(f"{shown}: cannot be reached ({_reason(error)}); {advice}") from None
        with closing(response):
            _check_answer(response, shown, advice)
            length = response.headers.get("Content-Length", "")
            total = int(length) if length.isdecimal() else None
            check_size(shown, total or 0)
            with target.open("wb") as file, transfer(shown, total) as advance:
                for chunk in _chunks(response, shown, total):
                    file.write(chunk)
                    advance(len(chunk))


def check_address(address: str, source: str) -> None:
    """Refuse an address that is neither https nor http to this machine, in the name of `source`.

    Raises:
        UserError: naming both.
    """
    try:
        parts = urlsplit(address)
        allowed = parts.scheme == "https" or (parts.scheme == "http" and _is_this_machine(parts.hostname))
        allowed = allowed and bool(parts.hostname) and address.isprintable()
    except ValueError:
        allowed = False
    if not allowed:
        via = "" if address == source else f"leads to {_quoted(address)}, which "
        raise UserError(
            f"{shown_address(source)}: {via}is not an https address; give an https address or a path"
        )


def direct_environment() -> dict[str, str]:
    """This process's environment with no proxy for this machine, for a program to run with."""
    names = ",".join(host.strip("[]") for host in THIS_MACHINE)
    hosts = ",".join(filter(None, (os.environ.get("no_proxy") or os.environ.get("NO_PROXY"), names)))
    return {**os.environ, "no_proxy": hosts, "NO_PROXY": hosts}


@contextmanager
def without_proxy_here() -> Iterator[None]:
    """Give this process `direct_environment` for the block, for a library that takes proxies from it."""
    before = {name: os.environ.get(name) for name in ("no_proxy", "NO_PROXY")}
    os.environ.update(direct_environment())
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def within(seconds: float, call: Callable[[], T]) -> T:
    """What `call` returns or raises; TimeoutError if it has not ended after so many seconds.

    It runs in a thread of its own. One that is given up goes on there, and ends with the process.
    """
    future: Future[T] = Future()

    def work() -> None:
        try:
            future.set_result(call())
        except BaseException as error:
            future.set_exception(error)

    Thread(target=work, daemon=True).start()
    try:
        return future.result(seconds)
    except TimeoutError:
        if future.done():  # a TimeoutError of `call` itself
            raise
        raise TimeoutError(f"no answer within {seconds:.0f} s") from None


def _is_this_machine(host: str | None) -> bool:
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False


def _quoted(address: str) -> str:
    """An address that a server wrote, for a message."""
    return one_line(repr(shown_address(address)))


def _client() -> "httpx2.Client":
    """A client that reaches this machine without a proxy; http is spoken to no other."""
    import httpx2

    direct = ["http://", *(f"https://{host}" for host in THIS_MACHINE)]
    try:
        return httpx2.Client(headers=HEADERS, timeout=TIMEOUT, mounts=dict.fromkeys(direct))
    except (ImportError, ValueError, httpx2.InvalidURL) as error:
        raise UserError(f"https_proxy: cannot be used ({_reason(error)}); correct this variable") from None


def _answer(client: "httpx2.Client", address: str) -> "httpx2.Response":
    """What `address` answers after its redirects, the body still unread.

    The client leaves `user:password` behind where a redirect leads to another host.
    """
    request = client.build_request("GET", address)
    check_address(str(request.url), address)
    for _ in range(REDIRECTS + 1):
        response = _send(client, request)
        if response.next_request is None:
            return response
        response.close()
        before, request = str(request.url), response.next_request
        check_address(str(request.url), before)
        if before.startswith("https:") and request.url.scheme != "https":
            raise UserError(
                f"{shown_address(before)}: leads to {_quoted(str(request.url))}, which is not https; "
                "give another address"
            )
    raise UserError(
        f"{shown_address(address)}: redirects more than {REDIRECTS} times; give the final address"
    )


def _send(client: "httpx2.Client", request: "httpx2.Request") -> "httpx2.Response":
    """The answer to a request, its body unread; TimeoutError where it has not begun after TIMEOUT.

    The client's own limit is for each wait: a server that sends its headers letter by letter keeps to it.
    """
    return within(TIMEOUT, lambda: client.send(request, stream=True))


def _check_answer(response: "httpx2.Response", shown: str, advice: str) -> None:
    if response.status_code != 200:
        reason = one_line(f"{response.status_code} {response.reason_phrase}")
        raise UserError(f"{shown}: answers {reason}; {advice}")
    if response.headers.get("Content-Type", "").partition(";")[0].strip().lower() in PAGES:
        raise page_refusal(shown)


def _chunks(response: "httpx2.Response", shown: str, total: int | None) -> Iterator[bytes]:
    """The body; what goes wrong while it is read is the address's fault, unlike an error while writing."""
    import httpx2

    size, since, before = 0, time.monotonic(), 0
    try:
        for chunk in response.iter_raw():
            size += len(chunk)
            check_size(shown, size)
            seconds = time.monotonic() - since
            if seconds >= WINDOW:
                if size - before < SLOWEST * seconds:
                    raise UserError(
                        f"{shown}: sends less than {SLOWEST:,} bytes a second; run again "
                        "when it is faster, or save the file by hand and give its path"
                    )
                since, before = time.monotonic(), size
            yield chunk
    except (httpx2.HTTPError, OSError) as error:
        came = f"{size:,} bytes" if total is None else f"{size:,} of {total:,} bytes"
        raise UserError(f"{shown}: stopped after {came} ({_reason(error)}); run again") from None


def _reason(error: BaseException) -> str:
    return one_line(getattr(error, "strerror", None) or error) or type(error).__name__
