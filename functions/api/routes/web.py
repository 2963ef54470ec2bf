"""The web page and its files, with a strict content security policy."""

import mimetypes
import re
from collections.abc import Sequence
from typing import Final

from fastapi import APIRouter, Request, Response

from functions.api.page_files import page_files
from shared.domain.errors import NotFound

VERSIONED_CACHE_CONTROL: Final = "public, max-age=31536000, immutable"
OTHER_VERSION: Final = re.compile(r"^(\w+)\.[0-9a-f]{20}(\.(?:css|js|svg))$")


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
    policy = content_security_policy(storage_origin, source_addresses)

    def answer(name: str, request: Request) -> Response:
        file = page_files()[name]
        kept = VERSIONED_CACHE_CONTROL if file.is_versioned else "no-cache"
        headers = {"ETag": f'"{file.tag}"', "Cache-Control": kept, "Content-Security-Policy": policy}
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        return Response(file.data, media_type=mimetypes.guess_type(name)[0], headers=headers)

    @router.get("/")
    def page(request: Request) -> Response:
        return answer("index.html", request)

    @router.get("/shared/{token}")
    def shared(request: Request) -> Response:
        return answer("shared.html", request)

    @router.get("/static/{name}")
    def static(name: str, request: Request) -> Response:
        # A page of the version before may ask for its script once more, while another version is deployed.
        known = name if name in page_files() else OTHER_VERSION.sub(r"\1\2", name)
        if known not in page_files():
            raise NotFound("There is no such file.")
        return answer(known, request)

    return router
