"""The FastAPI application."""

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi_offline import FastAPIOffline
from starlette.middleware.base import RequestResponseEndpoint

from functions.api import errors
from functions.api.body_limit import BodyLimit
from functions.api.routes import duplicates, images, legacy, meta, search, uploads
from functions.api.routes.web import page_router
from functions.api.security_headers import ANSWERS
from functions.api.services import Services
from functions.api.swagger_ui import documentation_router
from shared.version import VERSION

DESCRIPTION = """Reverse image search in your own AWS account.

Upload images, then ask which of them are nearest to another one, and why.
Errors are RFC 9457 problem details; `type` is one of a documented list."""


def create_app(services: Services) -> FastAPI:
    """The application around `services`, which tests and the local run may share."""
    app: FastAPI = FastAPIOffline(
        title="PicTrace", version=VERSION, description=DESCRIPTION, docs_url=None, redoc_url=None
    )
    app.state.services = services
    errors.install(app)
    app.add_middleware(BodyLimit)
    for router in (
        uploads.router,
        images.router,
        search.router,
        duplicates.router,
        meta.figures,
        legacy.router,
        meta.router,
    ):
        _add(app, router)
    _add(app, documentation_router("PicTrace API", "/openapi.json"))
    _add(app, page_router(services.objects.origin, services.source_addresses))

    @app.middleware("http")
    async def secure(request: Request, call_next: RequestResponseEndpoint) -> Response:
        response = await call_next(request)
        for name, value in ANSWERS.items():
            response.headers.setdefault(name, value)
        return response

    return app


def _add(app: FastAPI, router: APIRouter) -> None:
    """As `include_router`, which would look through each route's parameters a second time, at the first request."""
    app.router.routes.extend(router.routes)
