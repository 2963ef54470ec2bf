"""The calls of the API that adding and removing images needs, repeated while the server is busy."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any, Final, Self

import httpx

from shared.domain.limits import MAX_PAGE

TIMEOUT_SECONDS: Final = 60
PATIENCE_SECONDS: Final = 180
"""How long a call is repeated while the server is busy or cannot be reached, before the command gives up."""
UNKNOWN_SECONDS: Final = 10
"""The same for a server that has never answered: its address may be wrong."""
MAX_FAILURES: Final = 5
"""Number of images in a row on which the server may fail before the command ends."""
FIRST_WAIT_SECONDS: Final = 0.25
LONGEST_WAIT_SECONDS: Final = 15.0

_BUSY: Final = {
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}


class Stopped(Exception):  # noqa: N818
    """The user has stopped the command."""


class ServerFailed(Exception):  # noqa: N818
    """The server failed on a call; the message says how.

    Attributes:
        lasting: whether every other call would fail as well.
        denied: whether it asks for a key, or for another one.
    """

    def __init__(self, message: str, *, lasting: bool, denied: bool = False) -> None:
        super().__init__(message)
        self.lasting = lasting
        self.denied = denied


class StorageRefused(Exception):  # noqa: N818
    """The storage does not accept this file."""


class FailureCount:
    """Counts the images in a row on which the server failed."""

    def __init__(self) -> None:
        self._failures = 0

    def failed(self, failure: ServerFailed) -> None:
        """Count a failure.

        Raises:
            ServerFailed: this one, if every other call would fail as well, or it is the last of `MAX_FAILURES`.
        """
        self._failures += 1
        if failure.lasting or self._failures >= MAX_FAILURES:
            raise failure

    def succeeded(self) -> None:
        self._failures = 0


class UploadClient:
    """A client for one collection, which several threads may share.

    Args:
        url: address of the API.
        key: an API key or a token; None if the API is open.
    """

    def __init__(self, url: str, key: str | None, collection: str, *, patience: float | None = None) -> None:
        self.url = url
        self.collection = collection
        self._where = {"collection": collection}
        self._patience = PATIENCE_SECONDS if patience is None else patience
        self._stopped = threading.Event()
        self._answered = False
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=64)
        self._api = httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT_SECONDS, limits=limits)
        self._storage = httpx.Client(timeout=TIMEOUT_SECONDS, limits=limits)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._api.close()
        self._storage.close()

    def stop(self) -> None:
        """Make all waiting calls, and all later ones, raise Stopped."""
        self._stopped.set()

    def pause(self, seconds: float) -> None:
        """Wait.

        Raises:
            Stopped: the user has stopped the command.
        """
        if self._stopped.wait(seconds):
            raise Stopped

    def count(self) -> int:
        """Return the number of images in the collection, or a lower bound of it."""
        return int(self.stats()["images"])

    def stats(self) -> dict[str, Any]:
        """Return what the API says of the collection: its title, and a lower bound of the number of its images."""
        return self._json("GET", "/v1/stats", params=self._where)

    def images(self, **parameters: str) -> Iterator[dict[str, Any]]:
        """Yield all images in the collection, in the order that `parameters` name or newest first."""
        return self._pages("/v1/images", "images", limit=MAX_PAGE, **parameters)

    def has(self, image_id: str) -> bool:
        answer = self._call("GET", f"/v1/images/{image_id}", params=self._where)
        return answer.status_code != HTTPStatus.NOT_FOUND and bool(checked(answer))

    def send(self, name: str, media_type: str, data: bytes) -> str:
        """Upload an image by a presigned form, and return the upload's id.

        Raises:
            StorageRefused: the storage does not accept the file.
        """
        request = {"filename": name, "content_type": media_type, "collection": self.collection}
        form = self._json("POST", "/v1/uploads", json=request)
        files = {"file": (name, data, media_type)}
        sent = self._repeat(lambda: self._storage.post(form["url"], data=form["fields"], files=files))
        if sent.is_error:
            raise StorageRefused(f"The storage answered {sent.status_code}: {' '.join(sent.text.split())[:200]}")
        return str(form["upload_id"])

    def state(self, upload_id: str) -> dict[str, Any]:
        return self._json("GET", f"/v1/uploads/{upload_id}")

    def remove(self, image_id: str) -> None:
        """Remove an image from the collection, if it is there."""
        answer = self._call("DELETE", f"/v1/images/{image_id}", params=self._where)
        if answer.status_code != HTTPStatus.NOT_FOUND:
            checked(answer)

    def _pages(self, path: str, name: str, **parameters: str | int) -> Iterator[dict[str, Any]]:
        """Yield the entries of all pages of a listing."""
        cursor: dict[str, str] = {}
        while True:
            page = self._json("GET", path, params={**self._where, **parameters, **cursor})
            yield from page[name]
            if page["cursor"] is None:
                return
            cursor = {"cursor": page["cursor"]}

    def _json(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        parsed: dict[str, Any] = checked(self._call(method, path, **request))
        return parsed

    def _call(self, method: str, path: str, **request: Any) -> httpx.Response:
        return self._repeat(lambda: self._api.request(method, path, **request))

    def _repeat(self, call: Callable[[], httpx.Response]) -> httpx.Response:
        """Make a call again while the server is busy, as late as `Retry-After` says.

        Raises:
            ServerFailed: it could not be reached for `patience` seconds, or never answered.
            Stopped: the user has stopped the command.
        """
        started = time.monotonic()
        wait = FIRST_WAIT_SECONDS
        while True:
            self.pause(0)
            answer, cause = None, ""
            try:
                answer = call()
                self._answered = True
            except httpx.TransportError as error:
                cause = f"{self.url} cannot be reached: {error or type(error).__name__}"
            if answer is not None and answer.status_code not in _BUSY:
                return answer
            asked = _retry_after(answer)
            patience = self._patience if self._answered else min(self._patience, UNKNOWN_SECONDS)
            if time.monotonic() + max(wait, asked) > started + patience:
                if answer is not None:
                    return answer
                raise ServerFailed(cause, lasting=True)
            self.pause(max(wait, asked) * random.uniform(1, 1.3))  # noqa: S311 - jitter
            wait = min(2 * wait, LONGEST_WAIT_SECONDS)


def checked(answer: httpx.Response) -> Any:
    """Return the JSON of an answer, or None if it has none.

    Raises:
        ServerFailed: the answer is an error; the message is its detail.
    """
    try:
        body = answer.json() if answer.content else None
    except ValueError:
        body = None
    if answer.is_error or (body is None and answer.status_code != HTTPStatus.NO_CONTENT):
        detail = body.get("detail") or body.get("message") if isinstance(body, dict) else None
        said = detail or " ".join(answer.text.split())[:200]
        raise ServerFailed(
            f"{answer.request.url.path} answered {answer.status_code}: {said}",
            lasting=answer.status_code != HTTPStatus.INTERNAL_SERVER_ERROR,
            denied=answer.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN),
        )
    return body


def _retry_after(answer: httpx.Response | None) -> float:
    value = answer.headers.get("Retry-After", "") if answer is not None else ""
    return float(value) if value.isdigit() else 0.0
