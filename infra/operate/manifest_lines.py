"""The lines of the manifest of an exported collection."""

from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from shared.domain.albums import ALBUM_ID_PATTERN
from shared.domain.duplicates import Decision
from shared.domain.images import COLLECTION_PATTERN, IMAGE_ID_PATTERN

FORMAT: Final = "pictrace-collection"
VERSION: Final = 3
"""Version of the folder's format: to be raised if an older PicTrace would lose something by reading a newer folder."""

ImageId = Annotated[str, Field(pattern=IMAGE_ID_PATTERN)]


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True)


class CollectionLine(_Line):
    """The first line; `faces`: whether the collection has faces on, and people were exported."""

    type: Literal["collection"] = "collection"
    format: Literal["pictrace-collection"] = FORMAT
    version: int = VERSION
    collection: Annotated[str, Field(pattern=COLLECTION_PATTERN)]
    title: str | None = None
    exported_at: str
    faces: bool = False


class ImageLine(_Line):
    """An image; `format` is the extension of its file."""

    type: Literal["image"] = "image"
    image_id: ImageId
    format: Annotated[str, Field(pattern="^[a-z0-9]{1,10}$")]
    media_type: str
    bytes: int
    filename: str | None
    created_at: str
    external_id: str | None = None
    note: str | None = None
    fields: dict[str, str] = {}
    favourite: bool = False
    decided_tags: dict[str, bool] = {}


class GroupLine(_Line):
    """A group of near-duplicates.

    Attributes:
        kept: the best image.
        chosen: whether somebody chose it by hand.
        images: all images of the group, or the first 200.
    """

    type: Literal["group"] = "group"
    kept: ImageId
    chosen: bool
    images: list[ImageId]


class DecisionLine(_Line):
    """What was decided on two images for ever, which the collection need not have any more."""

    type: Literal["decision"] = "decision"
    images: Annotated[list[ImageId], Field(min_length=2, max_length=2)]
    decision: Decision


class AlbumLine(_Line):
    """An album, and those of its images that are not in the trash."""

    type: Literal["album"] = "album"
    album_id: Annotated[str, Field(pattern=ALBUM_ID_PATTERN)]
    title: str
    description: str | None
    cover: ImageId | None
    images: list[ImageId]


class PersonLine(_Line):
    """A person as `GET /v1/people/records` has it, of which nothing else is needed here."""

    model_config = ConfigDict(frozen=True, extra="allow")

    type: Literal["person"] = "person"
    person_id: str
    into: str | None = None


class FaceLine(_Line):
    """A face as `GET /v1/people/records` has it."""

    model_config = ConfigDict(frozen=True, extra="allow")

    type: Literal["face"] = "face"
    face_id: str


class EndLine(_Line):
    """The last line, without which a manifest is not complete: how many there are of the others."""

    type: Literal["end"] = "end"
    images: int
    groups: int
    decisions: int = 0
    albums: int = 0
    persons: int = 0
    faces: int = 0


Line = CollectionLine | ImageLine | GroupLine | DecisionLine | AlbumLine | PersonLine | FaceLine | EndLine
COUNTED: Final[Mapping[type[_Line], str]] = {
    ImageLine: "images",
    GroupLine: "groups",
    DecisionLine: "decisions",
    AlbumLine: "albums",
    PersonLine: "persons",
    FaceLine: "faces",
}
"""Where the last line has the number of each kind."""
LINES: Final[TypeAdapter[Line]] = TypeAdapter(Annotated[Line, Field(discriminator="type")])


def end_of(counts: Counter[str]) -> EndLine:
    """Return the last line after so many of the others, by the names of its fields."""
    return EndLine.model_validate({name: counts[name] for name in COUNTED.values()})
