"""Messages from the functions and the operator to the ingest function: their models, and how they are written."""

import json
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Final, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.domain.events import (
    DuplicateCheck,
    DuplicateScanStep,
    FaceScan,
    FindFaces,
    PurgeTrash,
    Reindex,
    TrashChanged,
)
from shared.domain.images import COLLECTION_PATTERN, IMAGE_ID_PATTERN, ObjectRef
from shared.domain.ledger import ImageKey
from shared.domain.people.ports import EraseFaces, MoveFaces, SettleImage, Task
from shared.domain.people.records import FACE_ID_PATTERN, PERSON_ID_PATTERN

CHECK: Final = "duplicate_check"
SCAN: Final = "duplicate_scan"
FACES: Final = "find_faces"
PURGE: Final = "purge_trash"
TRASH: Final = "trash_changed"
PEOPLE: Final = "people"
DELAYED: Final = "delayed_people"


class Request(BaseModel):
    """What a message asks for; only the ingest function, which reads messages, needs its validator."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class ReindexRequest(Request):
    """The message that `python -m infra.operate reindex` sends for each image."""

    image_id: Annotated[str, Field(pattern=IMAGE_ID_PATTERN)]
    collection: Annotated[str, Field(pattern=COLLECTION_PATTERN)]
    model: Annotated[str, Field(min_length=1, max_length=256)]

    def event(self) -> Reindex:
        """Return the event that the request stands for."""
        return Reindex(ImageKey(self.collection, self.image_id), self.model)


class FacesRequest(Request):
    """What has faces found in one image of a collection, or in a page of its images."""

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
            return {FACES: {"collection": event.image_key.collection, "image_id": event.image_key.image_id}}
        case FaceScan():
            return {FACES: {"collection": event.collection, "cursor": event.cursor}}


class DuplicateCheckRequest(Request):
    """What the functions send to the ingest function for an image that must be compared again.

    `since` is what earlier versions sent; it is not used.
    """

    image_id: Annotated[str, Field(pattern=IMAGE_ID_PATTERN)]
    collection: Annotated[str, Field(pattern=COLLECTION_PATTERN)]
    bucket: str | None = None
    key: str | None = None
    version: str | None = None
    since: AwareDatetime | None = None
    metadata: dict[str, str] = {}
    attempt: Annotated[int, Field(ge=0)] = 0
    unready_since: AwareDatetime | None = None

    @classmethod
    def of(cls, check: DuplicateCheck) -> Self:
        """Return the request that stands for `check`."""
        return cls(
            image_id=check.image_key.image_id,
            collection=check.image_key.collection,
            bucket=check.object.bucket if check.object else None,
            key=check.object.key if check.object else None,
            version=check.object.version if check.object else None,
            metadata=dict(check.metadata),
            attempt=check.attempt,
            unready_since=datetime.fromisoformat(check.unready_since) if check.unready_since else None,
        )

    def event(self) -> DuplicateCheck:
        """Return the event that the request stands for."""
        return DuplicateCheck(
            ImageKey(self.collection, self.image_id),
            ObjectRef(self.bucket, self.key, self.version) if self.bucket and self.key else None,
            self.metadata,
            self.attempt,
            self.unready_since.isoformat() if self.unready_since else None,
        )


class ScanRequest(Request):
    """What the API, the operator and the ingest function send to have a page of a collection compared again."""

    collection: Annotated[str, Field(pattern=COLLECTION_PATTERN)]
    scan_id: Annotated[str, Field(min_length=1, max_length=64)]
    cursor: Annotated[str | None, Field(max_length=1024)] = None
    done: Annotated[int, Field(ge=0)] = 0
    unready_since: AwareDatetime | None = None

    def event(self) -> DuplicateScanStep:
        """Return the event that the request stands for."""
        unready_since = self.unready_since.isoformat() if self.unready_since else None
        return DuplicateScanStep(self.collection, self.scan_id, self.cursor, self.done, unready_since)


class PurgeRequest(Request):
    """What a schedule, or the API, sends to have images in the trash removed for good."""

    collection: Annotated[str | None, Field(pattern=COLLECTION_PATTERN)] = None
    before: AwareDatetime | None = None

    def event(self) -> PurgeTrash:
        """Return the event that the request stands for."""
        before = self.before.isoformat(timespec="microseconds") if self.before else None
        return PurgeTrash(self.collection, before)


class TrashChangeRequest(Request):
    """What the API sends before it moves an image into the trash, or restores one."""

    image_id: Annotated[str, Field(pattern=IMAGE_ID_PATTERN)]
    collection: Annotated[str, Field(pattern=COLLECTION_PATTERN)]
    restored: bool
    at: AwareDatetime | None = None

    def event(self) -> TrashChanged:
        """Return the event that the request stands for."""
        at = self.at.isoformat() if self.at else None
        return TrashChanged(ImageKey(self.collection, self.image_id), self.restored, at)


def trash_change(event: TrashChanged) -> dict[str, Any]:
    """Return the message that `parse` turns into this event."""
    image = event.image_key
    request = {"image_id": image.image_id, "collection": image.collection, "restored": event.restored, "at": event.at}
    return {TRASH: {name: value for name, value in request.items() if value is not None}}


class PeopleRequest(Request):
    """What the functions send to have faces and persons brought up to date; without an id, all faces are erased."""

    collection: Annotated[str, Field(pattern=COLLECTION_PATTERN)]
    image_id: Annotated[str | None, Field(pattern=IMAGE_ID_PATTERN)] = None
    person_id: Annotated[str | None, Field(pattern=f"^{PERSON_ID_PATTERN}$")] = None
    after: Annotated[str | None, Field(pattern=f"^{FACE_ID_PATTERN}$")] = None
    unready_since: AwareDatetime | None = None

    def task(self) -> Task:
        """Return the task that the request stands for."""
        if self.image_id:
            since = self.unready_since.isoformat() if self.unready_since else None
            return SettleImage(ImageKey(self.collection, self.image_id), since)
        if self.person_id:
            return MoveFaces(self.collection, self.person_id, self.after)
        return EraseFaces(self.collection)


def people_task(task: Task) -> str:
    """Return the text of the message that `parse` turns into this task."""
    return json.dumps({PEOPLE: _people_request(task)})


def delayed_task(task: Task) -> str:
    """Return the text of the message that `parse` turns into this task that has waited."""
    return json.dumps({DELAYED: _people_request(task)})


def _people_request(task: Task) -> dict[str, str]:
    request: dict[str, str | None]
    match task:
        case SettleImage(image, since):
            request = {"collection": image.collection, "image_id": image.image_id, "unready_since": since}
        case MoveFaces():
            request = {"collection": task.collection, "person_id": task.person_id, "after": task.after}
        case EraseFaces():
            request = {"collection": task.collection}
    return {name: value for name, value in request.items() if value is not None}


def purge_trash(collection: str | None = None, before: str | None = None) -> dict[str, Any]:
    """Return the message that `parse` turns into a purge."""
    values = {"collection": collection, "before": before}
    return {PURGE: {name: value for name, value in values.items() if value is not None}}


def duplicate_scan(step: DuplicateScanStep) -> dict[str, Any]:
    """Return the message that `parse` turns into this step."""
    return {SCAN: {name: value for name, value in asdict(step).items() if value is not None}}


def duplicate_check(check: DuplicateCheck) -> str:
    """Return the text of the message that `parse` turns into this check."""
    return json.dumps({CHECK: DuplicateCheckRequest.of(check).model_dump(mode="json", exclude_none=True)})
