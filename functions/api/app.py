"""The FastAPI application."""

from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi_offline import FastAPIOffline

from functions.api import errors
from functions.api.body_limit import BodyLimit
from functions.api.deferred_routes import AddRoutes, DeferredRoutes
from functions.api.routes import images, meta, uploads
from functions.api.routes.web import page_router
from functions.api.security_headers import SecurityHeaders
from functions.api.services import Services
from functions.api.swagger_ui import documentation_router
from shared.version import VERSION

DESCRIPTION = """Reverse image search in your own AWS account.

Upload images, then find those most similar to another image, with the scores behind each match.
Errors are RFC 9457 problem details whose `type` is one of a documented list."""


def create_app(services: Services) -> FastAPI:
    """Return the application that uses `services`."""
    app: FastAPI = FastAPIOffline(
        title="PicTrace", version=VERSION, description=DESCRIPTION, docs_url=None, redoc_url=None
    )
    app.state.services = services
    errors.install(app, services.outages)
    app.add_middleware(BodyLimit)
    for router in (uploads.router, images.router, meta.stats_router, meta.router):
        _add(app, router)
    _add(app, documentation_router("PicTrace API", "/openapi.json"))
    _add(app, page_router(services.objects.origin, services.source_addresses))
    deferred = DeferredRoutes(app.router.routes)
    app.add_middleware(AddRoutes, deferred)
    app.add_middleware(SecurityHeaders)

    def openapi() -> dict[str, Any]:
        deferred.add_all()
        return FastAPI.openapi(app)

    app.openapi = openapi  # type: ignore[method-assign]
    return app


def _add(app: FastAPI, router: APIRouter) -> None:
    """Add the routes of a router; `include_router` would analyse the parameters of each route a second time."""
    app.router.routes.extend(router.routes)
