"""Models of collections, with their tags and their trash."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from functions.api.schemas.common import Answer, NextCursor
from functions.api.schemas.images import Image
from shared.domain.limits import DEFAULT_COLLECTION, MAX_TITLE_LENGTH


class CollectionChange(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: Annotated[
        Annotated[str, Field(max_length=MAX_TITLE_LENGTH)] | None,
        Field(description="the name for people; null or empty for none", examples=["Holidays 2026"]),
    ] = None


class CollectionSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    faces: Annotated[StrictBool, Field(description="whether the faces of its images are found and stored")]


class CollectionState(Answer):
    collection: Annotated[str, Field(examples=[DEFAULT_COLLECTION])]
    title: Annotated[str | None, Field(description="the name for people", examples=["Holidays 2026"])]
    images: Annotated[int, Field(ge=0, examples=[500])]
    exact: Annotated[bool, Field(description="if false, `images` is a lower bound")]
    created_at: Annotated[
        str | None,
        Field(description="when it was first used, if that is known", examples=["2026-11-28T09:30:00+00:00"]),
    ]
    faces: Annotated[bool, Field(description="whether the faces of its images are found and stored")]


class CollectionPage(Answer):
    collections: list[CollectionState]
    cursor: NextCursor


class TagCount(Answer):
    tag: Annotated[str, Field(examples=["dog"])]
    images: Annotated[int, Field(ge=1, examples=[60])]


class TagList(BaseModel):
    """The tags of a collection, the most frequent first."""

    tags: list[TagCount]
    images: Annotated[int, Field(ge=0, description="how many images were counted", examples=[500])]
    exact: Annotated[bool, Field(description="if false, only the newest images were counted")]


class TrashedImage(Image):
    trashed_at: Annotated[str, Field(description="when it was deleted", examples=["2026-11-28T18:00:00+00:00"])]
    purged_at: Annotated[str, Field(description="from when on it is purged", examples=["2026-12-28T18:00:00+00:00"])]


class TrashPage(Answer):
    images: list[TrashedImage]
    cursor: NextCursor
    days: Annotated[int, Field(description="how long a deleted image can be restored", examples=[30])]
