"""Images, signatures and thumbnails as files below one folder."""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Final
from urllib.parse import quote_plus

from shared.domain.errors import NotFound, PictureRefused
from shared.domain.images import UPLOADS_PREFIX, ObjectRef, UploadStatus
from shared.domain.ports.objects import Fetched
from shared.embedded.database import Database
from shared.embedded.disk import sync, sync_folder
from shared.embedded.links import Links
from shared.embedded.queue import Queue

SCHEMA: Final = """
CREATE TABLE rejected_objects (
    key TEXT PRIMARY KEY,
    rejected_at REAL NOT NULL
) WITHOUT ROWID;
"""

BUCKET: Final = "local"
"""The name that the folder has in references to its objects."""
INCOMPLETE: Final = ".incomplete"
"""Subfolder of the files that are being written."""
REMOVAL_DELAY_SECONDS: Final = 1
"""The message of a removal is stored before the file is deleted, and must be handled after."""


class FolderObjects:
    """The objects below a folder. Creating or deleting one below `uploads/` also queues the event that S3 would send.

    An object is complete or absent, whenever the process dies, and durable once it is stored. The last part of its key
    names the file, the first two characters of that part an intermediate folder.
    """

    def __init__(
        self, folder: Path, database: Database, queue: Queue, links: Links, clock: Callable[[], float] = time.time
    ) -> None:
        self._folder = folder
        self._database = database
        self._queue = queue
        self._links = links
        self._clock = clock
        self._incomplete = folder / INCOMPLETE
        shutil.rmtree(self._incomplete, ignore_errors=True)
        _make_folder(self._incomplete)

    @property
    def origin(self) -> str:
        """Links lead to the page's own origin."""
        return "'self'"

    def path(self, key: str) -> Path:
        """Return the file of an object.

        Raises:
            NotFound: no object can have this key.
        """
        *folders, name = key.split("/")
        for part in (*folders, name):
            if not part or part.startswith(".") or not part.isprintable() or set(part) & set('\\:*?"<>|'):
                raise NotFound(f"there is no object with the key {key!r}")
        return self._folder.joinpath(*folders, name[:2], name)

    def read(self, source: ObjectRef, limit: int, reserve: Callable[[int], None] | None = None) -> Fetched:
        """Read an object; return its bytes with their ETag.

        Raises:
            PictureRefused: `gone` if the object does not exist, `too_large` if it has more than `limit` bytes.
        """
        try:
            with self.path(source.key).open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                if size > limit:
                    raise PictureRefused("too_large", f"The file has {size:,} bytes; at most {limit:,} are accepted.")
                if reserve:
                    reserve(size)
                data = file.read(size)
        except FileNotFoundError as error:
            raise PictureRefused("gone", "The object was removed before it could be read.") from error
        return Fetched(data, _etag(data), None)

    def present(self, source: ObjectRef) -> bool:
        return source.bucket == BUCKET and self.exists(source.key)

    def etag(self, source: ObjectRef) -> str | None:
        try:
            path = self.path(source.key)
            status = path.stat()
            return _etag_of_file(path, status.st_ino, status.st_size, status.st_mtime_ns)
        except FileNotFoundError:
            return None

    def get(self, key: str) -> bytes | None:
        """Return the bytes under `key`, or None."""
        try:
            return self.path(key).read_bytes()
        except FileNotFoundError:
            return None

    def exists(self, key: str) -> bool:
        return self.path(key).is_file()

    def write(self, key: str, data: bytes, media_type: str) -> None:  # noqa: ARG002 - a link states the type
        with self.receiving(key) as file:
            file.write(data)

    @contextmanager
    def receiving(self, key: str) -> Iterator[IO[bytes]]:
        """Yield a file to write to. At the end it becomes the object; an exception discards it.

        The object and the message that announces it are stored in one step: a process that dies before the end has
        stored neither, or only the file, which `announce_pending` finds.
        """
        path = self.path(key)
        with NamedTemporaryFile(dir=self._incomplete, delete=False) as file:
            try:
                yield file
                file.flush()
                sync(file.fileno())
                _make_folder(path.parent)
                if key.startswith(UPLOADS_PREFIX):
                    with self._database.transaction() as connection:
                        connection.execute("DELETE FROM rejected_objects WHERE key = ?", (key,))
                        self._queue.send(notification("ObjectCreated:Post", key))
                        _move(Path(file.name), path)
                    self._queue.wake()
                else:
                    _move(Path(file.name), path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise

    def announce_pending(self) -> int:
        """Queue the event of each upload whose file was stored just before the process died; return their number.

        Call it while nothing is being uploaded or processed.
        """
        with self._database.transaction() as connection:
            keys = connection.execute(
                "SELECT key FROM uploads WHERE status = ? AND bucket = ?", (UploadStatus.PENDING, BUCKET)
            ).fetchall()
            queued = {body for (body,) in connection.execute("SELECT body FROM messages")} if keys else set()
            bodies = (notification("ObjectCreated:Post", key) for (key,) in keys if self.exists(key))
            lost = [body for body in bodies if body not in queued]
            for body in lost:
                self._queue.send(body)
        return len(lost)

    def delete(self, key: str, version: str | None = None) -> None:  # noqa: ARG002 - there are no versions
        """Delete an object; deleting one that does not exist is not an error."""
        path = self.path(key)
        if not path.is_file():
            return
        upload = key.startswith(UPLOADS_PREFIX)
        if upload:
            self._queue.send(notification("ObjectRemoved:Delete", key), delay_seconds=REMOVAL_DELAY_SECONDS)
        with suppress(FileNotFoundError):
            path.unlink()
        sync_folder(path.parent)
        if upload:  # not before: `expire` would no longer find a file that a dying process leaves
            with self._database.transaction() as connection:
                connection.execute("DELETE FROM rejected_objects WHERE key = ?", (key,))

    def mark_rejected(self, source: ObjectRef) -> None:
        """Note that an upload was refused, so that `expire` deletes its file."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO rejected_objects (key, rejected_at) VALUES (?, ?)", (source.key, self._clock())
            )

    def expire(self, days: float) -> int:
        """Delete the refused uploads that are older than `days`; return their number."""
        oldest = self._clock() - days * 86_400
        with self._database.read() as connection:
            rows = connection.execute("SELECT key FROM rejected_objects WHERE rejected_at < ?", (oldest,)).fetchall()
        for (key,) in rows:
            self.delete(key)
        with self._database.transaction() as connection:
            connection.executemany("DELETE FROM rejected_objects WHERE key = ?", rows)
        return len(rows)

    def link(self, source: ObjectRef, media_type: str, download_as: str | None = None) -> str:
        """Return a signed link that shows an image with `media_type`, or saves it under the name `download_as`."""
        return self._links.link(source.key, media_type, download_as)

    def lasting_link(self, key: str, media_type: str) -> str:
        return self._links.lasting_link(key, media_type)

    def open_upload(self, key: str, media_type: str) -> tuple[str, dict[str, str]]:
        """Return URL and fields of a form that accepts one image, with this key and media type only."""
        return self._links.form(key, media_type)


def notification(event: str, key: str) -> str:
    """Return the message by which S3 would announce an event of an object.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    """
    entry = {"bucket": {"name": BUCKET}, "object": {"key": quote_plus(key, safe="/")}}
    return json.dumps({"Records": [{"eventName": event, "s3": entry}]})


def _etag(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


@lru_cache(maxsize=4096)
def _etag_of_file(path: Path, *_status: int) -> str:
    return _etag(path.read_bytes())


def _move(file: Path, path: Path) -> None:
    file.replace(path)
    sync_folder(path.parent)


def _make_folder(folder: Path) -> None:
    """Create a folder, durably, with those above it."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)
