"""The web page and its files, with a strict content security policy."""

import hashlib
import mimetypes
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request, Response

from shared.domain.errors import NotFound

FOLDER: Final = Path(__file__).parents[1] / "web"


def content_security_policy(storage_origin: str, source_addresses: Sequence[str] = ()) -> str:
    """Return a policy that allows the page's own files, and the buckets for images and uploads, and nothing else."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            " ".join(("img-src 'self' blob: data:", storage_origin, *source_addresses)),
            f"connect-src 'self' {storage_origin}",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
        )
    )


def page_router(storage_origin: str, source_addresses: Sequence[str]) -> APIRouter:
    """Return the routes of the page.

    Args:
        storage_origin: origin of presigned URLs of the stack's own bucket.
        source_addresses: origins and paths of presigned URLs of other buckets.
    """
    router = APIRouter(include_in_schema=False)
    files = {path.name: path.read_bytes() for path in FOLDER.iterdir() if path.is_file()}
    policy = content_security_policy(storage_origin, source_addresses)

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

    @router.get("/shared/{token}")
    def shared(request: Request) -> Response:
        return answer("shared.html", request)

    @router.get("/static/{name}")
    def static(name: str, request: Request) -> Response:
        if name not in files:
            raise NotFound("There is no such file.")
        return answer(name, request)

    return router
