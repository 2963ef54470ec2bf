"""What is stored of a collection's people, as it is moved to another collection: schemas, and their conversion."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from functions.api.schemas.common import Box, ImageId, NextCursor
from functions.api.schemas.people import FaceId, PersonId
from shared.domain.limits import MAX_PAGE
from shared.domain.people.records import MAX_FACES, MAX_PERSON_NAME, Face, Person, image_of

MAX_IDS = 1_000

PersonIds = Annotated[list[PersonId], Field(max_length=MAX_IDS)]


class PersonRecord(BaseModel):
    """A person, and what somebody decided about them."""

    model_config = ConfigDict(extra="forbid", strict=True)

    person_id: PersonId
    name: Annotated[str | None, Field(max_length=MAX_PERSON_NAME, examples=["Ada"])] = None
    hidden: bool = False
    cover: Annotated[FaceId | None, Field(description="the face that somebody chose to show the person by")] = None
    sample: Annotated[FaceId | None, Field(description="the face that shows the person otherwise")] = None
    into: Annotated[PersonId | None, Field(description="whom the person was merged into")] = None
    released: Annotated[PersonId | None, Field(description="from whom the last merge was undone")] = None
    apart: Annotated[PersonIds, Field(description="who is somebody else, as somebody said")] = []
    kept: Annotated[bool, Field(description="whether somebody decided something about the person")] = False
    named_by: Annotated[PersonId | None, Field(description="whose name the person got in a merge")] = None
    origin: Annotated[ImageId | None, Field(description="the image whose face started the person")] = None
    created_at: Annotated[str, Field(max_length=40, examples=["2026-11-29T09:30:00+00:00"])]


class FaceRecord(BaseModel):
    """A face of an image that the collection need not have any more, and what is known of it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    face_id: FaceId
    face_model: Annotated[str, Field(max_length=256, examples=["dlib-resnet-v1-f16"])]
    box: Box
    score: Annotated[float, Field(ge=0, le=1, examples=[0.94])]
    presence: Annotated[float, Field(ge=0, le=1, description="how sure the landmarks are", examples=[0.99])]
    eye_distance: Annotated[float, Field(ge=0, le=100_000, description="in pixels of the image", examples=[61.5])]
    person_id: Annotated[PersonId | None, Field(description="null if it belongs to nobody")] = None
    confirmed: Annotated[bool, Field(description="whether somebody said that it is this person")] = False
    rejected: Annotated[PersonIds, Field(description="who it is not, as somebody said")] = []
    former: Annotated[PersonIds, Field(description="from whom merges have moved it, oldest first")] = []


class PeopleRecords(BaseModel):
    """A page of persons, or of faces after the last person."""

    persons: list[PersonRecord]
    faces: list[FaceRecord]
    cursor: NextCursor


class PeopleRestoration(BaseModel):
    """Persons and faces as `GET /v1/people/records` returned them."""

    model_config = ConfigDict(extra="forbid", strict=True)

    persons: Annotated[list[PersonRecord], Field(max_length=MAX_PAGE)] = []
    faces: Annotated[list[FaceRecord], Field(max_length=MAX_FACES)] = []
    overwrite: Annotated[bool, Field(description="replace what somebody decided in this collection")] = False


def person_record(person: Person) -> PersonRecord:
    return PersonRecord(
        person_id=person.person_id,
        name=person.name,
        hidden=person.hidden,
        cover=person.cover,
        sample=person.sample,
        into=person.into,
        released=person.released,
        apart=sorted(person.apart),
        kept=person.kept,
        named_by=person.named_by,
        origin=person.origin,
        created_at=person.created_at,
    )


def to_person(record: PersonRecord, collection: str) -> Person:
    fields = record.model_dump() | {"apart": frozenset(record.apart), "name": (record.name or "").strip() or None}
    return Person(collection, **fields)


def face_record(face: Face) -> FaceRecord:
    left, top, width, height = face.box
    return FaceRecord(
        face_id=face.face_id,
        face_model=face.face_model,
        box=Box(left=left, top=top, width=width, height=height),
        score=face.score,
        presence=face.presence,
        eye_distance=face.eye_distance,
        person_id=face.person or face.recalled,
        confirmed=face.confirmed,
        rejected=sorted(face.rejected),
        former=list(face.former),
    )


def to_faces(records: Sequence[FaceRecord]) -> dict[str, list[Face]]:
    """Return faces by the ids of their images."""
    by_image: dict[str, list[Face]] = {}
    for record in records:
        box = record.box
        face = Face(
            record.face_id,
            record.face_model,
            (box.left, box.top, box.width, box.height),
            record.score,
            record.presence,
            record.eye_distance,
            person=record.person_id,
            confirmed=record.confirmed,
            rejected=frozenset(record.rejected),
            former=tuple(record.former),
        )
        by_image.setdefault(image_of(record.face_id), []).append(face)
    return by_image
