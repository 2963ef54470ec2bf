"""Answer every error with problem details."""

import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
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
from functions.api.problems import MAX_ERRORS, Problem, respond, shortened
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
_PATTERNS: Final = {
    COLLECTION_PATTERN: f"The name of a collection has up to {MAX_COLLECTION_LENGTH} lower-case letters, digits, "
    "hyphens and underscores, and begins with a letter or digit",
    IMAGE_ID_PATTERN: "An image id has 64 hexadecimal digits",
}
"""What patterns say, in words, where people choose or copy the text."""

_TOKEN: Final = re.compile("/shared/[^/]+")

UNAUTHENTICATED: Final = "Send a valid key: Authorization: Bearer pt_…, or X-Api-Key: pt_…"
"""The same detail whether the key is missing, wrong, revoked or expired."""


def in_log(request: Request) -> str:
    """Return method and path of a request, without the token of a link to an album, and without control characters."""
    return f"{request.method} {_TOKEN.sub('/shared/…', quote(request.scope['path']))}"


def outage_response(outages: Outages) -> JSONResponse:
    """Return the response to any call during an outage."""
    return respond("unavailable", f"{outages.sentence} Try again in {RETRY_AFTER_SECONDS} s.")


async def _problem(_: Request, error: Problem) -> JSONResponse:
    return respond(error.slug, error.detail, **error.extensions)


async def _refused(_: Request, error: PictureRefused) -> JSONResponse:
    return respond(_BY_REFUSAL.get(error.code, "undecodable-picture"), error.reason, code=error.code)


async def _unfetchable(_: Request, error: FetchRefused) -> JSONResponse:
    return respond("unfetchable-url", error.reason, code=error.cause)


async def _unfetched(request: Request, error: FetchFailed) -> JSONResponse:
    logger.error("fetching failed on %s", in_log(request), exc_info=error)
    return respond("unavailable", str(error))


async def _no_decoder(_: Request, error: DecoderUnavailable) -> JSONResponse:
    logger.error("the decoder is unavailable", exc_info=error)
    return respond("unavailable", "The image decoder is not responding. Try again in a few seconds.")


async def _not_found(_: Request, error: NotFound) -> JSONResponse:
    return respond("not-found", str(error))


async def _unauthenticated(_: Request, __: Unauthenticated) -> JSONResponse:
    answer = respond("unauthenticated", UNAUTHENTICATED)
    answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


async def _forbidden(_: Request, error: Forbidden) -> JSONResponse:
    return respond("forbidden", str(error))


async def _collection_needed(_: Request, error: CollectionNeeded) -> JSONResponse:
    return respond("invalid-request", f"collection: {error}")


async def _rate_limited(_: Request, error: RateLimited) -> JSONResponse:
    answer = respond("rate-limited", str(error))
    answer.headers["Retry-After"] = str(error.retry_after)
    return answer


async def _building(request: Request, error: IndexNotReady) -> JSONResponse:
    logger.error("an index is not ready on %s: %s", in_log(request), error)
    return respond(
        "unavailable",
        f"The vector index is still being built and cannot be searched. Try again in {INDEX_RETRY_AFTER_SECONDS} s.",
        headers={"Retry-After": str(INDEX_RETRY_AFTER_SECONDS)},
    )


async def _conflict(_: Request, __: ConflictError) -> JSONResponse:
    sentence = f"Others keep changing the same image or album. Try again in {RETRY_AFTER_SECONDS} s."
    return respond("unavailable", sentence)


async def _too_many_fields(_: Request, __: TooManyFields) -> JSONResponse:
    return respond("invalid-request", f"fields: An image has at most {MAX_FIELDS} fields. Remove others with null.")


async def _album_full(_: Request, __: AlbumFull) -> JSONResponse:
    return respond("album-full", f"An album has at most {MAX_ALBUM_IMAGES:,} images. Begin another one.")


async def _invalid_tag(_: Request, error: InvalidTag) -> JSONResponse:
    return respond("invalid-request", f"tag: {error}")


async def _too_many_tags(_: Request, __: TooManyTags) -> JSONResponse:
    return respond("invalid-request", f"tag: People can give and remove at most {MAX_TAGS} tags of an image.")


async def _unknown_label(_: Request, error: UnknownLabel) -> JSONResponse:
    return respond("unknown-label", str(error), suggestions=list(error.suggestions))


async def _cursor(_: Request, error: InvalidCursor) -> JSONResponse:
    return respond("invalid-cursor", f"Start again with the first page: {error}.")


async def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
    if any(entry["type"] == "json_invalid" for entry in error.errors()):
        return respond("malformed-body", "The body is not valid JSON.")
    is_json = "json" in request.headers.get("content-type", "")
    if not is_json and any(entry["type"] == "model_attributes_type" for entry in error.errors()):
        return respond("unsupported-media-type", "Send the body as application/json.")
    return respond("invalid-request", _first_message(error.errors()), errors=_messages(error.errors()))


async def _gone(_: Request, __: ClientDisconnect) -> JSONResponse:
    return respond("malformed-body", "The connection was closed before the body was complete.")


async def _http(request: Request, error: HTTPException) -> JSONResponse:
    slug = _BY_STATUS.get(error.status_code)
    if slug == "method-not-allowed":
        return respond(slug, _sentence(error), headers={"Allow": ", ".join(_allowed(request))})
    if slug:
        return respond(slug, _sentence(error))
    status = HTTPStatus(error.status_code)
    slug = "internal-error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "malformed-body"
    return respond(slug, _sentence(error))


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
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


def _message(error: Mapping[str, Any]) -> str:
    """Return pydantic's message, or for a pattern that people meet, what it says in words."""
    return _PATTERNS.get(error.get("ctx", {}).get("pattern", ""), str(error["msg"]))


def _first_message(errors: Sequence[Any]) -> str:
    if not errors:
        return "The request is not valid."
    first = errors[0]
    message = shortened(f"{'.'.join(str(part) for part in first['loc'])}: {_message(first)}")
    more = len(errors) - 1
    return f"{message} ({more:,} more)" if more else message


Handler = Callable[[Request, Any], Coroutine[Any, Any, JSONResponse]]

_HANDLERS: Final[Mapping[type[Exception], Handler]] = {
    Problem: _problem,
    PictureRefused: _refused,
    FetchRefused: _unfetchable,
    FetchFailed: _unfetched,
    DecoderUnavailable: _no_decoder,
    NotFound: _not_found,
    Unauthenticated: _unauthenticated,
    Forbidden: _forbidden,
    CollectionNeeded: _collection_needed,
    RateLimited: _rate_limited,
    IndexNotReady: _building,
    ConflictError: _conflict,
    TooManyFields: _too_many_fields,
    AlbumFull: _album_full,
    InvalidTag: _invalid_tag,
    TooManyTags: _too_many_tags,
    UnknownLabel: _unknown_label,
    InvalidCursor: _cursor,
    RequestValidationError: _invalid,
    ClientDisconnect: _gone,
    HTTPException: _http,
    Exception: _unexpected,
}


def install(app: FastAPI, outages: Outages) -> None:
    """Install handlers that turn every error of `app` into problem details."""
    for kind, handler in _HANDLERS.items():
        app.add_exception_handler(kind, handler)

    async def outage(request: Request, error: Exception) -> JSONResponse:
        if not outages.is_transient(error):
            raise error
        logger.error("a service is unavailable on %s", in_log(request), exc_info=error)
        return outage_response(outages)

    for kind in outages.errors:
        app.add_exception_handler(kind, outage)
