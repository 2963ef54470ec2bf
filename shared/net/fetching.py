"""Fetch a picture from a public web address, and from nowhere else.

The address that is checked is the one that is connected to, so a name that resolves anew cannot lead inside; each
redirect is a new request with a new check.
"""

import socket
import time
from collections.abc import Callable, Iterable
from typing import Any, Final
from urllib.parse import quote, urljoin, urlsplit

import httpcore

from shared.domain.limits import FETCH_SECONDS, MAX_REDIRECTS, MAX_URL_LENGTH
from shared.net.addresses import is_public

_PORTS: Final = {"http": 80, "https": 443}
_REDIRECTS: Final = {301, 302, 303, 307, 308}
_OK: Final = 200
_HEADERS: Final = [("User-Agent", "PicTrace"), ("Accept", "image/*"), ("Accept-Encoding", "identity")]
_SAFE: Final = "/?&=%:@!$'()*+,;~[]-._"

Resolver = Callable[[str, int], list[str]]


class FetchRefused(Exception):  # noqa: N818 - an outcome, not a fault
    """The address gave no picture.

    Attributes:
        code: `bad_url`, `not_public`, `unreachable`, `timeout`, `too_large`, `too_many_redirects` or `http_status`.
        reason: one English sentence.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def resolve(host: str, port: int) -> list[str]:
    """Every address of a host, IPv4 and IPv6."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class PublicOnly(httpcore.NetworkBackend):
    """Connects to public addresses: a name with any other address is refused as a whole."""

    def __init__(self, resolver: Resolver, allowed: Callable[[str], bool]) -> None:
        self._resolver = resolver
        self._allowed = allowed
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            addresses = self._resolver(host, port)
        except (OSError, UnicodeError) as error:
            raise FetchRefused("unreachable", "The host's name has no address.") from error
        if not addresses or not all(self._allowed(address) for address in addresses):
            raise FetchRefused("not_public", "The host is not one of the public internet.")
        return self._backend.connect_tcp(addresses[0], port, timeout, local_address, socket_options)


def fetch(url: str, limit: int, *, resolver: Resolver = resolve, allowed: Callable[[str], bool] = is_public) -> bytes:
    """The body of a public http(s) address, after at most `MAX_REDIRECTS` redirects.

    Args:
        limit: most bytes that are read.

    Raises:
        FetchRefused: with a code that says why there is nothing.
    """
    deadline = time.monotonic() + FETCH_SECONDS
    backend = PublicOnly(resolver, allowed)
    with httpcore.ConnectionPool(network_backend=backend, max_connections=1) as pool:
        for _ in range(MAX_REDIRECTS + 1):
            target = checked(url)
            try:
                with pool.stream("GET", target, headers=_headers(target), extensions=_timeouts(deadline)) as answer:
                    if answer.status not in _REDIRECTS:
                        return _body(answer, limit, deadline)
                    url = urljoin(url, _header(answer, b"location"))
            except httpcore.TimeoutException as error:
                raise FetchRefused("timeout", f"The address did not answer within {FETCH_SECONDS} s.") from error
            except (httpcore.NetworkError, httpcore.ProtocolError, OSError, ValueError) as error:
                raise FetchRefused("unreachable", "The address does not answer as a web server does.") from error
    raise FetchRefused("too_many_redirects", f"The address redirects more than {MAX_REDIRECTS} times.")


def checked(url: str) -> httpcore.URL:
    """An address taken apart once and put together again, so that no other parser sees another host in it.

    Raises:
        FetchRefused: `bad_url`.
    """
    if len(url) > MAX_URL_LENGTH or any(char.isspace() or char == "\\" or not char.isprintable() for char in url):
        raise FetchRefused("bad_url", "The address is too long, or has blanks or backslashes in it.")
    try:
        parts = urlsplit(url)
        default = _PORTS[parts.scheme]
        port = default if parts.port is None else parts.port
        name = parts.hostname or ""
        host = name.encode("ascii") if name.isascii() else name.encode("idna")
    except (KeyError, ValueError) as error:
        raise FetchRefused("bad_url", "The address must begin with http:// or https:// and name a host.") from error
    if not host or parts.username is not None or parts.password is not None:
        raise FetchRefused("bad_url", "The address must name a host, and bring no user name or password.")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return httpcore.URL(
        scheme=parts.scheme.encode(), host=host, port=port, target=quote(target, safe=_SAFE).encode("ascii")
    )


def _headers(target: httpcore.URL) -> list[tuple[str, str]]:
    host = target.host.decode("ascii")
    named = f"[{host}]" if ":" in host else host
    default = _PORTS[target.scheme.decode("ascii")]
    return [("Host", named if target.port in (None, default) else f"{named}:{target.port}"), *_HEADERS]


def _timeouts(deadline: float) -> dict[str, Any]:
    left = max(0.1, deadline - time.monotonic())
    return {"timeout": {"connect": min(3.0, left), "read": min(5.0, left), "write": min(3.0, left), "pool": left}}


def _header(answer: httpcore.Response, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in answer.headers if key.lower() == name), "")


def _body(answer: httpcore.Response, limit: int, deadline: float) -> bytes:
    if answer.status != _OK:
        raise FetchRefused("http_status", f"The address answered {answer.status}.")
    too_large = FetchRefused("too_large", f"The address gives more than {limit:,} bytes.")
    length = _header(answer, b"content-length")
    if length.isdigit() and int(length) > limit:
        raise too_large
    data = bytearray()
    for chunk in answer.iter_stream():
        data += chunk
        if len(data) > limit:
            raise too_large
        if time.monotonic() > deadline:
            raise FetchRefused("timeout", f"The address did not finish within {FETCH_SECONDS} s.")
    return bytes(data)
