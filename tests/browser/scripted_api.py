"""The page's own files in a browser, with an API whose answers a test writes, and can hold back."""

import json
import mimetypes
from collections.abc import Callable
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from playwright.sync_api import Page, Route

from functions.api.page_files import page_files
from functions.api.routes.web import content_security_policy

URL: Final = "http://localhost:8999"
PICTURE: Final = "/static/icon.svg"

PATIENCE: Final = 1500
"""How often a call that is to come is looked for, every 20 ms."""

Answer = dict[str, Any]


class Call(NamedTuple):
    """A call of the API."""

    method: str
    path: str
    query: dict[str, str]
    body: Any


def image_id(number: int) -> str:
    return f"{number:064x}"


def record(number: int, **changes: Any) -> Answer:
    """Return the record of an image that is called `f1.png` for number 1."""
    return {
        "image_id": image_id(number),
        "collection": "default",
        "thumbnail_url": PICTURE,
        "width": 1200,
        "height": 800,
        "format": "png",
        "bytes": 1_600_000,
        "phash": "0",
        "label": "cat",
        "labels": [],
        "filename": f"f{number}.png",
        "created_at": "2026-01-01T00:00:00+00:00",
        "model": "m",
        "low_information": False,
        "sharpness": 12.5,
        "raw": False,
        "damaged": False,
        "intact": 1,
        "pages": 1,
        "pages_searched": 1,
        "taken_at": None,
        "camera": None,
        "location": None,
        "tags": [],
        "favourite": False,
        "external_id": None,
        "note": None,
        "fields": {},
    } | changes


def album(**changes: Any) -> Answer:
    shown = {"album_id": "a1", "collection": "default", "title": "Summer", "description": None, "images": 6}
    return shown | {"cover": None, "cover_url": None} | changes


def person(name: str) -> Answer:
    return {"person_id": name, "collection": "default", "name": name, "hidden": False, "faces": 2, "cover": None}


def group(*images: Answer) -> Answer:
    """Return a group of near-duplicates, of which the first is the best."""
    best = images[0]["image_id"]
    shown = {"group_id": best, "best": best, "chosen": False, "truncated": False, "reasons": {}}
    return shown | {"images": list(images)}


SHARE: Final[Answer] = {
    "share_id": "s",
    "url": "/shared/token",
    "created_at": "2026-01-01T00:00:00Z",
    "expires_at": "2026-02-01T00:00:00Z",
}


class ScriptedApi:
    """Answers the requests of a page: six images, one album, and what `answers` has besides."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.calls: list[Call] = []
        self.answers: dict[str, Answer | Callable[[Call], Answer]] = {
            "GET /v1/images": {"images": [record(number) for number in range(1, 7)], "cursor": None},
            "GET /v1/albums": {"albums": [album()], "cursor": None},
            "GET /v1/albums/a1": album(),
            "GET /v1/albums/a1/shares": {"shares": []},
            "POST /v1/albums/a1/shares": SHARE,
            "GET /v1/tags": {"tags": []},
            "GET /v1/trash": {"images": [], "cursor": None, "days": 30},
            "GET /v1/stats": self.stats,
        }
        """By method and path, in place of what an API without images would say."""
        self.refused: dict[str, int] = {}
        """The status of calls that fail, by method and path."""
        self.held: dict[str, list[Route]] = {}
        """The calls that wait for `release`, by method and path: those whose name is in here."""
        page.route("**/*", self._answer)

    def count(self, name: str) -> int:
        """Return how often a method and path were called."""
        return sum(f"{call.method} {call.path}" == name for call in self.calls)

    def release(self, name: str) -> None:
        """Answer the calls that are held back, once there is one, and hold back no more."""
        for _ in range(PATIENCE):
            if self.held[name]:
                break
            self._page.wait_for_timeout(20)
        assert self.held[name], f"{name} was not called"
        for route in self.held.pop(name):
            self._answer_call(route)

    def stats(self, call: Call) -> Answer:
        return {
            "collection": call.query.get("collection", "default"),
            "title": None,
            "images": 6,
            "exact": True,
            "limits": {"max_query_bytes": 4_400_000, "max_query_pixels": 40_000_000, "max_upload_bytes": 10**8},
            "endings": ["png"],
            "model": {"id": "m", "network": "n", "instead_of": None},
        }

    def _answer(self, route: Route) -> None:
        path = urlsplit(route.request.url).path
        if not path.startswith("/v1/"):
            self._answer_file(route, path)
            return
        call = self._call_of(route)
        self.calls.append(call)
        if (held := self.held.get(f"{call.method} {call.path}")) is not None:
            held.append(route)
        else:
            self._answer_call(route)

    def _answer_file(self, route: Route, path: str) -> None:
        page = "shared.html" if path.startswith("/shared/") else "index.html"
        name = path.removeprefix("/static/") if path.startswith("/static/") else page
        if name not in page_files():
            route.fulfill(status=404)
            return
        headers = {"Content-Security-Policy": content_security_policy(URL)}
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        route.fulfill(body=page_files()[name].data, content_type=kind, headers=headers)

    @staticmethod
    def _call_of(route: Route) -> Call:
        request = route.request
        parts = urlsplit(request.url)
        try:
            body = json.loads(request.post_data or "null")
        except ValueError:
            body = None
        return Call(request.method, parts.path, dict(parse_qsl(parts.query)), body)

    def _answer_call(self, route: Route) -> None:
        call = self._call_of(route)
        name = f"{call.method} {call.path}"
        if status := self.refused.get(name):
            route.fulfill(status=status, json={"detail": f"refused with {status}"})
            return
        answer = self.answers.get(name)
        if answer is None:
            if call.method == "DELETE":
                route.fulfill(status=204)
                return
            answer = self._usual(call)
        route.fulfill(json=answer(call) if callable(answer) else answer)

    def _usual(self, call: Call) -> Answer:
        if call.path.endswith(("/content", "/thumbnail")):
            return {"url": PICTURE}
        if call.path.startswith("/v1/images/"):
            return record(int(call.path.split("/")[3], 16), sources=[]) | (call.body or {})
        return {"albums": [], "images": [], "cursor": None}
