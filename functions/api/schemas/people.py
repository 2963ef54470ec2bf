"""Models of people and faces."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from functions.api.schemas.common import EXAMPLE_ID, Answer, Box, Collection, ImageId, NextCursor
from shared.domain.people.records import FACE_ID_PATTERN, MAX_PERSON_NAME, PERSON_ID_PATTERN

EXAMPLE_PERSON = "5f0c1d2e3b4a59687766554433221100"
EXAMPLE_FACE = f"{EXAMPLE_ID}-0a1b2c3d-000"
MAX_CHANGED = 100

PersonId = Annotated[str, Field(pattern=f"^{PERSON_ID_PATTERN}$", examples=[EXAMPLE_PERSON])]
FaceId = Annotated[str, Field(pattern=f"^{FACE_ID_PATTERN}$", examples=[EXAMPLE_FACE])]


class Face(Answer):
    """A face in an image."""

    face_id: FaceId
    image_id: ImageId
    collection: Collection
    box: Box
    score: Annotated[float, Field(ge=0, le=1, description="how sure the detector is", examples=[0.94])]
    eye_distance: Annotated[float, Field(ge=0, description="in pixels of the image", examples=[61.5])]
    person_id: Annotated[PersonId | None, Field(description="null if it belongs to nobody")]
    confirmed: Annotated[bool, Field(description="whether somebody said that it is this person")]
    thumbnail_url: Annotated[str, Field(description="a small picture of the whole image", examples=["https://…"])]


class Person(Answer):
    """A person of a collection."""

    person_id: PersonId
    collection: Collection
    name: Annotated[str | None, Field(examples=["Ada"])]
    hidden: bool
    faces: Annotated[int, Field(ge=0, description="number of faces", examples=[12])]
    cover: Annotated[Face | None, Field(description="the face that shows the person; null if none is left")]
    merged: Annotated[list[PersonId], Field(description="persons who were merged into this one")]
    created_at: Annotated[str, Field(examples=["2026-11-29T09:30:00+00:00"])]


class PersonPage(Answer):
    people: list[Person]
    cursor: NextCursor


class People(Answer):
    people: list[Person]


class FacePage(Answer):
    faces: list[Face]
    cursor: NextCursor


class PersonChange(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Annotated[str | None, Field(max_length=MAX_PERSON_NAME, examples=["Ada"])] = None
    hidden: bool | None = None
    cover: Annotated[FaceId | None, Field(description="one of the person's faces; null for the usual one")] = None


class PeopleChange(BaseModel):
    model_config = ConfigDict(extra="forbid")

    people: Annotated[list[PersonId], Field(min_length=1, max_length=MAX_CHANGED)]
    hidden: bool


class Merge(BaseModel):
    model_config = ConfigDict(extra="forbid")

    into: PersonId


class Apart(BaseModel):
    model_config = ConfigDict(extra="forbid")

    person_id: PersonId


class FaceOwner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    person_id: PersonId | None = None
    name: Annotated[str | None, Field(max_length=MAX_PERSON_NAME, description="of a new person", examples=["Ada"])] = (
        None
    )


class NearPerson(Answer):
    person: Person
    distance: Annotated[
        float, Field(ge=0, description="between faces; under 0.5 they are usually one person", examples=[0.52])
    ]


class Pair(Answer):
    """Two persons who may be the same."""

    person: Person
    other: NearPerson


class PairPage(Answer):
    pairs: list[Pair]
    cursor: NextCursor


class Suggestions(Answer):
    people: list[NearPerson]
    faces: Annotated[list[Face], Field(description="faces of nobody, nearest first")]


class QueryFace(Answer):
    """A face of a picture that was sent."""

    box: Box
    score: Annotated[float, Field(ge=0, le=1, examples=[0.94])]
    person: Annotated[Person | None, Field(description="whom it would join; null if nobody is near enough")]
    near: Annotated[list[NearPerson], Field(description="others whom it may be, nearest first")]


class PeopleAnswer(Answer):
    faces: list[QueryFace]


class Erased(Answer):
    faces: Annotated[int, Field(ge=0, description="faces erased by this call; the others follow", examples=[240])]
