"""Parsing of queue messages, in every envelope that they arrive in, into events."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Any, Final, Self
from urllib.parse import unquote_plus

from aws_lambda_powertools.utilities.data_classes import EventBridgeEvent, S3Event, S3EventBridgeNotificationEvent
from aws_lambda_powertools.utilities.data_classes.sns_event import SNSMessage
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from shared.aws.own_messages import (
    CHECK,
    DELAYED,
    FACES,
    PEOPLE,
    SCAN,
    DuplicateCheckRequest,
    FacesRequest,
    PeopleRequest,
    PurgeRequest,
    ReindexRequest,
    ScanRequest,
    TrashChangeRequest,
)
from shared.domain.events import (
    SUBMITTED,
    Created,
    DelayedTask,
    Ignored,
    IngestEvent,
    PeopleTask,
    Removed,
    UrlSubmitted,
)
from shared.domain.images import COLLECTION_PATTERN, ObjectRef
from shared.domain.limits import MAX_METADATA, MAX_METADATA_LENGTH, MAX_URL_LENGTH

_CREATED: Final = "ObjectCreated:"
_REMOVED: Final = ("ObjectRemoved:", "LifecycleExpiration:")
_DESTROYED: Final = ("ObjectRemoved:Delete", "LifecycleExpiration:Delete")
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


_REQUESTS: Final[Mapping[str, type[DuplicateCheckRequest | ScanRequest | FacesRequest]]] = {
    CHECK: DuplicateCheckRequest,
    SCAN: ScanRequest,
    FACES: FacesRequest,
}

_TASKS: Final[Mapping[str, type[PeopleTask | DelayedTask]]] = {PEOPLE: PeopleTask, DELAYED: DelayedTask}


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
        case {"people": dict()} | {"delayed_people": dict()} if len(body) == 1 and depth == _MAX_DEPTH:
            [(name, request)] = body.items()
            yield _TASKS[name](PeopleRequest.model_validate(request).task())
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
