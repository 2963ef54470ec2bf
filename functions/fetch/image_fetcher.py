"""The fetch use case: a web address in, a stored or an inline image out, or a refusal.

Request: `{"url": …, "key": "uploads/<collection>/<upload_id>"}` stores the image under `key`; without `key` it
comes back inline. Answers:

    {"status": "stored", "bytes": n, "media_type": …}
    {"status": "fetched", "bytes": n, "media_type": …, "data": base64}
    {"status": "refused", "code": "unfetchable", "cause": …, "reason": …}    the address gave nothing
    {"status": "refused", "code": …, "reason": …}                            it gave something that is no image
"""

import base64
from dataclasses import dataclass
from typing import Any, Final, Self

from shared.aws.objects import S3Objects
from shared.domain.errors import FetchRefused, PictureRefused
from shared.domain.formats import MEDIA_TYPES, sniff
from shared.domain.images import parse_upload_key
from shared.domain.limits import MAX_QUERY_BYTES, MAX_UPLOAD_BYTES
from shared.net.fetching import fetch

BAD_REQUEST: Final = "bad_request"
"""Code of a refusal whose cause is the caller's program and not the address."""

Answer = dict[str, Any]


class BadRequest(ValueError):  # noqa: N818
    """The request is of no shape that is understood; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to fetch, and where to store it: None to have it inline."""

    url: str
    key: str | None

    @classmethod
    def from_event(cls, event: Any) -> Self:
        """Raises BadRequest. A key that is no upload's is refused: this function writes nothing else."""
        if not isinstance(event, dict):
            raise BadRequest("The request must be a JSON object.")
        if unknown := sorted(str(name) for name in event if name not in {"url", "key"}):
            raise BadRequest(f"The request has a field {unknown[0]!r}; it may have `url` and `key`.")
        url, key = event.get("url"), event.get("key")
        if not isinstance(url, str):
            raise BadRequest("`url` must be a string.")
        if key is not None and (not isinstance(key, str) or parse_upload_key(key) is None):
            raise BadRequest("`key` must be an upload's key, uploads/<collection>/<upload_id>.")
        return cls(url, key)


class ImageFetcher:
    """Answers requests; only faults of S3 are raised."""

    def __init__(self, objects: S3Objects) -> None:
        self._objects = objects

    def answer(self, event: Any) -> Answer:
        try:
            request = Request.from_event(event)
            return self._store(request.url, request.key) if request.key else _inline(request.url)
        except BadRequest as error:
            return _refused(BAD_REQUEST, str(error))
        except FetchRefused as refused:
            return _refused(refused.code, refused.reason) | {"cause": refused.cause}
        except PictureRefused as refused:
            return _refused(refused.code, refused.reason)

    def _store(self, url: str, key: str) -> Answer:
        data = fetch(url, MAX_UPLOAD_BYTES)
        media_type = MEDIA_TYPES[sniff(data)]
        self._objects.write(key, data, media_type)
        return {"status": "stored", "bytes": len(data), "media_type": media_type}


def _inline(url: str) -> Answer:
    try:
        data = fetch(url, MAX_QUERY_BYTES)
    except FetchRefused as refused:
        if refused.cause != "too_large":
            raise
        raise FetchRefused(
            "too_large",
            f"The address gives more than {MAX_QUERY_BYTES:,} bytes, too many for an answer. Store the image with "
            "POST /v1/images, then search with the upload_id.",
        ) from refused
    return {
        "status": "fetched",
        "bytes": len(data),
        "media_type": MEDIA_TYPES[sniff(data)],
        "data": base64.b64encode(data).decode("ascii"),
    }


def _refused(code: str, reason: str) -> Answer:
    return {"status": "refused", "code": code, "reason": reason}
