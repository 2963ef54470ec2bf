"""The events that report outcomes on the bus: their schemas, and how they are published."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.domain.images import COLLECTION_PATTERN, IMAGE_ID_PATTERN
from shared.domain.matches import Verdict
from shared.domain.outcomes import Outcome, OutcomeStatus
from shared.domain.people import ports

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

SOURCE: Final = "pictrace"
"""The source of every event that PicTrace publishes."""

_MAX_ENTRIES: Final = 10
"""Maximum number of entries in a PutEvents call."""

ImageId = Annotated[str, Field(pattern=IMAGE_ID_PATTERN, description="SHA-256 of the image's bytes")]
Collection = Annotated[str, Field(pattern=COLLECTION_PATTERN)]


class _Event(BaseModel):
    """The fields of every event. Fields may be added, so receivers must ignore those they do not know; if a field
    changes its meaning or is removed, `version` changes."""

    model_config = ConfigDict(frozen=True)
    detail_type: ClassVar[str]

    version: Literal["1"] = "1"
    collection: Collection | None = None


class _Detail(_Event):
    """The fields of events about images."""

    bucket: str | None = Field(None, description="bucket of the object that the outcome is about")
    key: str | None = Field(None, description="the object's key, never URL-encoded")
    upload_id: str | None = None
    metadata: dict[str, str] = Field({}, description="what the sender submitted with the image")


class ImageIndexed(_Detail):
    """A new image has been indexed and can be found."""

    detail_type = "Image Indexed"
    image_id: ImageId


class ImageRejected(_Detail):
    """A file or a URL was refused as an image; it is not tried again."""

    detail_type = "Image Rejected"
    code: str = Field(description="one of the refusal codes of docs/reference/api.md")
    reason: str = Field(description="one English sentence")
    url: str | None = None


class ImageRemoved(_Detail):
    """No object of the collection holds this image any more."""

    detail_type = "Image Removed"
    image_id: ImageId


class ImageTrashed(_Detail):
    """An image was moved into the trash of its collection, where nothing finds it until it is restored."""

    detail_type = "Image Trashed"
    image_id: ImageId


class ImageRestored(_Detail):
    """An image was restored from the trash, by a call or by an upload of the same bytes."""

    detail_type = "Image Restored"
    image_id: ImageId


class Scores(BaseModel):
    """How similar the two images are; docs/explanation/ranking.md explains each score."""

    model_config = ConfigDict(frozen=True)

    cosine: float | None
    ssim: float
    orb_inliers: int
    histogram: float


class DuplicateFound(_Detail):
    """An image repeats an earlier image of its collection, exactly or nearly."""

    detail_type = "Duplicate Found"
    image_id: ImageId
    duplicate_of: ImageId
    verdict: Literal[Verdict.IDENTICAL, Verdict.NEAR_DUPLICATE]
    score: float = Field(ge=0, le=1)
    scores: Scores | None = Field(None, description="null if the bytes are the same")


class FoundFace(BaseModel):
    """A face of an image."""

    model_config = ConfigDict(frozen=True)

    face_id: str
    person_id: str | None = Field(description="null if it belongs to nobody yet")


class FacesFound(_Event):
    """Persons have been looked for, for the faces of an image."""

    detail_type = "Faces Found"
    image_id: ImageId
    faces: list[FoundFace]


class PersonCreated(_Event):
    """Faces that are near each other have started a person."""

    detail_type = "Person Created"
    person_id: str


class PersonMerged(_Event):
    """All faces of a person have been moved to another."""

    detail_type = "Person Merged"
    person_id: str
    into: str = Field(description="the person who has the faces now")


Event = (
    ImageIndexed
    | ImageRejected
    | ImageRemoved
    | ImageTrashed
    | ImageRestored
    | DuplicateFound
    | FacesFound
    | PersonCreated
    | PersonMerged
)
EVENTS: Final = (
    ImageIndexed,
    ImageRejected,
    ImageRemoved,
    ImageTrashed,
    ImageRestored,
    DuplicateFound,
    FacesFound,
    PersonCreated,
    PersonMerged,
)


def events_for(outcome: Outcome) -> Iterator[Event]:
    """Yield the events that report an outcome; none if nothing changed."""
    about: Any = {
        "collection": outcome.collection,
        "bucket": outcome.object.bucket if outcome.object else None,
        "key": outcome.object.key if outcome.object else None,
        "upload_id": outcome.upload_id,
        "metadata": dict(outcome.metadata),
    }
    image_id = outcome.image_key.image_id if outcome.image_key else ""
    match outcome.status:
        case OutcomeStatus.INDEXED:
            yield ImageIndexed(**about, image_id=image_id)
        case OutcomeStatus.DUPLICATE:
            yield DuplicateFound(
                **about, image_id=image_id, duplicate_of=image_id, verdict=Verdict.IDENTICAL, score=1.0
            )
        case OutcomeStatus.REJECTED:
            yield ImageRejected(**about, code=outcome.code or "", reason=outcome.reason or "", url=outcome.url)
        case OutcomeStatus.TRASHED:
            yield ImageTrashed(**about, image_id=image_id)
        case OutcomeStatus.RESTORED:
            yield ImageRestored(**about, image_id=image_id)
    if outcome.restored and outcome.status in (OutcomeStatus.INDEXED, OutcomeStatus.DUPLICATE):
        yield ImageRestored(**about, image_id=image_id)
    if outcome.neighbour:
        found = outcome.neighbour.comparison
        yield DuplicateFound(
            **about,
            image_id=image_id,
            duplicate_of=outcome.neighbour.image_id,
            verdict=_duplicate_verdict(found.verdict),
            score=found.score,
            scores=Scores(
                cosine=found.cosine, ssim=found.ssim, orb_inliers=found.orb.inliers, histogram=found.histogram
            ),
        )
    for gone in outcome.vanished:
        about |= {"collection": gone.collection, "upload_id": None}
        yield ImageRemoved(**about, image_id=gone.image_id)


def people_detail(event: ports.PeopleEvent) -> Event:
    """Return what is published of an event about people."""
    match event:
        case ports.FacesFound():
            faces = [FoundFace(face_id=face_id, person_id=person_id) for face_id, person_id in event.faces]
            return FacesFound(collection=event.image.collection, image_id=event.image.image_id, faces=faces)
        case ports.PersonCreated():
            return PersonCreated(collection=event.collection, person_id=event.person_id)
        case ports.PersonMerged():
            return PersonMerged(collection=event.collection, person_id=event.person_id, into=event.into)


def _duplicate_verdict(verdict: Verdict) -> Literal[Verdict.IDENTICAL, Verdict.NEAR_DUPLICATE]:
    if verdict not in (Verdict.IDENTICAL, Verdict.NEAR_DUPLICATE):
        raise ValueError(f"an image with the verdict {verdict} is not a duplicate")
    return verdict


class PublishFailed(Exception):  # noqa: N818
    """The bus did not accept every event, although what they report has happened."""


class EventBus:
    """The project's own bus. Delivery is at least once: handling a message again publishes its events again."""

    def __init__(self, client: "EventBridgeClient", name: str) -> None:
        self._client = client
        self._name = name

    def publish(self, outcome: Outcome) -> None:
        """Publish the events that report an outcome.

        Raises:
            PublishFailed: the bus rejected an event.
        """
        self._put(list(events_for(outcome)))

    def publish_people(self, event: ports.PeopleEvent) -> None:
        """Publish an event about people.

        Raises:
            PublishFailed: see `publish`.
        """
        self._put([people_detail(event)])

    def _put(self, events: Sequence[Event]) -> None:
        entries: list[PutEventsRequestEntryTypeDef] = [
            {
                "EventBusName": self._name,
                "Source": SOURCE,
                "DetailType": event.detail_type,
                "Detail": event.model_dump_json(),
            }
            for event in events
        ]
        for start in range(0, len(entries), _MAX_ENTRIES):
            response = self._client.put_events(Entries=entries[start : start + _MAX_ENTRIES])
            if response["FailedEntryCount"]:
                failed = [entry for entry in response["Entries"] if "ErrorCode" in entry]
                raise PublishFailed(f"{failed[0].get('ErrorCode')}: {failed[0].get('ErrorMessage')}")
