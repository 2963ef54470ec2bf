"""Add files to a collection through the API, several at a time, and skip those whose image is there."""

import hashlib
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from stat import S_ISREG
from typing import Any, Final

from infra.operate.local_files import FoundFile
from infra.operate.parallel import in_parallel
from infra.operate.upload_client import FailureCount, ServerFailed, StorageRefused, UploadClient
from shared.domain.errors import PictureRefused
from shared.domain.formats import MEDIA_TYPES, sniff
from shared.domain.images import UploadStatus, clean_filename
from shared.domain.limits import MAX_PAGE, MAX_UPLOAD_BYTES

PARALLEL: Final = 8
"""Default number of files in progress: enough to fill the queue of a local run, and the batches of a deployment."""
SETTLE_SECONDS: Final = 900
"""How long to wait for the state of an upload; longer than a message needs for all of its attempts."""
POLL_SECONDS: Final = (0.1, 3.0)
"""First and longest wait between two looks at the state of an upload."""


class AddStatus(StrEnum):
    """What became of a file.

    `PRESENT`: the collection had its image, so nothing was sent. `SKIPPED`: it cannot be sent. `PENDING`: it was sent,
    but is not indexed yet.
    """

    INDEXED = "indexed"
    DUPLICATE = "duplicate"
    PRESENT = "present"
    REJECTED = "rejected"
    SKIPPED = "skipped"
    PENDING = "pending"


IN_COLLECTION: Final = frozenset({AddStatus.INDEXED, AddStatus.DUPLICATE, AddStatus.PRESENT})


@dataclass(frozen=True, slots=True)
class AddResult:
    """The result for one file.

    Attributes:
        code, reason: why its image is not in the collection.
        named: whether the file was named itself, and not found in a folder.
    """

    path: Path
    status: AddStatus
    image_id: str | None = None
    code: str | None = None
    reason: str | None = None
    named: bool = False

    @property
    def refused(self) -> bool:
        """Whether this is a failure; that a folder holds files that are no images is none."""
        if self.status in IN_COLLECTION:
            return False
        return self.named or self.code not in ("unsupported_type", "empty")


