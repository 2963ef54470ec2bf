"""Errors as RFC 9457 problem details."""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from aws_lambda_powertools import Logger
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from functions.api.outages import Outages
from functions.api.security_headers import SECURITY_HEADERS
from shared.domain.albums import AlbumFull
from shared.domain.annotations import TooManyFields
from shared.domain.errors import (
    CollectionNeeded,
    DecoderUnavailable,
    FetchFailed,
    FetchRefused,
    Forbidden,
    IndexNotReady,
    InvalidCursor,
    NotFound,
    PictureRefused,
    RateLimited,
    Unauthenticated,
)
from shared.domain.images import COLLECTION_PATTERN, IMAGE_ID_PATTERN
from shared.domain.labels import UnknownLabel
from shared.domain.ledger import ConflictError
from shared.domain.limits import (
    INDEX_RETRY_AFTER_SECONDS,
    MAX_ALBUM_IMAGES,
    MAX_COLLECTION_LENGTH,
    MAX_FIELDS,
    MAX_TAGS,
    RETRY_AFTER_SECONDS,
)
from shared.domain.tags import InvalidTag, TooManyTags

logger = Logger(service="api", child=True)

MEDIA_TYPE: Final = "application/problem+json"

PROBLEMS: Final[Mapping[str, tuple[int, str]]] = {
    "invalid-request": (422, "The request is not valid"),
    "invalid-cursor": (400, "The cursor is not valid"),
    "unknown-label": (422, "The model has no such label"),
    "malformed-body": (400, "The body cannot be read"),
    "unauthenticated": (401, "Valid credentials are required"),
    "forbidden": (403, "The credentials do not allow this"),
    "not-found": (404, "Not found"),
    "method-not-allowed": (405, "The method is not allowed"),
    "upload-pending": (409, "The upload is not indexed yet"),
    "collection-not-empty": (409, "The collection still has images"),
    "album-full": (409, "The album is full"),
    "faces-unavailable": (409, "The deployment has no networks for faces"),
    "faces-off": (409, "The collection does not have faces on"),
    "upload-rejected": (409, "The upload was rejected"),
    "request-timeout": (408, "The request did not arrive in time"),
    "too-large": (413, "The request is too large"),
    "unsupported-media-type": (415, "The media type is not supported"),
    "undecodable-picture": (422, "The image cannot be decoded"),
    "unfetchable-url": (422, "No image can be fetched from the URL"),
    "rate-limited": (429, "Too many calls this minute"),
    "unavailable": (503, "The service is temporarily unavailable"),
    "internal-error": (500, "Internal error"),
}
"""Status and title of every problem type, by slug. docs/reference/api.md lists them."""

_PATTERNS: Final = {
    COLLECTION_PATTERN: f"The name of a collection has up to {MAX_COLLECTION_LENGTH} lower-case letters, digits, "
    "hyphens and underscores, and begins with a letter or digit",
    IMAGE_ID_PATTERN: "An image id has 64 hexadecimal digits",
}
"""What patterns say, in words, where people choose or copy the text."""

_BY_STATUS: Final = {
    404: "not-found",
    405: "method-not-allowed",
    408: "request-timeout",
    413: "too-large",
    415: "unsupported-media-type",
}
_BY_REFUSAL: Final = {
    "too_large": "too-large",
    "unsupported_type": "unsupported-media-type",
    "camera_raw": "unsupported-media-type",
    "gone": "not-found",
}


_TOKEN: Final = re.compile("/shared/[^/]+")

UNAUTHENTICATED: Final = "Send a valid key: Authorization: Bearer pt_…, or X-Api-Key: pt_…"
"""The same detail whether the key is missing, wrong, revoked or expired."""


MAX_ERRORS: Final = 10
"""Maximum number of errors that a response lists: a request may have as many as it has bytes."""
MAX_ECHO: Final = 200
"""Maximum length of a text in a response that a request may have caused, in characters."""


def problem_type(slug: str) -> str:
    return f"urn:pictrace:problem:{slug}"


class Problem(Exception):  # noqa: N818 - RFC 9457's name for it
    """An error that is returned to the caller as problem details.

    Args:
        slug: a key of `PROBLEMS`.
        detail: one English sentence that says what to do next.
        extensions: further members of the problem details.
    """

    def __init__(self, slug: str, detail: str, **extensions: Any) -> None:
        super().__init__(detail)
        self.slug = slug
        self.detail = detail
        self.extensions = extensions


