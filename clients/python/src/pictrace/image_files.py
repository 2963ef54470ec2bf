"""Images that a caller names: files, bytes, ids and URLs."""

import io
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

ImageFile = str | os.PathLike[str] | bytes | BinaryIO
"""The path of a file, its bytes, or a file that is open for reading bytes."""
AnyImage = ImageFile
"""An `ImageFile`, or a string that is an image id, an upload id, or an http(s) URL."""
Progress = Callable[[int, int], None]
"""Called with the number of bytes that are sent, and with their total."""

IMAGE_ID: Final = re.compile(r"[0-9a-f]{64}")
UPLOAD_ID: Final = re.compile(r"[0-9a-f]{32}")
URL: Final = re.compile(r"https?://", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FilePart:
    """A file to send, as a part of a multipart body."""

    name: str
    data: bytes
    progress: Progress | None = None

    def open(self) -> BinaryIO:
        """Return a new reader of the bytes, for one attempt."""
        return ReportingReader(self.data, self.progress) if self.progress else io.BytesIO(self.data)


class ReportingReader(io.BytesIO):
    """Reports how many bytes have been read."""

    def __init__(self, data: bytes, progress: Progress) -> None:
        super().__init__(data)
        self._total = len(data)
        self._progress = progress

    def read(self, size: int | None = -1) -> bytes:
        chunk = super().read(size)
        self._progress(self.tell(), self._total)
        return chunk


@dataclass(frozen=True, slots=True)
class Reference:
    """An image that the server has, or fetches: `field` is `image_id`, `upload_id` or `url`."""

    field: str
    value: str


def read_file(image: ImageFile, filename: str | None = None, progress: Progress | None = None) -> FilePart:
    """Return a file with its bytes.

    Args:
        filename: the name that the image is to have; by default that of the file.

    Raises:
        OSError: the file cannot be read.
    """
    match image:
        case bytes():
            data, name = image, None
        case str() | os.PathLike():
            data, name = Path(image).read_bytes(), Path(image).name
        case _:
            data, name = image.read(), getattr(image, "name", None)
    return FilePart(filename or (Path(name).name if isinstance(name, str) else "image"), data, progress)


def read_any(image: AnyImage) -> FilePart | Reference:
    """Return a file with its bytes, or a reference to an image.

    Raises:
        OSError: the file cannot be read.
    """
    if isinstance(image, str):
        for field, pattern in (("image_id", IMAGE_ID), ("upload_id", UPLOAD_ID)):
            if pattern.fullmatch(image):
                return Reference(field, image)
        if URL.match(image):
            return Reference("url", image)
    return read_file(image)
