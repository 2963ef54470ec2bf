"""Routes whose modules are imported when one of their paths is first called.

FastAPI analyses the parameters of a route when its module is imported, and those of searches import what compares
images. A new process of the api function that is asked for something else starts sooner without them.
"""

from fnmatch import fnmatchcase
from importlib import import_module
from typing import Final

from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

PATHS: Final = {
    "search": ("/v1/search*", "/v1/images/*/similar*", "/v1/compare*"),
    "hashes": ("/v1/search/hashes*",),
    "tags": ("/v1/tags*",),
    "albums": ("/v1/albums*",),
    "shared": ("/v1/shared*",),
    "collections": ("/v1/collections*",),
    "duplicates": ("/v1/duplicates*",),
    "album_trash": ("/v1/trash*",),
    "trash": ("/v1/trash*",),
    "people": ("/v1/people*", "/v1/faces*", "/v1/collections/*"),
    "people_records": ("/v1/people/records*",),
    "legacy": ("/upload*",),
}
"""The modules in `functions.api.routes`, with patterns (`fnmatch`) of the paths of their routes.

`/v1/trash/albums` is a path of `/v1/trash/{image_id}`, too, so that its routes come first.
"""


class DeferredRoutes:
    """Adds routes to those of an application once they are needed."""

    def __init__(self, routes: list[BaseRoute]) -> None:
        self._routes = routes
        self._missing = dict(PATHS)

    def add_for(self, path: str) -> None:
        """Add the routes that may match this path."""
        for name in [name for name, paths in self._missing.items() if any(fnmatchcase(path, one) for one in paths)]:
            self._add(name)

    def add_all(self) -> None:
        for name in list(self._missing):
            self._add(name)

    def _add(self, name: str) -> None:
        self._routes.extend(import_module(f"functions.api.routes.{name}").router.routes)
        del self._missing[name]


class AddRoutes:
    """Middleware that adds the deferred routes of a request's path."""

    def __init__(self, app: ASGIApp, deferred: DeferredRoutes) -> None:
        self._app = app
        self._deferred = deferred

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self._deferred.add_for(scope["path"])
        await self._app(scope, receive, send)