def respond(slug: str, detail: str, *, headers: Mapping[str, str] | None = None, **extensions: Any) -> JSONResponse:
    """Return a response with problem details."""
    status, title = PROBLEMS[slug]
    body = {"type": problem_type(slug), "title": title, "status": status, "detail": detail, **extensions}
    retry = {"Retry-After": str(RETRY_AFTER_SECONDS)} if slug == "unavailable" else {}
    return JSONResponse(
        body, status_code=status, media_type=MEDIA_TYPE, headers={**SECURITY_HEADERS, **retry, **(headers or {})}
    )


def outage_response(outages: Outages) -> JSONResponse:
    """Return the response to any call during an outage."""
    return respond("unavailable", f"{outages.sentence} Try again in {RETRY_AFTER_SECONDS} s.")


def install(app: FastAPI, outages: Outages) -> None:
    """Install handlers that turn every error of `app` into problem details."""

    @app.exception_handler(Problem)
    async def problem(_: Request, error: Problem) -> JSONResponse:
        return respond(error.slug, error.detail, **error.extensions)

    @app.exception_handler(PictureRefused)
    async def refused(_: Request, error: PictureRefused) -> JSONResponse:
        return respond(_BY_REFUSAL.get(error.code, "undecodable-picture"), error.reason, code=error.code)

    @app.exception_handler(FetchRefused)
    async def unfetchable(_: Request, error: FetchRefused) -> JSONResponse:
        return respond("unfetchable-url", error.reason, code=error.cause)

    @app.exception_handler(FetchFailed)
    async def unfetched(request: Request, error: FetchFailed) -> JSONResponse:
        logger.error("fetching failed on %s", in_log(request), exc_info=error)
        return respond("unavailable", str(error))

    @app.exception_handler(DecoderUnavailable)
    async def no_decoder(_: Request, error: DecoderUnavailable) -> JSONResponse:
        logger.error("the decoder is unavailable", exc_info=error)
        return respond("unavailable", "The image decoder is not responding. Try again in a few seconds.")

    @app.exception_handler(NotFound)
    async def not_found(_: Request, error: NotFound) -> JSONResponse:
        return respond("not-found", str(error))

    @app.exception_handler(Unauthenticated)
    async def unauthenticated(_: Request, __: Unauthenticated) -> JSONResponse:
        answer = respond("unauthenticated", UNAUTHENTICATED)
        answer.headers["WWW-Authenticate"] = "Bearer"
        return answer

    @app.exception_handler(Forbidden)
    async def forbidden(_: Request, error: Forbidden) -> JSONResponse:
        return respond("forbidden", str(error))

    @app.exception_handler(CollectionNeeded)
    async def collection_needed(_: Request, error: CollectionNeeded) -> JSONResponse:
        return respond("invalid-request", f"collection: {error}")

    @app.exception_handler(RateLimited)
    async def rate_limited(_: Request, error: RateLimited) -> JSONResponse:
        answer = respond("rate-limited", str(error))
        answer.headers["Retry-After"] = str(error.retry_after)
        return answer

    async def outage(request: Request, error: Exception) -> JSONResponse:
        if not outages.is_transient(error):
            raise error
        logger.error("a service is unavailable on %s", in_log(request), exc_info=error)
        return outage_response(outages)

    for kind in outages.errors:
        app.add_exception_handler(kind, outage)

    @app.exception_handler(IndexNotReady)
    async def building(request: Request, error: IndexNotReady) -> JSONResponse:
        logger.error("an index is not ready on %s: %s", in_log(request), error)
        return respond(
            "unavailable",
            "The vector index is still being built and cannot be searched. "
            f"Try again in {INDEX_RETRY_AFTER_SECONDS} s.",
            headers={"Retry-After": str(INDEX_RETRY_AFTER_SECONDS)},
        )

    @app.exception_handler(ConflictError)
    async def conflict(_: Request, __: ConflictError) -> JSONResponse:
        sentence = f"Others keep changing the same image or album. Try again in {RETRY_AFTER_SECONDS} s."
        return respond("unavailable", sentence)

    @app.exception_handler(TooManyFields)
    async def too_many_fields(_: Request, __: TooManyFields) -> JSONResponse:
        return respond("invalid-request", f"fields: An image has at most {MAX_FIELDS} fields. Remove others with null.")

    @app.exception_handler(AlbumFull)
    async def album_full(_: Request, __: AlbumFull) -> JSONResponse:
        return respond("album-full", f"An album has at most {MAX_ALBUM_IMAGES:,} images. Begin another one.")

    @app.exception_handler(InvalidTag)
    async def invalid_tag(_: Request, error: InvalidTag) -> JSONResponse:
        return respond("invalid-request", f"tag: {error}")

    @app.exception_handler(TooManyTags)
    async def too_many_tags(_: Request, __: TooManyTags) -> JSONResponse:
        return respond("invalid-request", f"tag: People can give and remove at most {MAX_TAGS} tags of an image.")

    @app.exception_handler(UnknownLabel)
    async def unknown_label(_: Request, error: UnknownLabel) -> JSONResponse:
        return respond("unknown-label", str(error), suggestions=list(error.suggestions))

    @app.exception_handler(InvalidCursor)
    async def cursor(_: Request, error: InvalidCursor) -> JSONResponse:
        return respond("invalid-cursor", f"Start again with the first page: {error}.")

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        if any(entry["type"] == "json_invalid" for entry in error.errors()):
            return respond("malformed-body", "The body is not valid JSON.")
        is_json = "json" in request.headers.get("content-type", "")
        if not is_json and any(entry["type"] == "model_attributes_type" for entry in error.errors()):
            return respond("unsupported-media-type", "Send the body as application/json.")
        return respond("invalid-request", _first_message(error.errors()), errors=_messages(error.errors()))

    @app.exception_handler(ClientDisconnect)
    async def gone(_: Request, __: ClientDisconnect) -> JSONResponse:
        return respond("malformed-body", "The connection was closed before the body was complete.")

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        slug = _BY_STATUS.get(error.status_code)
        if slug == "method-not-allowed":
            return respond(slug, _sentence(error), headers={"Allow": ", ".join(_allowed(request))})
        if slug:
            return respond(slug, _sentence(error))
        status = HTTPStatus(error.status_code)
        slug = "internal-error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "malformed-body"
        return respond(slug, _sentence(error))

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        logger.error("unhandled error on %s", in_log(request), exc_info=error)
        return respond(
            "internal-error",
            "The error was logged. Try again; if it persists, contact the operator of this deployment.",
        )


