"""Problem details (RFC 9457): the list of their types, and how they are raised, answered and documented."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi.responses import JSONResponse

from functions.api.security_headers import SECURITY_HEADERS
from shared.domain.limits import RETRY_AFTER_SECONDS

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


def shortened(text: str) -> str:
    return text if len(text) <= MAX_ECHO else f"{text[: MAX_ECHO - 1]}…"


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
