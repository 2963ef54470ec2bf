"""The web page and its files, with a strict content security policy."""

import hashlib
import mimetypes
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request, Response

from shared.domain.errors import NotFound

FOLDER: Final = Path(__file__).parents[1] / "web"


def content_security_policy(storage_origin: str) -> str:
    """Return a policy that allows only the page's own files, and the bucket for images and uploads."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            f"img-src 'self' blob: data: {storage_origin}",
            f"connect-src 'self' {storage_origin}",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
        )
    )


def page_router(storage_origin: str) -> APIRouter:
    """Return the routes of the page; `storage_origin` is the origin of presigned URLs."""
    router = APIRouter(include_in_schema=False)
    files = {path.name: path.read_bytes() for path in FOLDER.iterdir() if path.is_file()}
    policy = content_security_policy(storage_origin)

    def answer(name: str, request: Request) -> Response:
        data = files[name]
        tag = f'"{hashlib.sha256(data).hexdigest()[:20]}"'
        headers = {"ETag": tag, "Cache-Control": "no-cache", "Content-Security-Policy": policy}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(data, media_type=mimetypes.guess_type(name)[0], headers=headers)

    @router.get("/")
    def page(request: Request) -> Response:
        return answer("index.html", request)

    @router.get("/static/{name}")
    def static(name: str, request: Request) -> Response:
        if name not in files:
            raise NotFound("There is no such file.")
        return answer(name, request)

    return router
