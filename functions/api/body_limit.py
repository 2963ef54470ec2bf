"""Limit the size of a request's body to what Lambda accepts, wherever the application runs."""

from http import HTTPStatus
from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from functions.api.errors import respond
from shared.domain.limits import MAX_QUERY_BYTES, MAX_REQUEST_BYTES

TOO_LARGE: Final = (
    f"An image in a request may have at most {MAX_QUERY_BYTES:,} bytes. Upload larger images with POST /v1/uploads, "
    "then search by `upload_id`."
)


class BodyLimit:
    """Rejects a body that declares, or turns out while it is read, to be longer than the limit."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"")
        if declared.isdigit() and (len(declared) > len(str(MAX_REQUEST_BYTES)) or int(declared) > MAX_REQUEST_BYTES):
            await respond("too-large", TOO_LARGE)(scope, receive, send)
            return
        received = 0

        async def receive_limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > MAX_REQUEST_BYTES:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE)
            return message

        await self._app(scope, receive_limited, send)
