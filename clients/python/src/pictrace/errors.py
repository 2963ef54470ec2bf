"""Errors of the client, and a class for each problem type of the API."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar, Final

import httpx

PROBLEM_PREFIX: Final = "urn:pictrace:problem:"
MAX_ECHO: Final = 200
"""Maximum length of a text that is not JSON in a message, in characters."""


class PicTraceError(Exception):
    """An error that the client raises."""


class ConnectionFailed(PicTraceError):
    """The server cannot be reached, or the connection was lost."""


class StorageRefused(PicTraceError):
    """The storage did not accept an upload, or has no such object."""


class ImageRejected(PicTraceError):
    """PicTrace did not index an uploaded image.

    Attributes:
        code: the refusal code, such as `corrupt`.
        reason: a sentence for people.
    """

    def __init__(self, upload_id: str, code: str | None, reason: str | None) -> None:
        super().__init__(reason or "The image was rejected.")
        self.upload_id = upload_id
        self.code = code
        self.reason = reason


class StillPending(PicTraceError, TimeoutError):
    """An upload was not processed in time; it may be later."""

    def __init__(self, upload_id: str, seconds: float) -> None:
        super().__init__(f"Upload {upload_id} is not indexed after {seconds:g} s. It may be later.")
        self.upload_id = upload_id


class ApiError(PicTraceError):
    """An answer of the API that is an error (RFC 9457 problem details).

    Attributes:
        status: HTTP status code.
        type: URI of the problem type; `about:blank` if the answer has none.
        detail: what is wrong and what to do next.
        code: refusal code of an image or URL.
        errors: what is wrong with which parameter.
        suggestions: words that may have been meant.
        retry_after: seconds to wait before the next attempt, if the server says so.
    """

    slug: ClassVar[str | None] = None

    def __init__(self, response: httpx.Response, problem: Mapping[str, Any]) -> None:
        self.status = response.status_code
        self.type: str = problem.get("type", "about:blank")
        self.title: str | None = problem.get("title")
        # API Gateway answers {"message": …} for its own throttle and quotas.
        self.detail: str = problem.get("detail") or problem.get("message") or response.text.strip()[:MAX_ECHO]
        self.code: str | None = problem.get("code")
        self.errors: Sequence[Mapping[str, Any]] = problem.get("errors", ())
        self.suggestions: Sequence[str] = problem.get("suggestions", ())
        self.retry_after = retry_after(response)
        super().__init__(self.detail or f"The server answered {self.status}.")


class InvalidRequest(ApiError):
    slug = "invalid-request"


class InvalidCursor(ApiError):
    slug = "invalid-cursor"


class UnknownLabel(ApiError):
    slug = "unknown-label"


class MalformedBody(ApiError):
    slug = "malformed-body"


class Unauthenticated(ApiError):
    slug = "unauthenticated"


class Forbidden(ApiError):
    slug = "forbidden"


class NotFound(ApiError):
    slug = "not-found"


class MethodNotAllowed(ApiError):
    slug = "method-not-allowed"


class UploadPending(ApiError):
    slug = "upload-pending"


class UploadRejected(ApiError):
    slug = "upload-rejected"


class CollectionNotEmpty(ApiError):
    slug = "collection-not-empty"


class AlbumFull(ApiError):
    slug = "album-full"


class FacesUnavailable(ApiError):
    slug = "faces-unavailable"


class FacesOff(ApiError):
    slug = "faces-off"


class RequestTimeout(ApiError):
    slug = "request-timeout"


class TooLarge(ApiError):
    slug = "too-large"


class UnsupportedMediaType(ApiError):
    slug = "unsupported-media-type"


class UndecodableImage(ApiError):
    slug = "undecodable-picture"


class UnfetchableUrl(ApiError):
    slug = "unfetchable-url"


class RateLimited(ApiError):
    slug = "rate-limited"


class Unavailable(ApiError):
    slug = "unavailable"


class InternalError(ApiError):
    slug = "internal-error"


BY_TYPE: Final = {f"{PROBLEM_PREFIX}{error.slug}": error for error in ApiError.__subclasses__()}


def error_of(response: httpx.Response) -> ApiError:
    """Return the error that an answer describes; of a type that is not known, or none, a plain `ApiError`."""
    try:
        problem = response.json()
    except ValueError:
        problem = None
    if not isinstance(problem, dict):
        problem = {}
    return BY_TYPE.get(problem.get("type", ""), ApiError)(response, problem)


def retry_after(response: httpx.Response) -> float | None:
    """Return the seconds that `Retry-After` names, as a number or as a date (RFC 9110, 10.2.3)."""
    value = response.headers.get("Retry-After", "")
    if value.isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
