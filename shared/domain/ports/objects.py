"""Objects: images, signatures and thumbnails."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from shared.domain.images import ObjectRef


@dataclass(frozen=True, slots=True)
class Fetched:
    """The bytes of an object with their ETag and version."""

    data: bytes
    etag: str
    version: str | None


class Signatures(Protocol):
    """Reads signatures."""

    def get(self, key: str) -> bytes | None: ...


class Objects(Signatures, Protocol):
    """Stores images, signatures and thumbnails as objects."""

    def read(self, source: ObjectRef, limit: int, reserve: Callable[[int], None] | None = None) -> Fetched:
        """Return the bytes of an object.

        Args:
            limit: maximum number of bytes.
            reserve: called with the number of bytes before they are read; it may wait until there is memory for them.
        """
        ...

    def present(self, source: ObjectRef) -> bool: ...
    def etag(self, source: ObjectRef) -> str | None: ...
    def write(self, key: str, data: bytes, media_type: str) -> None: ...
    def exists(self, key: str) -> bool: ...
    def delete(self, key: str, version: str | None = None) -> None: ...
    def mark_rejected(self, source: ObjectRef) -> None: ...
    def link(self, source: ObjectRef, media_type: str, download_as: str | None = None) -> str:
        """Return a short-lived URL that shows an image, or saves it under the name `download_as`."""
        ...

    def lasting_link(self, key: str, media_type: str) -> str: ...


class WebObjects(Objects, Protocol):
    """Objects that browsers upload and load by themselves."""

    @property
    def origin(self) -> str:
        """Where links and forms lead, as a source of a Content-Security-Policy."""
        ...

    def open_upload(self, key: str, media_type: str) -> tuple[str, dict[str, str]]:
        """Return URL and fields of a form that accepts one image, with this key and media type only."""
        ...
