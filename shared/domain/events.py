"""What a message may report: an object came or went, or an image waits at an address."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from shared.domain.images import ObjectRef
from shared.domain.ledger import ImageKey

SUBMITTED: Final = "Image Submitted"
"""Detail type of the events with which others hand in images over the bus."""


@dataclass(frozen=True, slots=True)
class Created:
    """An object was written.

    Attributes:
        sequencer: S3's order of the events of one key, hexadecimal; None where the sender knows none.
        collection: where its image goes; None leaves it to the object's key or to what holds it already.
        metadata: the sender's own words, echoed in the outgoing events.
    """

    object: ObjectRef
    sequencer: str | None = None
    collection: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Removed:
    """An object was removed.

    Attributes:
        one_version: only the version that `object` names was destroyed, perhaps an old one.
    """

    object: ObjectRef
    sequencer: str | None = None
    one_version: bool = False


@dataclass(frozen=True, slots=True)
class UrlSubmitted:
    """An image waits at a URL."""

    url: str
    collection: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reindex:
    """A stored image is to be described by another model too."""

    image_key: ImageKey
    model: str


@dataclass(frozen=True, slots=True)
class DuplicateCheck:
    """An image was stored while the vector index could not be searched; it is still to be compared with earlier ones.

    Attributes:
        object: what brought the image.
        since: when the check was due at first, ISO 8601 in UTC.
        metadata: the sender's own words, echoed in the outgoing event.
    """

    image_key: ImageKey
    object: ObjectRef
    since: str
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ignored:
    """An event that asks for nothing, and why."""

    reason: str


IngestEvent = Created | Removed | UrlSubmitted | Reindex | DuplicateCheck | Ignored


def happened_before(sequencer: str | None, by: str | None) -> bool:
    """Whether the event of `sequencer` happened before the one of `by`; without both nothing can be said.

    S3 documents them as hexadecimal, compared as text after the shorter is padded with zeros on the right:
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    """
    if not sequencer or not by:
        return False
    width = max(len(sequencer), len(by))
    return sequencer.upper().ljust(width, "0") < by.upper().ljust(width, "0")
