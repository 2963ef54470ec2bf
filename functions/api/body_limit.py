"""Limit the size of a request's body to what its call needs, and the time that it may take to arrive."""

import asyncio
from http import HTTPStatus
from typing import Final

from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartParser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from functions.api.problems import respond
from shared.domain.limits import BODY_SECONDS, MAX_QUERY_BYTES, MAX_REQUEST_BYTES, MAX_SMALL_REQUEST_BYTES

TOO_LARGE: Final = (
    f"An image in a request may have at most {MAX_QUERY_BYTES:,} bytes. Upload larger images with POST /v1/uploads, "
    "then search by `upload_id`."
)
TOO_LARGE_WITHOUT_IMAGE: Final = f"A request without an image in it may have at most {MAX_SMALL_REQUEST_BYTES:,} bytes."
TOO_SLOW: Final = f"The body did not arrive within {BODY_SECONDS} seconds. Send it again."

WITH_IMAGES: Final = frozenset({"/v1/search", "/v1/compare", "/upload/"})
"""Paths of the calls that take an image in their body."""
_FORM: Final = b"application/x-www-form-urlencoded"

MultiPartParser.spool_max_size = MAX_REQUEST_BYTES
"""Files stay in memory, so that no request depends on space in the temporary folder."""


def limit_for(path: str, content_type: bytes) -> int:
    """Return the maximum size of a body in bytes. No image comes in a URL-encoded form, which is slow to parse."""
    if path in WITH_IMAGES and not content_type.strip().lower().startswith(_FORM):
        return MAX_REQUEST_BYTES
    return MAX_SMALL_REQUEST_BYTES


class BodyLimit:
    """Rejects a body that is longer than its limit, as declared or as read, or that arrives too slowly."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        limit = limit_for(scope["path"], headers.get(b"content-type", b""))
        too_large = TOO_LARGE if limit == MAX_REQUEST_BYTES else TOO_LARGE_WITHOUT_IMAGE
        declared = headers.get(b"content-length", b"")
        if declared.isdigit() and (len(declared) > len(str(limit)) or int(declared) > limit):
            await respond("too-large", too_large)(scope, receive, send)
            return
        received, complete = 0, False
        deadline = asyncio.get_running_loop().time() + BODY_SECONDS

        async def receive_limited() -> Message:
            nonlocal received, complete
            if complete:
                return await receive()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, TOO_SLOW) from None
            received += len(message.get("body", b""))
            complete = not message.get("more_body", False)
            if received > limit:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, too_large)
            return message

        await self._app(scope, receive_limited, send)
