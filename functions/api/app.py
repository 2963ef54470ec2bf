"""The FastAPI application."""

from fastapi import APIRouter, FastAPI
from fastapi_offline import FastAPIOffline

from functions.api import errors
from functions.api.body_limit import BodyLimit
from functions.api.routes import (
    albums,
    collections,
    duplicates,
    hashes,
    images,
    legacy,
    meta,
    people,
    people_records,
    search,
    shared,
    tags,
    trash,
    uploads,
)
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
    for router in (
        uploads.router,
        images.router,
        tags.router,
        albums.router,
        shared.router,
        collections.router,
        search.router,
        hashes.router,
        duplicates.router,
        trash.router,
        people.router,
        people_records.router,
        meta.stats_router,
        legacy.router,
        meta.router,
    ):
        _add(app, router)
    _add(app, documentation_router("PicTrace API", "/openapi.json"))
    _add(app, page_router(services.objects.origin, services.source_addresses))
    app.add_middleware(SecurityHeaders)
    return app


def _add(app: FastAPI, router: APIRouter) -> None:
    """Add the routes of a router; `include_router` would analyse the parameters of each route a second time."""
    app.router.routes.extend(router.routes)
