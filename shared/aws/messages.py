"""Parsing of queue messages, in every envelope that they arrive in, into events."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Final, Self
from urllib.parse import unquote_plus

from aws_lambda_powertools.utilities.data_classes import EventBridgeEvent, S3Event, S3EventBridgeNotificationEvent
from aws_lambda_powertools.utilities.data_classes.sns_event import SNSMessage
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from shared.domain.events import (
    SUBMITTED,
    Created,
    DuplicateCheck,
    DuplicateScanStep,
    FaceScan,
    FindFaces,
    Ignored,
    IngestEvent,
    PeopleTask,
    PurgeTrash,
    Reindex,
    Removed,
    TrashChanged,
    UrlSubmitted,
)
from shared.domain.images import COLLECTION_PATTERN, IMAGE_ID_PATTERN, ObjectRef
from shared.domain.ledger import ImageKey
from shared.domain.limits import MAX_METADATA, MAX_METADATA_LENGTH, MAX_URL_LENGTH
from shared.domain.people.ports import EraseFaces, MoveFaces, SettleImage, Task
from shared.domain.people.records import PERSON_ID_PATTERN

_CREATED: Final = "ObjectCreated:"
_REMOVED: Final = ("ObjectRemoved:", "LifecycleExpiration:")
_DESTROYED: Final = ("ObjectRemoved:Delete", "LifecycleExpiration:Delete")
_CHECK: Final = "duplicate_check"
_SCAN: Final = "duplicate_scan"
_FACES: Final = "find_faces"
_PURGE: Final = "purge_trash"
_TRASH: Final = "trash_changed"
_PEOPLE: Final = "people"
_MAX_DEPTH: Final = 3
"""Maximum nesting of envelopes. S3 to SNS to SQS makes two; no real message has more."""

_Text = Annotated[str, Field(max_length=MAX_METADATA_LENGTH)]


class UnknownMessage(ValueError):  # noqa: N818
    """The message has no known format; it belongs in the dead-letter queue."""


class Submission(BaseModel):
    """An image submitted by a sender: through the queue, the topic or the bus, or by invoking the function."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bucket: Annotated[str | None, Field(min_length=3, max_length=63)] = None
    key: Annotated[str | None, Field(min_length=1, max_length=1024)] = None
    url: Annotated[str | None, Field(min_length=1, max_length=MAX_URL_LENGTH)] = None
    collection: Annotated[str | None, Field(pattern=COLLECTION_PATTERN)] = None
    metadata: Annotated[dict[_Text, _Text], Field(max_length=MAX_METADATA)] = {}

    @model_validator(mode="after")
    def _names_one_image(self) -> Self:
        if (self.url is None) == (self.bucket is None and self.key is None) or (self.bucket is None) != (
            self.key is None
        ):
            raise ValueError("give either bucket and key, or url")
        return self

    def event(self) -> Created | UrlSubmitted:
        """Return the event that the submission stands for."""
        if self.url is not None:
            return UrlSubmitted(self.url, self.collection, self.metadata)
        return Created(ObjectRef(self.bucket or "", self.key or ""), None, self.collection, self.metadata)


class ReindexRequest(BaseModel):
    """The message that `python -m infra.operate reindex` sends for each image."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    image_id: Annotated[str, Field(pattern=IMAGE_ID_PATTERN)]
    collection: Annotated[str, Field(pattern=COLLECTION_PATTERN)]
    model: Annotated[str, Field(min_length=1, max_length=256)]

    def event(self) -> Reindex:
        """Return the event that the request stands for."""
        return Reindex(ImageKey(self.collection, self.image_id), self.model)


class FacesRequest(BaseModel):
    """What has faces found in one image of a collection, or in a page of its images."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    collection: Annotated[str, Field(pattern=COLLECTION_PATTERN)]
    image_id: Annotated[str, Field(pattern=IMAGE_ID_PATTERN)] | None = None
    cursor: Annotated[str, Field(max_length=1024)] | None = None

    def event(self) -> FindFaces | FaceScan:
        """Return the event that the request stands for."""
        if self.image_id:
            return FindFaces(ImageKey(self.collection, self.image_id))
        return FaceScan(self.collection, self.cursor)


def find_faces(event: FindFaces | FaceScan) -> dict[str, Any]:
    """Return the message that has the faces found."""
    match event:
        case FindFaces():
            return {_FACES: {"collection": event.image_key.collection, "image_id": event.image_key.image_id}}
        case FaceScan():
            return {_FACES: {"collection": event.collection, "cursor": event.cursor}}


