"""The outcome of handling one event."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from shared.domain.images import ObjectRef
from shared.domain.ledger import ImageKey
from shared.domain.matches import Comparison


class OutcomeStatus(StrEnum):
    """`SUPERSEDED`: a newer event of the object was handled first. `FETCHED`: the object's own event follows. `TRASHED`
    and `RESTORED`: the API has moved the image into the trash, or out of it."""

    INDEXED = "indexed"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"
    REMOVED = "removed"
    SUPERSEDED = "superseded"
    FETCHED = "fetched"
    TRASHED = "trashed"
    RESTORED = "restored"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An earlier image that a new image is a near-duplicate of."""

    image_id: str
    comparison: Comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The outcome of one event.

    Attributes:
        image_key: the image that the object holds, or held before its removal.
        vanished: images that no object of their collection holds any more.
        code, reason: why an image was rejected, or an event was ignored.
        restored: whether an image that was indexed had been in the trash.
        neighbour: the nearest near-duplicate among the earlier images that it was compared with, if there is one.
    """

    status: OutcomeStatus
    object: ObjectRef | None = None
    collection: str | None = None
    image_key: ImageKey | None = None
    upload_id: str | None = None
    filename: str | None = None
    url: str | None = None
    vanished: Sequence[ImageKey] = ()
    code: str | None = None
    reason: str | None = None
    restored: bool = False
    neighbour: Neighbour | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
