"""The ledger's entry of one S3 object: which image the object holds, and as of which event."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from shared.domain.images import ObjectRef


class ObjectStatus(StrEnum):
    """The status of an object.

    `DISMISSED` means that the image of an object in a source bucket was removed through the API. The object still
    exists, but is only indexed again when somebody submits it by name.
    """

    HELD = "held"
    REJECTED = "rejected"
    REMOVED = "removed"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True)
class ImageKey:
    """One image in one collection."""

    collection: str
    image_id: str


@dataclass(frozen=True, slots=True)
class ObjectState:
    """An object's entry in the ledger.

    Attributes:
        image_key: the image that the object brought; kept after a removal, to clean up after a worker that died.
        revision: number of changes; each change is conditional on the revision that it follows.
        sequencer: sequencer of the newest event that was applied.
        etag: ETag of the bytes that were read.
        code, reason: why the object was rejected, or, if it holds an image, why it could not be read again.
        former_images: images that the object held before, with the time (epoch seconds) when it ceased to hold them.
    """

    object: ObjectRef
    status: ObjectStatus
    image_key: ImageKey | None = None
    revision: int = 0
    sequencer: str | None = None
    etag: str | None = None
    code: str | None = None
    reason: str | None = None
    former_images: Mapping[ImageKey, int] = field(default_factory=dict)

    @property
    def held(self) -> ImageKey | None:
        """The image that the object holds now."""
        return self.image_key if self.status is ObjectStatus.HELD else None


class ConflictError(Exception):
    """Another worker changed the entry in the meantime; read it again and retry."""