class NotSendable(Exception):  # noqa: N818
    """A file cannot be sent; `code` and `reason` say why."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Uploader:
    """Adds files. Files with the same bytes are sent once in a run.

    Attributes:
        all_known: whether `look_up` has listed the collection.
        unsettled: number of files that were sent and have no result yet.
    """

    def __init__(self, client: UploadClient, *, parallel: int = PARALLEL, settle: float = SETTLE_SECONDS) -> None:
        self._client = client
        self._parallel = parallel
        self._settle = settle
        self.all_known = False
        self._present: set[str] = set()
        self._running: dict[str, Future[AddResult]] = {}
        self._failures = FailureCount()
        self._lock = threading.Lock()
        self.unsettled = 0

    def look_up(self, files: int, note: Callable[[Mapping[str, Any]], None] | None = None) -> None:
        """List what the collection has, if that takes fewer calls than asking for each of so many files.

        Args:
            note: called with each image that is listed.
        """
        if self._client.count() >= files * MAX_PAGE:
            return
        for image in self._client.images():
            self._present.add(image["image_id"])
            if note:
                note(image)
        self.all_known = True

    def add_all(self, files: Iterable[FoundFile]) -> Generator[AddResult]:
        """Add files and yield the results as they come.

        Raises:
            ServerFailed: the server cannot be used.
        """
        return in_parallel(self.add, files, self._parallel, stop=self._client.stop)

    def add(self, file: FoundFile) -> AddResult:
        """Add one file, and wait until its image is indexed or refused."""
        if file.image_id in self._present:
            return AddResult(file.path, AddStatus.PRESENT, file.image_id, named=file.named)
        try:
            image_id, media_type, data = _read(file)
        except NotSendable as refused:
            return AddResult(file.path, AddStatus.SKIPPED, None, refused.code, refused.reason, file.named)
        with self._lock:
            if image_id in self._present:
                return AddResult(file.path, AddStatus.PRESENT, image_id, named=file.named)
            earlier = self._running.get(image_id)
            mine = earlier or self._running.setdefault(image_id, Future())
        if earlier:
            return _repeated(file, earlier.result())
        try:
            mine.set_result(self._send(file, image_id, media_type, data))
        except BaseException as error:
            mine.set_exception(error)
        with self._lock:
            del self._running[image_id]
            if not mine.exception() and mine.result().status in IN_COLLECTION:
                self._present.add(image_id)
        return mine.result()

    def remove(self, image_id: str) -> None:
        """Remove an image from the collection."""
        self._client.remove(image_id)
        with self._lock:
            self._present.discard(image_id)

    def _send(self, file: FoundFile, image_id: str, media_type: str, data: bytes) -> AddResult:
        """Send a file unless its image is there.

        Raises:
            ServerFailed: the server cannot be used, or failed on the last `MAX_FAILURES` files.
            Stopped: the user has stopped the command.
        """
        try:
            if not self.all_known and self._client.has(image_id):
                return AddResult(file.path, AddStatus.PRESENT, image_id, named=file.named)
            upload_id = self._client.send(clean_filename(file.name or file.path.name), media_type, data)
            with self._counted():
                state = self._wait(upload_id)
        except StorageRefused as refused:
            return AddResult(file.path, AddStatus.REJECTED, None, "storage", str(refused), file.named)
        except ServerFailed as failed:
            self._failures.failed(failed)
            return AddResult(file.path, AddStatus.REJECTED, None, "server", str(failed), file.named)
        self._failures.succeeded()
        status = AddStatus(state["status"])
        if status is AddStatus.PENDING:
            reason = f"It was sent, but not indexed within {self._settle:g} s. It may be later: upload {upload_id}."
            return AddResult(file.path, status, None, "pending", reason, file.named)
        return AddResult(file.path, status, state["image_id"], state["code"], state["reason"], file.named)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._lock:
            self.unsettled += 1
        yield
        with self._lock:
            self.unsettled -= 1

    def _wait(self, upload_id: str) -> dict[str, Any]:
        deadline = time.monotonic() + self._settle
        pause, longest = POLL_SECONDS
        while True:
            state = self._client.state(upload_id)
            if state["status"] != UploadStatus.PENDING or time.monotonic() > deadline:
                return state
            self._client.pause(pause)
            pause = min(longest, pause * 1.5)


def _read(file: FoundFile) -> tuple[str, str, bytes]:
    """Return a file's SHA-256, media type and bytes.

    Raises:
        NotSendable: it is unreadable, too large, changed or not an image.
    """
    try:
        status = file.path.stat()
        if not (file.named or S_ISREG(status.st_mode)):  # reading a pipe would wait for ever
            raise NotSendable("unreadable", "It is a pipe, a socket or a device.")
        if status.st_size > MAX_UPLOAD_BYTES:
            raise NotSendable("too_large", f"more than {MAX_UPLOAD_BYTES:,} bytes")
        data = file.path.read_bytes()
    except OSError as error:
        raise NotSendable("unreadable", error.strerror or str(error)) from error
    image_id = hashlib.sha256(data).hexdigest()
    if file.image_id not in (None, image_id):
        raise NotSendable("changed", "The file does not have the bytes that were exported.")
    try:
        return image_id, MEDIA_TYPES[sniff(data)], data
    except PictureRefused as refused:
        raise NotSendable(refused.code, refused.reason) from refused


def _repeated(file: FoundFile, earlier: AddResult) -> AddResult:
    """Return the result for a file whose bytes another file of this run has brought."""
    status = AddStatus.PRESENT if earlier.status in IN_COLLECTION else earlier.status
    return replace(earlier, path=file.path, status=status, named=file.named)
