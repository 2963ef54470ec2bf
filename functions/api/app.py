"""The FastAPI application."""

from fastapi import FastAPI, Request, Response
from fastapi_offline import FastAPIOffline
from starlette.middleware.base import RequestResponseEndpoint

from functions.api import errors
from functions.api.body_limit import BodyLimit
from functions.api.page import page_router
from functions.api.routes import ancestor, images, meta, search, uploads
from functions.api.services import Services
from functions.api.version import VERSION

DESCRIPTION = """Reverse image search in your own AWS account.

Upload pictures, then ask which of them are nearest to another one, and why.
Errors are RFC 9457 problem details; `type` is one of a documented list."""


def create_app(services: Services) -> FastAPI:
    """The application around `services`, which tests and the local run may share."""
    app: FastAPI = FastAPIOffline(title="PicTrace", version=VERSION, description=DESCRIPTION)
    app.state.services = services
    errors.install(app)
    app.add_middleware(BodyLimit)
    for module in (uploads, images, search, meta, ancestor):
        app.include_router(module.router)
    app.include_router(page_router(services.objects.origin))

    @app.middleware("http")
    async def secure(request: Request, call_next: RequestResponseEndpoint) -> Response:
        response = await call_next(request)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "no-referrer")
        return response

    return app
