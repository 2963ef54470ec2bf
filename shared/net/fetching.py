"""Fetch an image from a public web address, and from nowhere else.

Each redirect is a new request with a new check, on a connection of its own. Nothing of one request reaches the
next: no cookies, no credentials, no referrer.
"""

import ssl
from typing import Final
from urllib.parse import urljoin

import httpcore

from shared.domain.errors import FetchRefused
from shared.domain.limits import FETCH_SECONDS, MAX_REDIRECTS
from shared.net.connecting import Deadline, PublicNetwork
from shared.net.urls import DEFAULT_PORTS, parse
from shared.version import VERSION

_REDIRECTS: Final = {301, 302, 303, 307, 308}
_OK: Final = 200
_HEADERS: Final = [
    ("User-Agent", f"PicTrace/{VERSION}"),
    ("Accept", "image/*"),
    ("Accept-Encoding", "identity"),
    ("Connection", "close"),
]


def fetch(url: str, limit: int) -> bytes:
    """The body of a public http(s) address, after at most `MAX_REDIRECTS` redirects, in `FETCH_SECONDS`.

    Args:
        limit: most bytes that are read.

    Raises:
        FetchRefused: with a code that says why there is nothing.
    """
    deadline = Deadline(FETCH_SECONDS)
    try:
        for _ in range(MAX_REDIRECTS + 1):
            found = _ask(parse(url), limit, deadline)
            if isinstance(found, bytes):
                return found
            url = urljoin(url, found)
    except TimeoutError as error:
        raise FetchRefused("timeout", f"The address did not give its image within {FETCH_SECONDS} s.") from error
    except ssl.SSLCertVerificationError as error:
        raise FetchRefused("bad_certificate", "The host has no valid certificate for its name.") from error
    except (httpcore.ProtocolError, OSError, ValueError) as error:
        raise FetchRefused("unreachable", "The address does not answer as a web server does.") from error
    raise FetchRefused("too_many_redirects", f"The address redirects more than {MAX_REDIRECTS} times.")


def _ask(target: httpcore.URL, limit: int, deadline: Deadline) -> bytes | str:
    """One request: the body, or where it redirects to."""
    with (
        httpcore.ConnectionPool(network_backend=PublicNetwork(deadline), max_connections=1) as pool,
        pool.stream("GET", target, headers=[("Host", _authority(target)), *_HEADERS]) as answer,
    ):
        if answer.status in _REDIRECTS:
            return _location(answer)
        return _body(answer, limit, deadline)


def _authority(target: httpcore.URL) -> str:
    host = target.host.decode("ascii")
    named = f"[{host}]" if ":" in host else host
    return named if target.port == DEFAULT_PORTS[target.scheme.decode("ascii")] else f"{named}:{target.port}"


def _header(answer: httpcore.Response, name: bytes) -> bytes:
    return next((value for key, value in answer.headers if key.lower() == name), b"")


def _location(answer: httpcore.Response) -> str:
    location = _header(answer, b"location").decode("utf-8")
    if not location:
        raise FetchRefused("http_status", f"The address answered {answer.status} without saying where to go.")
    return location


def _body(answer: httpcore.Response, limit: int, deadline: Deadline) -> bytes:
    if answer.status != _OK:
        raise FetchRefused("http_status", f"The address answered {answer.status}.")
    if _header(answer, b"content-encoding").lower() not in (b"", b"identity"):
        raise FetchRefused("encoded", "The address gives a compressed body, which was not asked for.")
    too_large = FetchRefused("too_large", f"The address gives more than {limit:,} bytes.")
    length = _header(answer, b"content-length")
    if length.isdigit() and int(length) > limit:
        raise too_large
    data = bytearray()
    try:
        for chunk in answer.iter_stream():
            deadline.left(FETCH_SECONDS)
            data += chunk
            if len(data) > limit:
                raise too_large
    except httpcore.RemoteProtocolError as error:
        raise FetchRefused("incomplete", "The image did not come whole.") from error
    return bytes(data)
