"""The fetch use case: download the image at a URL, and store it or return it inline.

A request `{"url": …, "key": "uploads/<collection>/<upload_id>"}` stores the image under `key`; without `key` the
response contains it. Responses:

    {"status": "stored", "bytes": n, "media_type": …}
    {"status": "fetched", "bytes": n, "media_type": …, "data": base64}
    {"status": "refused", "code": "unfetchable", "cause": …, "reason": …}    the URL could not be fetched
    {"status": "refused", "code": …, "reason": …}                            what it led to is not an image
"""

import base64
from dataclasses import dataclass
from typing import Any, Final, Self

from shared.domain.errors import FetchRefused, PictureRefused
from shared.domain.formats import MEDIA_TYPES, sniff
from shared.domain.images import parse_upload_key
from shared.domain.limits import MAX_FETCH_BYTES, MAX_QUERY_BYTES
from shared.domain.ports.objects import Objects
from shared.net.fetching import fetch

BAD_REQUEST: Final = "bad_request"
"""Code of a refusal that the calling program caused, not the URL."""

Response = dict[str, Any]


class BadRequest(ValueError):  # noqa: N818
    """The request is malformed; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """A URL, and the key to store its image under; None for an inline response."""

    url: str
    key: str | None

    @classmethod
    def from_event(cls, event: Any) -> Self:
        """Parse the event that the function was invoked with.

        Raises:
            BadRequest: the event is malformed, or its key is not an upload's: this function writes nothing else.
        """
        if not isinstance(event, dict):
            raise BadRequest("The request must be a JSON object.")
        if unknown := sorted(str(name) for name in event if name not in {"url", "key"}):
            raise BadRequest(f"The request has an unknown field {unknown[0]!r}; the fields are `url` and `key`.")
        url, key = event.get("url"), event.get("key")
        if not isinstance(url, str):
            raise BadRequest("`url` must be a string.")
        if key is not None and (not isinstance(key, str) or parse_upload_key(key) is None):
            raise BadRequest("`key` must have the form uploads/<collection>/<upload_id>.")
        return cls(url, key)


class ImageFetcher:
    """Fetches images, for requests or, in one process with the caller, by its methods `store` and `read`."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def handle(self, event: Any) -> Response:
        """Fetch an image; return it, or say where it is stored or why it was refused.

        Raises:
            ClientError, BotoCoreError: S3 failed.
        """
        try:
            request = FetchRequest.from_event(event)
            if request.key:
                return _described("stored", self._store(request.url, request.key))
            data = self.read(request.url)
            return _described("fetched", data) | {"data": base64.b64encode(data).decode("ascii")}
        except BadRequest as error:
            return _refused(BAD_REQUEST, str(error))
        except FetchRefused as refused:
            return _refused(refused.code, refused.reason) | {"cause": refused.cause}
        except PictureRefused as refused:
            return _refused(refused.code, refused.reason)

    def store(self, url: str, key: str) -> None:
        """Store the image at `url`, of at most `MAX_FETCH_BYTES`, under an upload's key.

        Raises:
            PictureRefused: no image can be fetched there.
        """
        self._store(url, key)

    def read(self, url: str) -> bytes:
        """Return the bytes of the image at `url`, at most `MAX_QUERY_BYTES`.

        Raises:
            PictureRefused: no image can be fetched there.
        """
        try:
            data = fetch(url, MAX_QUERY_BYTES)
        except FetchRefused as refused:
            if refused.cause != "too_large":
                raise
            raise FetchRefused(
                "too_large",
                f"The file at the URL has more than {MAX_QUERY_BYTES:,} bytes, too many for a search by URL. Store the "
                "image with POST /v1/images, then search with the upload_id.",
            ) from refused
        sniff(data)
        return data

    def _store(self, url: str, key: str) -> bytes:
        data = fetch(url, MAX_FETCH_BYTES)
        self._objects.write(key, data, MEDIA_TYPES[sniff(data)])
        return data


def _described(status: str, data: bytes) -> Response:
    return {"status": status, "bytes": len(data), "media_type": MEDIA_TYPES[sniff(data)]}


def _refused(code: str, reason: str) -> Response:
    return {"status": "refused", "code": code, "reason": reason}
