"""No request brings more bytes than Lambda would take, wherever the application runs."""

from http import HTTPStatus
from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from functions.api.errors import respond
from shared.domain.limits import MAX_QUERY_BYTES, MAX_REQUEST_BYTES

TOO_LARGE: Final = (
    f"An image in a request may have {MAX_QUERY_BYTES:,} bytes. Send larger ones with POST /v1/uploads, "
    "then search with the upload_id."
)


class BodyLimit:
    """Refuses a body by its declared length, or while it is read once it turns out to be longer."""

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
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > MAX_REQUEST_BYTES:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE)
            return message

        await self._app(scope, counted, send)
