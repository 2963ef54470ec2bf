"""Read the bytes of a stored image from any object that holds them."""

import hashlib
from collections.abc import Callable

from shared.domain.errors import PictureRefused, Unreadable
from shared.domain.images import ImageRecord
from shared.domain.limits import MAX_UPLOAD_BYTES
from shared.domain.ports.objects import Objects


def read_bytes(record: ImageRecord, objects: Objects, reserve: Callable[[int], None] | None = None) -> bytes:
    """Return the bytes of an image, which are checked against its id: an object may have been replaced.

    Args:
        reserve: see `Objects.read`.

    Raises:
        PictureRefused: no object holds them, with the reason of one of them.
    """
    refusals: list[PictureRefused] = []
    for source in record.sources:
        try:
            data = objects.read(source, MAX_UPLOAD_BYTES, reserve).data
        except PictureRefused as refused:
            refusals.append(refused)  # a removal has its own event
            continue
        if hashlib.sha256(data).hexdigest() == record.image_id:
            return data
    refusals.sort(key=lambda refused: not isinstance(refused, Unreadable))
    raise refusals[0] if refusals else PictureRefused("gone", "No object holds the bytes of this image any more.")
