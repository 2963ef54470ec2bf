"""What takes several calls: uploads, waiting for them, and downloads."""

import time
from typing import Final

from pictrace import operations
from pictrace.answers import UploadState
from pictrace.errors import ImageRejected, StillPending
from pictrace.image_files import ImageFile, Progress, read_file
from pictrace.operation import Procedure
from pictrace.request import Flow, Pause, Request

WAIT_SECONDS: Final = 900.0
"""How long to wait for an upload by default; longer than the server needs for all attempts."""
FIRST_POLL_SECONDS: Final = 0.1
LONGEST_POLL_SECONDS: Final = 3.0


@Procedure
def upload(
    image: ImageFile,
    *,
    collection: str | None = None,
    filename: str | None = None,
    progress: Progress | None = None,
) -> Flow[str]:
    """Upload an image by a presigned form, and return the id of the upload, which `wait` takes.

    Raises:
        OSError: the file cannot be read.
        StorageRefused: the storage does not accept the file; it has more than 100 MiB, for example.
    """
    file = read_file(image, filename, progress)
    form = yield from operations.open_upload.flow(file.name, collection=collection)
    yield Request("POST", form["url"], form=form["fields"], files={"file": file}, repeatable=True)
    return form["upload_id"]


@Procedure
def wait(upload_id: str, *, timeout: float = WAIT_SECONDS) -> Flow[UploadState]:
    """Wait until an image is `indexed`, or found to be a `duplicate` of one that the collection has.

    Raises:
        ImageRejected: it was rejected.
        StillPending: it is still pending after `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    pause = FIRST_POLL_SECONDS
    while True:
        state = yield from operations.upload_state.flow(upload_id)
        if state["status"] == "rejected":
            raise ImageRejected(upload_id, state["code"], state["reason"])
        if state["status"] != "pending":
            return state
        if time.monotonic() + pause > deadline:
            raise StillPending(upload_id, timeout)
        yield Pause(pause)
        pause = min(1.5 * pause, LONGEST_POLL_SECONDS)


@Procedure
def add(
    image: ImageFile,
    *,
    collection: str | None = None,
    filename: str | None = None,
    progress: Progress | None = None,
    timeout: float = WAIT_SECONDS,
) -> Flow[UploadState]:
    """Upload an image and wait until it is indexed; see `upload` and `wait`."""
    upload_id = yield from upload.flow(image, collection=collection, filename=filename, progress=progress)
    return (yield from wait.flow(upload_id, timeout=timeout))


@Procedure
def download(image_id: str, *, collection: str | None = None) -> Flow[bytes]:
    """Return the bytes of an image."""
    link = yield from operations.image_link.flow(image_id, collection=collection)
    return (yield from read_link.flow(link["url"]))


@Procedure
def read_link(url: str) -> Flow[bytes]:
    """Return the bytes that a link of the API leads to, such as a `thumbnail_url`."""
    response = yield Request("GET", url, repeatable=True)
    content: bytes = response.content
    return content
