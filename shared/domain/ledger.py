"""What is known of one object in S3: which image it holds, and since which event."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from shared.domain.images import ObjectRef


class ObjectStatus(StrEnum):
    """Where an object stands.

    `DISMISSED` is an object outside our bucket whose image was removed through the API: it is still there, and is
    only taken in again when somebody hands it in by name.
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
        revision: counts the changes; each change names the one that it follows.
        sequencer: S3's order of the newest event that was applied.
        etag: of the bytes that were read.
        code, reason: why the object was refused; of one that holds an image, why it could not be read again.
        leaving: images that the object held before, with the time (epoch seconds) since when it does not.
    """

    object: ObjectRef
    status: ObjectStatus
    image_key: ImageKey | None = None
    revision: int = 0
    sequencer: str | None = None
    etag: str | None = None
    code: str | None = None
    reason: str | None = None
    leaving: Mapping[ImageKey, int] = field(default_factory=dict)

    @property
    def held(self) -> ImageKey | None:
        """The image that the object holds now."""
        return self.image_key if self.status is ObjectStatus.HELD else None


class ConflictError(Exception):
    """Somebody else changed the entry meanwhile: read it again."""
