"""A server that sometimes refuses calls because it is busy, to test how the page reacts."""

import re
import time
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

GATEWAY: Final = {429: "Too Many Requests", 503: "Service Unavailable"}
"""The messages of API Gateway itself, which have neither problem details nor `Retry-After`."""


@dataclass
class Refusal:
    """A rule that refuses the first `times` calls whose path matches, of one method if `method` names one.

    Attributes:
        seen: times of the matching calls, whether or not they were refused, in seconds.
    """

    path: str
    status: int
    times: float
    headers: dict[str, str] = field(default_factory=dict)
    method: str = ""
    seen: list[float] = field(default_factory=list)

    def matches(self, scope: Scope) -> bool:
        of_method = not self.method or scope["method"] == self.method
        return of_method and re.fullmatch(self.path, scope["path"]) is not None


class BusyServer:
    """A wrapper of `app` that refuses calls before they reach it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.refusals: list[Refusal] = []

    def refuse(self, path: str, status: int, times: float, method: str = "", **headers: str) -> Refusal:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.refusals.append(Refusal(path, status, times, named, method))
        return self.refusals[-1]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        for refusal in self.refusals:
            if scope["type"] == "http" and refusal.matches(scope):
                refusal.seen.append(time.monotonic())
                if len(refusal.seen) <= refusal.times:
                    body: Any = {"message": GATEWAY[refusal.status]}
                    await JSONResponse(body, refusal.status, refusal.headers)(scope, receive, send)
                    return
        await self._app(scope, receive, send)