class DuplicateCheckRequest(BaseModel):
    """What the functions send to the ingest function for an image that must be compared again."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    image_id: Annotated[str, Field(pattern=IMAGE_ID_PATTERN)]
    collection: Annotated[str, Field(pattern=COLLECTION_PATTERN)]
    bucket: str | None = None
    key: str | None = None
    version: str | None = None
    since: AwareDatetime
    metadata: dict[str, str] = {}
    attempt: Annotated[int, Field(ge=0)] = 0

    @classmethod
    def of(cls, check: DuplicateCheck) -> Self:
        """Return the request that stands for `check`."""
        return cls(
            image_id=check.image_key.image_id,
            collection=check.image_key.collection,
            bucket=check.object.bucket if check.object else None,
            key=check.object.key if check.object else None,
            version=check.object.version if check.object else None,
            since=datetime.fromisoformat(check.since),
            metadata=dict(check.metadata),
            attempt=check.attempt,
        )

    def event(self) -> DuplicateCheck:
        """Return the event that the request stands for."""
        return DuplicateCheck(
            ImageKey(self.collection, self.image_id),
            ObjectRef(self.bucket, self.key, self.version) if self.bucket and self.key else None,
            self.since.isoformat(),
            self.metadata,
            self.attempt,
        )


class ScanRequest(BaseModel):
    """What the API, the operator and the ingest function send to have a page of a collection compared again."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    collection: Annotated[str, Field(pattern=COLLECTION_PATTERN)]
    scan_id: Annotated[str, Field(min_length=1, max_length=64)]
    cursor: Annotated[str | None, Field(max_length=1024)] = None
    done: Annotated[int, Field(ge=0)] = 0

    def event(self) -> DuplicateScanStep:
        """Return the event that the request stands for."""
        return DuplicateScanStep(self.collection, self.scan_id, self.cursor, self.done)


class PurgeRequest(BaseModel):
    """What a schedule, or the API, sends to have images in the trash removed for good."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    collection: Annotated[str | None, Field(pattern=COLLECTION_PATTERN)] = None
    before: AwareDatetime | None = None

    def event(self) -> PurgeTrash:
        """Return the event that the request stands for."""
        before = self.before.isoformat(timespec="microseconds") if self.before else None
        return PurgeTrash(self.collection, before)


class TrashChangeRequest(BaseModel):
    """What the API sends to have it published that an image was moved into the trash, or restored."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    image_id: Annotated[str, Field(pattern=IMAGE_ID_PATTERN)]
    collection: Annotated[str, Field(pattern=COLLECTION_PATTERN)]
    restored: bool

    def event(self) -> TrashChanged:
        """Return the event that the request stands for."""
        return TrashChanged(ImageKey(self.collection, self.image_id), self.restored)


def trash_change(event: TrashChanged) -> dict[str, Any]:
    """Return the message that `parse` turns into this event."""
    image = event.image_key
    return {_TRASH: {"image_id": image.image_id, "collection": image.collection, "restored": event.restored}}


