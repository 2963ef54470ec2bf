"""The local counterpart of S3's HTTP interface: forms that store an upload, and links that show an object."""

import asyncio
import logging
from contextlib import ExitStack
from http import HTTPStatus
from typing import IO, Any, Final

from anyio import to_thread
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from functions.api.errors import in_log, outage_response
from functions.api.problems import respond
from functions.api.security_headers import SECURITY_HEADERS
from infra.local.outages import OUTAGES
from shared.domain.errors import NotFound
from shared.domain.limits import MAX_UPLOAD_BYTES
from shared.embedded.links import OBJECTS_PATH, LinkRefused, Links
from shared.embedded.objects import FolderObjects

logger = logging.getLogger(__name__)

MAX_FIELD_BYTES: Final = 4096
"""Maximum size of the fields of a form together, and of the headers of one part."""
MAX_FORM_BYTES: Final = 4 * MAX_FIELD_BYTES
"""Maximum size of a form without its file: what stands between fields, and follows the file, counts too."""
IDLE_SECONDS: Final = 30
"""How long a form may send nothing."""
_LINK_HEADERS: Final = {
    **SECURITY_HEADERS,
    "Cache-Control": "private, max-age=3600",
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
}


class FormRefused(Exception):  # noqa: N818
    """A form is malformed or its file too large.

    Args:
        detail: one English sentence.
        problem: the type of the problem details.
    """

    def __init__(self, detail: str, problem: str = "malformed-body") -> None:
        super().__init__(detail)
        self.problem = problem


def storage_app(objects: FolderObjects, links: Links) -> Starlette:
    """Return the application that serves `OBJECTS_PATH`."""

    async def store(request: Request) -> Response:
        form = UploadForm(objects, links)
        try:
            await form.receive(request)
        except LinkRefused as refused:
            return respond("forbidden", str(refused))
        except FormRefused as refused:
            return respond(refused.problem, str(refused))
        except TimeoutError:
            return respond("malformed-body", f"The form sent nothing for {IDLE_SECONDS} s.")
        except ClientDisconnect:
            return Response(status_code=HTTPStatus.BAD_REQUEST)
        return Response(status_code=HTTPStatus.NO_CONTENT, headers=SECURITY_HEADERS)

    def show(request: Request) -> Response:
        key = request.path_params["key"]
        try:
            media_type, name = links.check_link(key, request.query_params)
            path = objects.path(key)
        except LinkRefused as refused:
            return respond("forbidden", str(refused))
        except NotFound:
            return respond("not-found", "There is no such object.")
        if not path.is_file():
            return respond("not-found", "There is no such object.")
        kind = "attachment" if name else "inline"
        return FileResponse(
            path, media_type=media_type, filename=name, content_disposition_type=kind, headers=_LINK_HEADERS
        )

    async def outage(request: Request, error: Exception) -> Response:
        logger.error("the data folder is unavailable on %s", in_log(request), exc_info=error)
        return outage_response(OUTAGES)

    return Starlette(
        routes=[
            Route(OBJECTS_PATH, store, methods=["POST"]),
            Route(f"{OBJECTS_PATH}/{{key:path}}", show, methods=["GET"]),
        ],
        exception_handlers=dict.fromkeys(OUTAGES.errors, outage),
    )


class WithStorage:
    """An application with `storage_app` below `OBJECTS_PATH`, where its own limits on requests do not apply."""

    def __init__(self, app: ASGIApp, objects: FolderObjects, links: Links) -> None:
        self._app = app
        self._storage = storage_app(objects, links)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        is_storage = path == OBJECTS_PATH or path.startswith(f"{OBJECTS_PATH}/")
        await (self._storage if is_storage else self._app)(scope, receive, send)


class UploadForm:
    """One multipart form: its fields, and last its file, which is written to disk as it arrives.

    As in S3, fields after the file do not count: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
    """

    def __init__(self, objects: FolderObjects, links: Links) -> None:
        self._objects = objects
        self._links = links
        self._fields: dict[str, str] = {}
        self._field_bytes = 0
        self._header = bytearray(), bytearray()
        self._disposition: dict[bytes, bytes] = {}
        self._value = bytearray()
        self._stack = ExitStack()
        self._file: IO[bytes] | None = None
        self._in_file = False
        self._size = 0
        self._complete = False

    async def receive(self, request: Request) -> None:
        """Read the body and store the file, durably.

        Raises:
            LinkRefused: the fields are not those of a valid form.
            FormRefused: the body is not such a form, or the file has no bytes or too many.
            TimeoutError: the client sent nothing for `IDLE_SECONDS`.
        """
        kind, options = parse_options_header(request.headers.get("content-type"))
        if kind != b"multipart/form-data" or b"boundary" not in options:
            raise FormRefused("Send the fields and the file as multipart/form-data.")
        callbacks: Any = {
            "on_part_begin": self._begin_part,
            "on_header_field": lambda data, start, end: self._add(self._header[0], data[start:end]),
            "on_header_value": lambda data, start, end: self._add(self._header[1], data[start:end]),
            "on_header_end": self._end_header,
            "on_headers_finished": self._begin_value,
            "on_part_data": self._part_data,
            "on_part_end": self._end_part,
            "on_end": self._end,
        }
        with self._stack:
            try:
                parser = MultipartParser(options[b"boundary"], callbacks)
                chunks, received = request.stream(), 0
                while True:
                    async with asyncio.timeout(IDLE_SECONDS):
                        chunk = await anext(chunks, None)
                    if chunk is None:
                        break
                    await to_thread.run_sync(parser.write, chunk)
                    received += len(chunk)
                    if received - self._size > MAX_FORM_BYTES:
                        raise FormRefused(f"The form has more than {MAX_FORM_BYTES:,} bytes besides its file.")
            except FormParserError as error:
                raise FormRefused("The body is not a valid multipart form.") from error
            if not self._complete or self._file is None:
                raise FormRefused("The form must end with a part named `file`.")
            if not self._size:
                raise FormRefused("The file is empty.")
            await to_thread.run_sync(self._stack.pop_all().close)

    def _begin_part(self) -> None:
        self._disposition = {}
        self._value.clear()

    def _add(self, buffer: bytearray, data: bytes) -> None:
        buffer += data
        self._field_bytes += len(data)
        if self._field_bytes > MAX_FIELD_BYTES:
            raise FormRefused(f"The fields of the form have more than {MAX_FIELD_BYTES:,} bytes.")

    def _end_header(self) -> None:
        name, value = self._header
        if name.lower() == b"content-disposition":
            self._disposition = parse_options_header(bytes(value))[1]
        name.clear()
        value.clear()

    def _begin_value(self) -> None:
        self._in_file = self._disposition.get(b"name") == b"file" and self._file is None
        if self._in_file:
            key, _ = self._links.check_form(self._fields)
            self._file = self._stack.enter_context(self._objects.receiving(key))

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file and self._file:
            self._size += end - start
            if self._size > MAX_UPLOAD_BYTES:
                raise FormRefused(f"The file has more than {MAX_UPLOAD_BYTES:,} bytes.", "too-large")
            self._file.write(data[start:end])
        elif self._file is None:
            self._add(self._value, data[start:end])

    def _end_part(self) -> None:
        if self._file is None:
            name = self._disposition.get(b"name", b"").decode(errors="replace")
            self._fields[name] = self._value.decode(errors="replace")

    def _end(self) -> None:
        self._complete = True
