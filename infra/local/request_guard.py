"""Refuse requests that another website makes a browser send to this machine."""

import re
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from functions.api.problems import respond

_OWN_HOST: Final = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?", re.ASCII | re.IGNORECASE)
"""The names of this machine for itself. A website that points its own name at 127.0.0.1 still sends its own name."""
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})

_origin: ContextVar[str] = ContextVar("origin", default="")


def request_origin() -> str:
    """Return the scheme and host by which the current request reached this machine, such as `http://localhost:8000`."""
    return _origin.get()


class RequestGuard:
    """Answers only requests for this machine by name, and changes nothing for a page of another origin.

    Without it, any website that is open in a browser here could read an open API by rebinding its name
    (https://en.wikipedia.org/wiki/DNS_rebinding), or post forms to it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not _OWN_HOST.fullmatch(host):
            detail = "This server answers requests for localhost only. Open http://localhost with its port."
            await respond("forbidden", detail)(scope, receive, send)
            return
        origin = f"{scope['scheme']}://{host}"
        if scope["method"] not in _SAFE_METHODS and _is_cross_site(headers, origin):
            detail = "The page of another website sent this request, so it was refused."
            await respond("forbidden", detail)(scope, receive, send)
            return
        token = _origin.set(origin)
        try:
            await self._app(scope, receive, send)
        finally:
            _origin.reset(token)


def _is_cross_site(headers: Mapping[str, str], origin: str) -> bool:
    """Return whether a page of another origin sent the request; programs other than browsers send neither header."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    return headers.get("origin", origin).lower() != origin.lower()