class PeopleRequest(BaseModel):
    """What the functions send to have faces and persons brought up to date; without an id, all faces are erased."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    collection: Annotated[str, Field(pattern=COLLECTION_PATTERN)]
    image_id: Annotated[str | None, Field(pattern=IMAGE_ID_PATTERN)] = None
    person_id: Annotated[str | None, Field(pattern=f"^{PERSON_ID_PATTERN}$")] = None

    def event(self) -> PeopleTask:
        """Return the event that the request stands for."""
        if self.image_id:
            return PeopleTask(SettleImage(ImageKey(self.collection, self.image_id)))
        if self.person_id:
            return PeopleTask(MoveFaces(self.collection, self.person_id))
        return PeopleTask(EraseFaces(self.collection))


def people_task(task: Task) -> str:
    """Return the text of the message that `parse` turns into this task."""
    match task:
        case SettleImage():
            request = {"collection": task.image.collection, "image_id": task.image.image_id}
        case MoveFaces():
            request = {"collection": task.collection, "person_id": task.person_id}
        case EraseFaces():
            request = {"collection": task.collection}
    return json.dumps({_PEOPLE: request})


def purge_trash(collection: str | None = None, before: str | None = None) -> dict[str, Any]:
    """Return the message that `parse` turns into a purge."""
    values = {"collection": collection, "before": before}
    return {_PURGE: {name: value for name, value in values.items() if value is not None}}


def duplicate_scan(step: DuplicateScanStep) -> dict[str, Any]:
    """Return the message that `parse` turns into this step."""
    values = {"collection": step.collection, "scan_id": step.scan_id, "cursor": step.cursor, "done": step.done}
    return {_SCAN: {name: value for name, value in values.items() if value is not None}}


def duplicate_check(check: DuplicateCheck) -> str:
    """Return the text of the message that `parse` turns into this check."""
    return json.dumps({_CHECK: DuplicateCheckRequest.of(check).model_dump(mode="json", exclude_none=True)})


_REQUESTS: Final[Mapping[str, type[DuplicateCheckRequest | ScanRequest | FacesRequest]]] = {
    _CHECK: DuplicateCheckRequest,
    _SCAN: ScanRequest,
    _FACES: FacesRequest,
}


def parse(text: str) -> list[IngestEvent]:
    """Parse the text of a message into events, one for each of its records.

    Raises:
        UnknownMessage: the text has none of the formats in docs/guides/sending-images.md.
    """
    try:
        return list(_parse(text, _MAX_DEPTH))
    except UnicodeDecodeError as error:
        raise UnknownMessage("the key is not UTF-8") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise UnknownMessage(f"the event is missing a field or has one of the wrong type: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UnknownMessage(f"{where}: {first['msg']}" if where else first["msg"]) from error


def _parse(text: str, depth: int) -> Iterator[IngestEvent]:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnknownMessage("the body is not JSON") from error
    match body:
        case {"Event": "s3:TestEvent"}:
            yield Ignored("a test event, which S3 sends when notifications are set up")
        case {"Type": "Notification", "Message": str(), "TopicArn": str()} if depth:
            yield from _parse(SNSMessage(body).message, depth - 1)
        case {"detail-type": str(), "detail": dict()}:
            yield from _from_bus(body)
        case {"Records": list(entries)}:
            yield from _from_s3(S3Event(body), len(entries))
        case {"duplicate_check": dict()} | {"duplicate_scan": dict()} | {"find_faces": dict()} if len(body) == 1:
            [(name, request)] = body.items()
            yield _REQUESTS[name].model_validate(request).event()
        case {"purge_trash": dict(purge)} if len(body) == 1 and depth == _MAX_DEPTH:  # no topic's sender may purge
            yield PurgeRequest.model_validate(purge).event()
        case {"trash_changed": dict(change)} if len(body) == 1 and depth == _MAX_DEPTH:
            yield TrashChangeRequest.model_validate(change).event()
        case {"people": dict(request)} if len(body) == 1 and depth == _MAX_DEPTH:
            yield PeopleRequest.model_validate(request).event()
        case {"image_id": _}:
            yield ReindexRequest.model_validate(body).event()
        case {"bucket": _} | {"key": _} | {"url": _}:
            yield Submission.model_validate(body).event()
        case _:
            raise UnknownMessage("the body has an unknown format; docs/guides/sending-images.md lists the known ones")


def _from_s3(event: S3Event, count: int) -> Iterator[IngestEvent]:
    """Yield the events of a notification, in which keys are URL-encoded, with a plus for a space."""
    if not count:
        raise UnknownMessage("the notification has no records")
    for record in event.records:
        name, entry = record.event_name.removeprefix("s3:"), record.s3.get_object
        key = unquote_plus(entry.key, errors="strict")
        ref = ObjectRef(record.s3.bucket.name, key, entry.version_id)
        if name.startswith(_REMOVED):
            yield Removed(
                _validated(ref), _sequencer(entry.raw_event), one_version=name in _DESTROYED and bool(ref.version)
            )
        elif name.startswith(_CREATED):
            yield _created(_validated(ref), _sequencer(entry.raw_event), entry.get("size"))
        else:
            yield Ignored(f"{name} events need no action")


def _sequencer(entry: Mapping[str, Any]) -> str | None:
    value = entry.get("sequencer")
    return value if isinstance(value, str) and value.isascii() else None


def _from_bus(body: dict[str, Any]) -> Iterator[IngestEvent]:
    """Yield the events in a bus event, whose keys are not encoded: Powertools would decode them, so it is bypassed."""
    if body["detail-type"] == SUBMITTED:
        yield Submission.model_validate(EventBridgeEvent(body).detail).event()
        return
    if body.get("source") != "aws.s3":
        raise UnknownMessage(f"events of type {body['detail-type']!r} from {body.get('source')!r} are not supported")
    event = S3EventBridgeNotificationEvent(body)
    entry: Mapping[str, Any] = event.detail.object.raw_event
    ref = _validated(ObjectRef(event.detail.bucket.name, entry["key"], entry.get("version-id")))
    sequencer = _sequencer(entry)
    if event.detail_type == "Object Deleted":
        destroyed = event.detail.deletion_type == "Permanently Deleted"
        yield Removed(ref, sequencer, one_version=destroyed and bool(ref.version))
    elif event.detail_type == "Object Created":
        yield _created(ref, sequencer, entry.get("size"))
    else:
        yield Ignored(f"{event.detail_type} events need no action")


def _validated(ref: ObjectRef) -> ObjectRef:
    """Return the reference with an empty version replaced by None, as in buckets without versioning.

    Raises:
        UnknownMessage: S3 cannot have such an object. JSON can escape lone surrogates, for example, but UTF-8 cannot
            encode them.
    """
    version = "" if ref.version is None else ref.version
    if not (isinstance(ref.bucket, str) and ref.bucket and isinstance(ref.key, str) and ref.key):
        raise UnknownMessage("the event lacks a bucket or a key")
    if not isinstance(version, str):
        raise UnknownMessage("the version in the event is not a string")
    try:
        f"{ref.bucket}{ref.key}{version}".encode()
    except UnicodeEncodeError as error:
        raise UnknownMessage("the bucket, key or version in the event is not valid Unicode") from error
    return replace(ref, version=version or None)


def _created(ref: ObjectRef, sequencer: str | None, size: object) -> Created | Ignored:
    if ref.key.endswith("/") and size == 0:
        return Ignored("an empty object that a console created to show a folder")
    return Created(ref, sequencer)
