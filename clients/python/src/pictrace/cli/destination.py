"""Add files to a collection, unless their images are there."""

import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import Self

from pictrace.cli.common import EXIT_SERVER, exit_code
from pictrace.client import AsyncClient
from pictrace.errors import ApiError, Forbidden, ImageRejected, NotFound, PicTraceError, StillPending
from pictrace.image_files import Progress


@dataclass(frozen=True, slots=True)
class Added:
    """What became of a file.

    Attributes:
        status: `indexed`; `duplicate`: the collection had its image; `present`: the same, and nothing was sent;
            `rejected`; `pending`: it was sent, but is not indexed yet.
        code, reason: why its image is not in the collection.
    """

    path: str
    status: str
    image_id: str | None = None
    code: str | None = None
    reason: str | None = None


class Refused(Exception):  # noqa: N818
    """A file cannot be sent; `code` and `reason` say why."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Destination:
    """A collection.

    Attributes:
        collection: as the caller named it.
        known_as: its name; None if the key may not read, so that it is not known which images the collection has.
        max_bytes: the size of the largest file that the server takes.
    """

    api: AsyncClient
    collection: str | None
    known_as: str | None = None
    max_bytes: int = sys.maxsize

    @classmethod
    async def find(cls, api: AsyncClient, collection: str | None) -> Self:
        try:
            stats = await api.stats(collection=collection)
        except Forbidden:
            return cls(api, collection)
        return cls(api, collection, stats["collection"], stats["limits"]["max_upload_bytes"])

    async def add(self, file: Path, progress: Progress) -> Added:
        """Add a file, and wait until its image is indexed.

        Raises:
            PicTraceError: the server cannot be used.
        """
        try:
            data = self._read(file)
            image_id = hashlib.sha256(data).hexdigest()
            if await self._has(image_id):
                return Added(str(file), "present", image_id)
            state = await self.api.add(data, filename=file.name, collection=self.collection, progress=progress)
        except Refused as refused:
            return Added(str(file), "rejected", None, refused.code, refused.reason)
        except PicTraceError as error:
            return _failed(file, error)
        return Added(str(file), state["status"], state["image_id"])

    def _read(self, file: Path) -> bytes:
        try:
            status = file.stat()
            if not S_ISREG(status.st_mode):  # reading a pipe would wait for ever
                raise Refused("unreadable", "It is not a regular file.")
            if status.st_size > self.max_bytes:
                raise Refused("too_large", f"It has more than {self.max_bytes:,} bytes.")
            return file.read_bytes()
        except OSError as error:
            raise Refused("unreadable", error.strerror or str(error)) from error

    async def _has(self, image_id: str) -> bool:
        if self.known_as is None:
            return False
        try:
            await self.api.get_image(image_id, collection=self.known_as)
        except NotFound:
            return False
        return True


def _failed(file: Path, error: PicTraceError) -> Added:
    """Return the result of a file that failed.

    Raises:
        PicTraceError: every other file would fail too.
    """
    match error:
        case StillPending():
            return Added(str(file), "pending", None, "pending", str(error))
        case ImageRejected():
            return Added(str(file), "rejected", None, error.code, str(error))
        case _ if exit_code(error) == EXIT_SERVER:
            raise error
        case ApiError():
            return Added(str(file), "rejected", None, error.type.rsplit(":", 1)[-1], str(error))
        case _:
            return Added(str(file), "rejected", None, "storage", str(error))
