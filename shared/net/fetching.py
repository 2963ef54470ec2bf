"""Fetching of files from public URLs, and from nowhere else.

Each redirect is a new request, with checks and a connection of its own. No cookie, credential or referrer is passed
from one request to the next.
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
    """Fetch a public http or https URL, following at most `MAX_REDIRECTS` redirects, within `FETCH_SECONDS`.

    Args:
        limit: maximum size of the body in bytes.

    Returns:
        The body of the response.

    Raises:
        FetchRefused: with a cause that says why the URL cannot be fetched.
    """
    deadline = Deadline(FETCH_SECONDS)
    try:
        for _ in range(MAX_REDIRECTS + 1):
            result = _request(parse(url), limit, deadline)
            if isinstance(result, bytes):
                return result
            url = urljoin(url, result)
    except TimeoutError as error:
        raise FetchRefused("timeout", f"The image could not be downloaded within {FETCH_SECONDS} s.") from error
    except ssl.SSLCertVerificationError as error:
        raise FetchRefused("bad_certificate", "The host has no valid certificate for its name.") from error
    except (httpcore.ProtocolError, OSError, ValueError) as error:
        raise FetchRefused("unreachable", "The host cannot be reached, or does not speak HTTP/1.1.") from error
    raise FetchRefused("too_many_redirects", f"The URL redirects more than {MAX_REDIRECTS} times.")


def _request(target: httpcore.URL, limit: int, deadline: Deadline) -> bytes | str:
    """Send one request; return the body, or the location that the server redirects to."""
    with (
        httpcore.ConnectionPool(network_backend=PublicNetwork(deadline), max_connections=1) as pool,
        pool.stream("GET", target, headers=[("Host", _host_header(target)), *_HEADERS]) as response,
    ):
        if response.status in _REDIRECTS:
            return _location(response)
        return _read_body(response, limit, deadline)


def _host_header(target: httpcore.URL) -> str:
    name = target.host.decode("ascii")
    host = f"[{name}]" if ":" in name else name
    return host if target.port == DEFAULT_PORTS[target.scheme.decode("ascii")] else f"{host}:{target.port}"


def _header(response: httpcore.Response, name: bytes) -> bytes:
    return next((value for key, value in response.headers if key.lower() == name), b"")


def _location(response: httpcore.Response) -> str:
    location = _header(response, b"location").decode("utf-8")
    if not location:
        raise FetchRefused("http_status", f"The server answered with status {response.status} but without a location.")
    return location


def _read_body(response: httpcore.Response, limit: int, deadline: Deadline) -> bytes:
    if response.status != _OK:
        raise FetchRefused("http_status", f"The server answered with status {response.status} instead of 200.")
    if _header(response, b"content-encoding").lower() not in (b"", b"identity"):
        raise FetchRefused("encoded", "The server sent a compressed body although none was requested.")
    too_large = FetchRefused("too_large", f"The file at the URL has more than {limit:,} bytes.")
    length = _header(response, b"content-length")
    if length.isdigit() and int(length) > limit:
        raise too_large
    data = bytearray()
    try:
        for chunk in response.iter_stream():
            deadline.remaining(FETCH_SECONDS)
            data += chunk
            if len(data) > limit:
                raise too_large
    except httpcore.RemoteProtocolError as error:
        raise FetchRefused("incomplete", "The connection ended before the whole image had arrived.") from error
    return bytes(data)
