"""Fetch one address. Only https is spoken, redirects included; http to this very machine, for mirrors."""

import http.client
import urllib.error
import urllib.request
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from pipeline.errors import UserError, one_line
from pipeline.fetching.transfer import transfer

CHUNK = 1 << 20
TIMEOUT = 60.0  # seconds without a byte


def download(address: str, target: Path, *, advice: str) -> None:
    """Write what `address` answers to `target`.

    Args:
        address: an https address.
        target: the file to write; the caller removes it when this raises.
        advice: what the user can do when the address does not answer.

    Raises:
        UserError: the address or a redirect is not https, it does not answer with a file, or it stops midway.
        OSError: `target` cannot be written.
    """
    check_address(address, address)
    try:
        request = urllib.request.Request(address, headers={"User-Agent": "substructured-distillation"})
        response = _opener().open(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        error.close()
        raise UserError(f"{address}: answers {error.code} {one_line(error.reason)}; {advice}") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise UserError(f"{address}: cannot be reached ({_reason(error)}); {advice}") from None
    with response, target.open("wb") as file:
        length = response.headers.get("Content-Length", "")
        total = int(length) if length.isdecimal() else None
        with transfer(address, total) as advance:
            for chunk in _chunks(response, address, advice):
                file.write(chunk)
                advance(len(chunk))
        if total is not None and file.tell() != total:
            raise UserError(f"{address}: stopped after {file.tell():,} of {total:,} bytes; run again")


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
        via = "" if address == source else f"leads to {address!r}, which "
        raise UserError(f"{source}: {via}is no https address; give an https address or a path")


def _is_this_machine(host: str | None) -> bool:
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirect only where the address itself could have gone, and never from https to http."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        try:
            check_address(newurl, req.full_url)
            if req.type == "https" and urlsplit(newurl).scheme != "https":
                raise UserError(
                    f"{req.full_url}: leads to {newurl!r}, which is not https; give another address"
                )
        except UserError:
            fp.close()
            raise
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> urllib.request.OpenerDirector:
    """An opener without the file:, ftp: and data: handlers that urllib adds by itself."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _SafeRedirects(),
    ):
        opener.add_handler(handler)
    return opener


def _chunks(response: http.client.HTTPResponse, address: str, advice: str) -> Iterator[bytes]:
    """The body; an error while reading is the address's, unlike one while writing."""
    while True:
        try:
            chunk = response.read(CHUNK)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise UserError(f"{address}: broke off ({_reason(error)}); {advice}") from None
        if not chunk:
            return
        yield chunk


def _reason(error: BaseException) -> str:
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
    return one_line(reason) or type(error).__name__
