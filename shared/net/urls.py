"""Parsing of URLs, which are then rebuilt from their checked parts so that no other parser finds a different host."""

import ipaddress
import re
from typing import Final
from urllib.parse import SplitResult, quote, urlsplit

import httpcore
import idna

from shared.domain.errors import FetchRefused
from shared.domain.limits import FETCH_PORTS, MAX_URL_LENGTH

DEFAULT_PORTS: Final = {"http": 80, "https": 443}

_SAFE: Final = "/?&=%:@!$'()*+,;~[]-._"
_LABEL: Final = r"(?!-)[a-z0-9_-]{1,63}(?<!-)"
_NAME: Final = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
"""A last label like these makes the host an IPv4 address: https://url.spec.whatwg.org/#ends-in-a-number-checker"""


def parse(url: str) -> httpcore.URL:
    """Parse a URL and return it as it is requested: in ASCII, with a lower-case host and without a fragment.

    Raises:
        FetchRefused: `bad_url`, or `not_public` for a name that only a private network can resolve.
    """
    if len(url) > MAX_URL_LENGTH or any(char.isspace() or char == "\\" or not char.isprintable() for char in url):
        raise FetchRefused(
            "bad_url",
            f"The URL has more than {MAX_URL_LENGTH} characters, or contains spaces, backslashes or control codes.",
        )
    try:
        parts = urlsplit(url)
        default = DEFAULT_PORTS[parts.scheme]
        port = default if parts.port is None else parts.port
        host = _host(parts.hostname or "", bracketed="[" in parts.netloc)
    except (KeyError, ValueError) as error:
        raise FetchRefused("bad_url", "The URL must begin with http:// or https:// and name a valid host.") from error
    _refuse_ambiguous(parts)
    if port not in FETCH_PORTS:
        raise FetchRefused("bad_url", f"The URL may only use the ports {' and '.join(map(str, FETCH_PORTS))}.")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return httpcore.URL(
        scheme=parts.scheme.encode(), host=host.encode(), port=port, target=quote(target, safe=_SAFE).encode("ascii")
    )


def _refuse_ambiguous(parts: SplitResult) -> None:
    """Refuse user information, and a query or fragment that directly follows the host."""
    if "@" in parts.netloc:
        raise FetchRefused("bad_url", "The URL must not contain a user name or password.")
    if not parts.path and (parts.query or parts.fragment):
        raise FetchRefused("bad_url", "The URL must have a slash after the host.")


def _host(name: str, *, bracketed: bool) -> str:
    """Return the host in canonical ASCII form: a DNS name, a dotted-decimal IPv4 address, or an IPv6 address.

    Raises:
        ValueError: the host is none of these, or has a zone (`idna.IDNAError` is a ValueError).
        FetchRefused: `not_public`, the host is a single label.
    """
    if bracketed:
        return str(ipaddress.IPv6Address(_without_zone(name)))
    host = (name if name.isascii() else idna.encode(name, uts46=True).decode("ascii")).lower().removesuffix(".")
    if not _NAME.fullmatch(host):
        raise ValueError(f"{host!r} is not a host name")
    *parents, last = host.split(".")
    if _NUMBER.fullmatch(last):
        return str(ipaddress.IPv4Address(host))
    if not parents:
        raise FetchRefused("not_public", "The host has no address on the public internet.")
    return host


def _without_zone(name: str) -> str:
    if "%" in name:
        raise ValueError("a zone refers to a network interface of this machine")
    return name
