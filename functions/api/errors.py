"""Errors as RFC 9457 problem details."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from functions.api.security_headers import ANSWERS
from shared.aws.transient_errors import is_transient
from shared.domain.errors import (
    CollectionNeeded,
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
from shared.domain.labels import UnknownLabel
from shared.domain.ledger import ConflictError
from shared.domain.limits import INDEX_RETRY_AFTER_SECONDS, RETRY_AFTER_SECONDS
from shared.vision.decode.sandbox import DecoderUnavailable

logger = Logger(service="api", child=True)

MEDIA_TYPE: Final = "application/problem+json"

PROBLEMS: Final[Mapping[str, tuple[int, str]]] = {
    "invalid-request": (422, "The request is not valid"),
    "invalid-cursor": (400, "The cursor is not valid"),
    "unknown-label": (422, "The model has no such label"),
    "malformed-body": (400, "The body cannot be read"),
    "unauthenticated": (401, "The call needs a key"),
    "forbidden": (403, "The key does not allow this"),
    "not-found": (404, "There is no such thing"),
    "method-not-allowed": (405, "The method is not allowed"),
    "upload-pending": (409, "The upload is not indexed yet"),
    "upload-rejected": (409, "The upload was rejected"),
    "too-large": (413, "The body is too large"),
    "unsupported-media-type": (415, "The type is not supported"),
    "undecodable-picture": (422, "The image cannot be decoded"),
    "unfetchable-url": (422, "The address gave no image"),
    "rate-limited": (429, "Too many calls in this minute"),
    "unavailable": (503, "A service behind the API does not answer"),
    "internal-error": (500, "Something went wrong"),
}
"""Every problem type of the API, by slug: status and title. docs/reference/api.md lists them."""

_BY_STATUS: Final = {404: "not-found", 405: "method-not-allowed", 413: "too-large", 415: "unsupported-media-type"}
_BY_REFUSAL: Final = {"too_large": "too-large", "unsupported_type": "unsupported-media-type", "gone": "not-found"}


UNAUTHENTICATED: Final = "Send a valid key: Authorization: Bearer pt_…, or X-Api-Key: pt_…"
"""The same for no key, a wrong one, a revoked one and an expired one."""


def problem_type(slug: str) -> str:
    return f"urn:pictrace:problem:{slug}"


class Problem(Exception):  # noqa: N818 - the field's name for it
    """An error answer.

    Args:
        slug: a key of `PROBLEMS`.
        detail: one English sentence that says what to do next.
    """

    def __init__(self, slug: str, detail: str, **extensions: Any) -> None:
        super().__init__(detail)
        self.slug = slug
        self.detail = detail
        self.extensions = extensions


def respond(slug: str, detail: str, *, headers: Mapping[str, str] | None = None, **extensions: Any) -> JSONResponse:
    status, title = PROBLEMS[slug]
    body = {"type": problem_type(slug), "title": title, "status": status, "detail": detail, **extensions}
    later = {"Retry-After": str(RETRY_AFTER_SECONDS)} if slug == "unavailable" else {}
    return JSONResponse(
        body, status_code=status, media_type=MEDIA_TYPE, headers={**ANSWERS, **later, **(headers or {})}
    )


def install(app: FastAPI) -> None:
    """Answer every error of `app` with problem details."""

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
        logger.error("fetching failed on %s %s", request.method, request.url.path, exc_info=error)
        return respond("unavailable", str(error))

    @app.exception_handler(DecoderUnavailable)
    async def no_decoder(_: Request, error: DecoderUnavailable) -> JSONResponse:
        logger.error("no image can be decoded", exc_info=error)
        return respond("unavailable", "The decoder does not answer. Try again.")

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

    @app.exception_handler(ClientError)
    @app.exception_handler(BotoCoreError)
    async def outage(request: Request, error: BotoCoreError | ClientError) -> JSONResponse:
        if not is_transient(error):
            raise error
        logger.error("a service is out on %s %s", request.method, request.url.path, exc_info=error)
        return respond("unavailable", f"A service of AWS does not answer. Try again in {RETRY_AFTER_SECONDS} s.")

    @app.exception_handler(IndexNotReady)
    async def building(request: Request, error: IndexNotReady) -> JSONResponse:
        logger.error("an index is not ready on %s %s: %s", request.method, request.url.path, error)
        return respond(
            "unavailable",
            "The vector index is being built, so nothing can be searched yet. "
            f"Try again in {INDEX_RETRY_AFTER_SECONDS} s.",
            headers={"Retry-After": str(INDEX_RETRY_AFTER_SECONDS)},
        )

    @app.exception_handler(ConflictError)
    async def overtaken(_: Request, __: ConflictError) -> JSONResponse:
        return respond("unavailable", f"The same bytes keep coming. Try again in {RETRY_AFTER_SECONDS} s.")

    @app.exception_handler(UnknownLabel)
    async def unknown_label(_: Request, error: UnknownLabel) -> JSONResponse:
        return respond("unknown-label", str(error), suggestions=list(error.suggestions))

    @app.exception_handler(InvalidCursor)
    async def cursor(_: Request, error: InvalidCursor) -> JSONResponse:
        return respond("invalid-cursor", f"Ask for the first page again: {error}.")

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        if any(entry["type"] == "json_invalid" for entry in error.errors()):
            return respond("malformed-body", "The body is not JSON.")
        is_json = "json" in request.headers.get("content-type", "")
        if not is_json and any(entry["type"] == "model_attributes_type" for entry in error.errors()):
            return respond("unsupported-media-type", "Send application/json.")
        return respond("invalid-request", _first_message(error.errors()), errors=_messages(error.errors()))

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
        logger.error("unhandled error on %s %s", request.method, request.url.path, exc_info=error)
        return respond("internal-error", "The error is logged. Try again; if it stays, tell whoever runs this.")


def _allowed(request: Request) -> list[str]:
    """Every method of this address, whichever route has it: RFC 9110, 10.2.1."""
    methods = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
    routes = request.app.routes
    return [
        method
        for method in methods
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    ]


def _sentence(error: HTTPException) -> str:
    if error.status_code == HTTPStatus.NOT_FOUND:
        return "There is nothing at this address; /docs lists the calls."
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return "This address has no such method; /docs lists the calls."
    return str(error.detail)


def _messages(errors: Sequence[Any]) -> list[dict[str, Any]]:
    return [{"where": [str(part) for part in error["loc"]], "message": error["msg"]} for error in errors]


def _first_message(errors: Sequence[Any]) -> str:
    if not errors:
        return "The request is not valid."
    first = errors[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"


def problem_responses(*slugs: str) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI `responses` of a route of data that may answer these problems, and those that all of them may."""
    responses: dict[int | str, dict[str, Any]] = {}
    everywhere = ("invalid-request", "unauthenticated", "forbidden", "too-large", "rate-limited", "unavailable")
    for slug in (*everywhere, *slugs):
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
