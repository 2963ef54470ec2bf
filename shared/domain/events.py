"""The events that ingest handles."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from shared.domain.images import ObjectRef
from shared.domain.ledger import ImageKey
from shared.domain.people.ports import Task

SUBMITTED: Final = "Image Submitted"
"""Detail type of the events by which other services submit images over the event bus."""

PURGE_TRASH: Final[Mapping[str, Mapping[str, str]]] = {"purge_trash": {}}
"""The message by which a schedule has the trash purged."""


@dataclass(frozen=True, slots=True)
class Created:
    """An object was created or overwritten, or somebody submits it by name.

    Attributes:
        sequencer: hexadecimal value by which S3 orders the events of one key; None if the event has none.
        collection: the collection for its image; with None the object's ledger entry or its key decides.
        metadata: values of the sender, repeated in the published events.
    """

    object: ObjectRef
    sequencer: str | None = None
    collection: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Removed:
    """An object was removed.

    Attributes:
        one_version: whether only the version that `object` names was deleted, which may be an old one.
    """

    object: ObjectRef
    sequencer: str | None = None
    one_version: bool = False


@dataclass(frozen=True, slots=True)
class UrlSubmitted:
    """Somebody submits the image at a URL."""

    url: str
    collection: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reindex:
    """A stored image must also be described by another model."""

    image_key: ImageKey
    model: str


@dataclass(frozen=True, slots=True)
class DuplicateCheck:
    """An image must be compared again: the vector index did not have it yet, or its group has changed.

    Attributes:
        object: the object that brought the image; None if a change of its group is the reason.
        metadata: values of the sender, repeated in the published event.
        attempt: number of checks before this one, or of changes of groups that led to it.
        unready_since: when a vector index was first found not to be ready, ISO 8601 in UTC; None if the last check
            found it ready, or there was none.
    """

    image_key: ImageKey
    object: ObjectRef | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    attempt: int = 0
    unready_since: str | None = None


@dataclass(frozen=True, slots=True)
class DuplicateScanStep:
    """A page of a collection must be compared again.

    Attributes:
        cursor: of the page in the listing; None for the first.
        done: number of images compared before.
        unready_since: see `DuplicateCheck`, of this page.
    """

    collection: str
    scan_id: str
    cursor: str | None = None
    done: int = 0
    unready_since: str | None = None


@dataclass(frozen=True, slots=True)
class FindFaces:
    """The faces of a stored image must be found."""

    image_key: ImageKey


@dataclass(frozen=True, slots=True)
class FaceScan:
    """The faces of a page of a collection's images must be found.

    Attributes:
        cursor: of the page in the listing; None for the first.
    """

    collection: str
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class PurgeTrash:
    """Images in the trash must be removed for good.

    Attributes:
        collection: the only collection whose trash is purged; None for all.
        before: purge what was deleted before this time, ISO 8601 in UTC; None for what was deleted long enough ago.
    """

    collection: str | None = None
    before: str | None = None


@dataclass(frozen=True, slots=True)
class TrashChanged:
    """An image is moved into the trash, or restored, which others must follow and are to be told of.

    Attributes:
        at: when the message was sent, before the move; None if an earlier version sent it, after the move.
    """

    image_key: ImageKey
    restored: bool
    at: str | None = None


@dataclass(frozen=True, slots=True)
class PeopleTask:
    """Faces or persons must be brought up to date."""

    task: Task


@dataclass(frozen=True, slots=True)
class DelayedTask:
    """A task on people has waited for a vector index, outside its queue, which delays no message by itself."""

    task: Task


@dataclass(frozen=True, slots=True)
class Ignored:
    """An event that requires no action, with the reason."""

    reason: str


IngestEvent = (
    Created
    | Removed
    | UrlSubmitted
    | Reindex
    | DuplicateCheck
    | DuplicateScanStep
    | FindFaces
    | FaceScan
    | PurgeTrash
    | TrashChanged
    | PeopleTask
    | DelayedTask
    | Ignored
)


def happened_before(sequencer: str | None, by: str | None) -> bool:
    """Return whether the event of `sequencer` happened before the one of `by`; False if either is missing.

    S3 documents sequencers as hexadecimal strings, compared after padding the shorter with zeros on the right:
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    """
    if not sequencer or not by:
        return False
    width = max(len(sequencer), len(by))
    return sequencer.upper().ljust(width, "0") < by.upper().ljust(width, "0")
