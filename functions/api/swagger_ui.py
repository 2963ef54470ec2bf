"""The page at /docs: Swagger UI from our own host, under a policy that names its one inline script by hash."""

import base64
import hashlib
import re
from typing import Final

from fastapi import APIRouter, Response
from fastapi.openapi.docs import get_swagger_ui_html

ASSETS: Final = "/static-offline-docs"
"""Where fastapi-offline serves Swagger UI's files."""


def documentation_router(title: str, openapi_url: str) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    page = bytes(
        get_swagger_ui_html(
            title=title,
            openapi_url=openapi_url,
            swagger_js_url=f"{ASSETS}/swagger-ui-bundle.js",
            swagger_css_url=f"{ASSETS}/swagger-ui.css",
            swagger_favicon_url=f"{ASSETS}/favicon.png",
        ).body
    )
    headers = {"Content-Security-Policy": _policy(page), "Cache-Control": "no-cache"}

    @router.get("/docs")
    def documentation() -> Response:
        return Response(page, media_type="text/html", headers=headers)

    return router


def _policy(page: bytes) -> str:
    """Swagger UI sets styles inline and has its icons as data; neither runs anything."""
    scripts = re.findall(rb"<script>(.*?)</script>", page, re.DOTALL)
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(text).digest()).decode()}'" for text in scripts)
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' {hashes}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )
