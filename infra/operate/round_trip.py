"""One image's round trip through a running PicTrace: the steps that `smoke` times."""

import hashlib
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, Protocol

import httpx

from infra.operate.drawing import altered_copy, unique_image
from shared.domain.images import UploadStatus, upload_key
from shared.domain.matches import Verdict

REQUEST_SECONDS: Final = 35
"""API Gateway answers within 30 s."""
POLL_SECONDS: Final = 0.25
FOUND_VERDICTS: Final = (Verdict.IDENTICAL, Verdict.NEAR_DUPLICATE, Verdict.VARIANT)
"""Verdicts that show that the search works; a few copies of random drawings are rated variants."""


class StepFailed(Exception):  # noqa: N818
    """A step failed; the message says what the system answered instead."""


class Operator(Protocol):
    """What the stack's operator can do and a caller of the API cannot."""

    def create_key(self, collection: str) -> str: ...
    def delete_key(self) -> None: ...
    def remove_object(self, key: str) -> None: ...


class RoundTrip:
    """Upload, find and delete one image that is unique to this run.

    Args:
        url: address of the API.
        key: an API key or a token; None if the API is open or `operator` creates a key.
        patience: seconds to wait until the image is indexed, and again until it is found.
        operator: of the stack behind the API, or None if the caller is not its operator.
    """

    def __init__(
        self,
        url: str,
        key: str | None,
        *,
        collection: str,
        patience: float,
        operator: "Operator | None" = None,
    ) -> None:
        self._client = httpx.Client(base_url=url, timeout=REQUEST_SECONDS, follow_redirects=True)
        self._key = key
        self._operator = operator
        self._params = {"collection": collection}
        self._collection = collection
        self._patience = patience
        self._image = unique_image()
        self.image_id: Final = hashlib.sha256(self._image).hexdigest()
        self._upload_id: str | None = None
        self._deleted = False

    def health(self) -> str:
        health = self._json("GET", "/health")
        if health.get("status") != "ok":
            raise StepFailed(f"/health says {health}")
        return f"version {health['version']}"

    def key(self) -> str:
        access = "the key is accepted"
        if self._key is None and self._operator:
            self._key, access = self._operator.create_key(self._collection), "a temporary key is accepted"
        if self._key is None:
            access = "the API is open"
        else:
            self._client.headers["Authorization"] = f"Bearer {self._key}"
        answer = self._client.get("/v1/stats", params=self._params)
        if answer.status_code == httpx.codes.UNAUTHORIZED and self._key is None:
            raise StepFailed("this API is closed: pass a key with --key")
        stats = _parsed(answer)
        return f"{access}; model {stats['model']['id']}"

    def upload(self) -> str:
        request = {"filename": "smoke.png", "content_type": "image/png", **self._params}
        form = self._json("POST", "/v1/uploads", json=request)
        self._upload_id = form["upload_id"]
        files = {"file": ("smoke.png", self._image)}
        sent = httpx.post(form["url"], data=form["fields"], files=files, timeout=REQUEST_SECONDS)
        if sent.is_error:
            raise StepFailed(f"S3 answered {sent.status_code} to the presigned form: {_shortened(sent.text)}")
        return f"{len(self._image):,} bytes of PNG into collection {self._collection}"

    def index(self) -> str:
        state: dict[str, Any] = {}

        def settled() -> bool:
            state.update(self._json("GET", f"/v1/uploads/{self._upload_id}"))
            return bool(state["status"] != UploadStatus.PENDING)

        if not self._poll_until(settled):
            raise StepFailed(
                f"the upload is still pending after {self._patience:g} s; for the reason, see the ingest function's log"
            )
        if (state["status"], state["image_id"]) != (UploadStatus.INDEXED, self.image_id):
            raise StepFailed(f"the upload ended as {state['status']}: {state['reason'] or state['image_id']}")
        return f"image {self.image_id[:12]}…"

    def search(self) -> str:
        """Search until the image is found: the index lags behind the table, and answers 503 while it is being built."""
        copy = altered_copy(self._image)
        answer: dict[str, Any] = {}

        def found() -> bool:
            sent = self._client.post("/v1/search", params=self._params, files={"file": ("copy.jpg", copy)})
            if sent.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                answer.clear()
                answer.update(_parsed(sent))
            return any(match["image_id"] == self.image_id for match in answer.get("matches", []))

        if not self._poll_until(found):
            result = f"{len(answer['matches'])} other matches" if answer else "503, a vector index is being built"
            raise StepFailed(f"the image was not found within {self._patience:g} s; the last answer: {result}")
        match = next(match for match in answer["matches"] if match["image_id"] == self.image_id)
        if match["verdict"] not in FOUND_VERDICTS:
            raise StepFailed(f"the altered copy was only rated {match['verdict']} (score {match['score']:.2f})")
        return f"an altered copy is a {match['verdict']}, score {match['score']:.2f}"

    def delete(self) -> str:
        self._delete()
        answer = self._client.get(f"/v1/images/{self.image_id}", params=self._params)
        if answer.status_code != httpx.codes.NOT_FOUND:
            raise StepFailed(f"after the deletion, the image's address answered {answer.status_code}, not 404")
        self._purge()
        self._deleted = True
        return "the image is gone"

    def clean_up(self) -> str:
        """Remove what remains of the image and the key, whichever step was the last.

        Raises:
            StepFailed: something may remain; the message says what.
        """
        try:
            image = self._remove_image()
        finally:
            self._client.close()
            if self._operator:
                self._operator.delete_key()
        return image

    def _remove_image(self) -> str:
        if self._upload_id is None:
            return "there was nothing to remove"
        if self._deleted:
            return "nothing is left"
        with suppress(httpx.HTTPError):
            answer = self._client.delete(f"/v1/images/{self.image_id}", params=self._params)
            if answer.status_code == httpx.codes.NO_CONTENT:
                self._purge()
                return "the image was removed"
        if self._operator:
            self._operator.remove_object(upload_key(self._collection, self._upload_id))
            return "the uploaded object was removed"
        raise StepFailed(
            f"upload {self._upload_id} may be indexed later. If it is, send "
            f"DELETE /v1/images/{self.image_id}?collection={self._collection}"
        )

    def _delete(self) -> None:
        answer = self._client.delete(f"/v1/images/{self.image_id}", params=self._params)
        if answer.status_code != httpx.codes.NO_CONTENT:
            _parsed(answer)
            raise StepFailed(f"the deletion was answered with {answer.status_code}, not 204")

    def _purge(self) -> None:
        """Remove the deleted image from the trash, if the deployment has one."""
        self._client.delete(f"/v1/trash/{self.image_id}", params=self._params)

    def _poll_until(self, done: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + self._patience
        while not done():
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_SECONDS)
        return True

    def _json(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        return _parsed(self._client.request(method, path, **request))


def _parsed(answer: httpx.Response) -> dict[str, Any]:
    """Return the JSON object of an answer.

    Raises:
        StepFailed: the answer is an error or not a JSON object.
    """
    try:
        body = answer.json()
    except ValueError:
        body = None
    if answer.is_error or not isinstance(body, dict):
        detail = body.get("detail") or body.get("message") if isinstance(body, dict) else _shortened(answer.text)
        raise StepFailed(f"{answer.request.url.path} answered {answer.status_code}: {detail}")
    return body


def _shortened(text: str) -> str:
    return " ".join(text.split())[:200]
