"""The page at /docs: self-hosted Swagger UI with a content security policy that allows its inline script by hash."""

import base64
import hashlib
import re
from typing import Final

from fastapi import APIRouter, Response
from fastapi.openapi.docs import get_swagger_ui_html

ASSETS: Final = "/static-offline-docs"
"""The path at which fastapi-offline serves the files of Swagger UI."""


def documentation_router(title: str, openapi_url: str) -> APIRouter:
    """Return the route of the page at /docs."""
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
    """Return the policy; it allows the inline styles and `data:` icons of Swagger UI, which cannot run code."""
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