def _allowed(request: Request) -> list[str]:
    """Return all methods that the routes of this path allow (RFC 9110, 10.2.1).

    Routes of another pattern that the path matches too, such as `/{image_id}`, do not count: they refuse it.
    """
    methods = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
    routes = [route for route in request.app.routes if route.path == request.scope["route"].path]
    return [
        method
        for method in methods
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    ]


def _sentence(error: HTTPException) -> str:
    if error.status_code == HTTPStatus.NOT_FOUND:
        return "This path does not exist; /docs lists the calls."
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return "This path does not support the method; /docs lists the calls."
    return str(error.detail)


def _messages(errors: Sequence[Any]) -> list[dict[str, Any]]:
    return [
        {"where": [shortened(str(part)) for part in error["loc"]], "message": shortened(_message(error))}
        for error in errors[:MAX_ERRORS]
    ]


def in_log(request: Request) -> str:
    """Return method and path of a request, without the token of a link to an album, and without control characters."""
    return f"{request.method} {_TOKEN.sub('/shared/…', quote(request.scope['path']))}"


def _message(error: Mapping[str, Any]) -> str:
    """Return pydantic's message, or for a pattern that people meet, what it says in words."""
    return _PATTERNS.get(error.get("ctx", {}).get("pattern", ""), str(error["msg"]))


def shortened(text: str) -> str:
    return text if len(text) <= MAX_ECHO else f"{text[: MAX_ECHO - 1]}…"


def _first_message(errors: Sequence[Any]) -> str:
    if not errors:
        return "The request is not valid."
    first = errors[0]
    message = shortened(f"{'.'.join(str(part) for part in first['loc'])}: {_message(first)}")
    more = len(errors) - 1
    return f"{message} ({more:,} more)" if more else message


def problem_responses(*slugs: str) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI `responses` of an `AuthenticatedRoute` for these problems and the common ones."""
    responses: dict[int | str, dict[str, Any]] = {}
    common = ("invalid-request", "unauthenticated", "forbidden", "too-large", "rate-limited", "unavailable")
    for slug in (*common, *slugs):
        status, title = PROBLEMS[slug]
        entry = responses.setdefault(
            status, {"description": title, "content": {MEDIA_TYPE: {"schema": _SCHEMA, "examples": {}}}}
        )
        if slug == "unavailable":
            entry["headers"] = {
                "Retry-After": {"required": True, "schema": {"type": "integer"}, "description": "seconds"}
            }
        entry["content"][MEDIA_TYPE]["examples"][slug] = {
            "value": {"type": problem_type(slug), "title": title, "status": status, "detail": "…"}
        }
    return responses


_SCHEMA: Final = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
}
