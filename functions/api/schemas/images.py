"""Models of images, and of what is changed of them."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from functions.api.schemas.common import (
    EXAMPLE_ID,
    EXAMPLE_MODEL,
    EXAMPLE_PDQ,
    EXAMPLE_PHASH,
    EXAMPLE_UPLOAD,
    Answer,
    NextCursor,
)
from shared.domain.limits import (
    DEFAULT_COLLECTION,
    MAX_FIELD_LENGTH,
    MAX_FIELD_NAME_LENGTH,
    MAX_FIELDS,
    MAX_NOTE_LENGTH,
    MAX_PAGES_SEARCHED,
    MAX_TAGS,
)


class Link(Answer):
    """A link to an image's bytes, for clients that cannot send a key, such as an `<img>` element."""

    url: Annotated[
        str, Field(description="a presigned S3 URL", examples=["https://pictrace-uploads.s3.amazonaws.com/…"])
    ]
    expires_in: Annotated[int, Field(description="seconds", examples=[900])]


class LabelModel(Answer):
    name: Annotated[str, Field(examples=["tabby"])]
    probability: Annotated[float, Field(ge=0, le=1, examples=[0.83])]


class Location(Answer):
    """A position in degrees (WGS 84)."""

    latitude: Annotated[float, Field(ge=-90, le=90, examples=[48.822083])]
    longitude: Annotated[float, Field(ge=-180, le=180, examples=[2.398472])]


class Image(Answer):
    image_id: Annotated[str, Field(examples=[EXAMPLE_ID])]
    collection: Annotated[str, Field(examples=[DEFAULT_COLLECTION])]
    url: Annotated[str, Field(description="redirects to the image", examples=["/v1/images/…/content"])]
    thumbnail_url: Annotated[
        str,
        Field(
            description="presigned S3 URL of a small WebP; needs no key. It is valid for 7 to 15 minutes; if it has "
            "expired or is broken, `/v1/images/{image_id}/thumbnail` returns another",
            examples=["https://pictrace-uploads.s3.amazonaws.com/thumbnails/…"],
        ),
    ]
    width: Annotated[int, Field(examples=[451])]
    height: Annotated[int, Field(examples=[300])]
    format: Annotated[str, Field(examples=["jpeg"])]
    bytes: Annotated[int, Field(examples=[48_213])]
    phash: Annotated[str, Field(description="64-bit perceptual hash", examples=[EXAMPLE_PHASH])]
    pdq: Annotated[
        str | None,
        Field(
            description="PDQ hash, 256 bits; null if the setting `pdq` was off when the image was stored",
            examples=[EXAMPLE_PDQ],
        ),
    ] = None
    pdq_quality: Annotated[
        int | None,
        Field(ge=0, le=100, description="how much PDQ has to recognise it by; below 50: too little", examples=[100]),
    ] = None
    label: Annotated[
        str | None, Field(description="the most probable class, if one is probable enough", examples=["tabby"])
    ]
    labels: Annotated[list[LabelModel], Field(description="classes that are probable enough, at most five")]
    filename: Annotated[
        str | None, Field(description="as the sender named it; not to be trusted", examples=["cat.jpg"])
    ]
    created_at: Annotated[str, Field(examples=["2026-11-20T09:30:00.000000+00:00"])]
    model: Annotated[str, Field(examples=[EXAMPLE_MODEL])]
    low_information: Annotated[
        bool, Field(description="too little to recognise it by: flat, or only a few pixels wide or high")
    ]
    sharpness: Annotated[
        float, Field(ge=0, description="variance of the Laplacian; higher is sharper", examples=[398.61])
    ]
    raw: Annotated[bool, Field(description="a camera RAW file, shown by the JPEG that the camera put into it")] = False
    damaged: Annotated[bool, Field(description="the file is cut off, has a hole, or lacks its end")] = False
    intact: Annotated[
        float,
        Field(ge=0, le=1, description="share of the image that is there; only this part is compared", examples=[1.0]),
    ] = 1.0
    pages: Annotated[
        int, Field(ge=1, description="pages of a TIFF, frames of an animation, or images in the file", examples=[1])
    ] = 1
    pages_searched: Annotated[
        int,
        Field(
            ge=1,
            description=f"how many pages, from the first one on, a search finds: at most {MAX_PAGES_SEARCHED}. Of an "
            "animation, frames that show something new, spread over all of it, are found",
            examples=[1],
        ),
    ] = 1
    taken_at: Annotated[
        str | None,
        Field(
            description="when it was taken, as its file states: local time, with the offset from UTC if that is known",
            examples=["2026-11-20T17:16:53+01:00"],
        ),
    ] = None
    camera: Annotated[str | None, Field(description="maker and model", examples=["Google Pixel 4a"])] = None
    location: Annotated[
        Location | None,
        Field(description="where it was taken; null without the scope `admin`, unless the deployment shows it"),
    ] = None
    tags: Annotated[
        list[str],
        Field(
            description="those that people gave, then everyday words for what the network sees, the surest first, "
            "without those that people removed",
            examples=[["rex", "dog"]],
        ),
    ] = []
    decided_tags: Annotated[
        dict[str, bool],
        Field(
            description="what people decided on tags: true for those that they gave, false for those that they removed",
            examples=[{"rex": True, "cat": False}],
        ),
    ] = {}
    favourite: Annotated[bool, Field(description="one of the favourites of the collection")] = False
    external_id: Annotated[str | None, Field(description="the caller's own id", examples=["DAM-4711"])] = None
    note: Annotated[str | None, Field(description="a caller's note", examples=[None])] = None
    fields: Annotated[
        dict[str, str], Field(description="the caller's named strings", examples=[{"photographer": "Ada"}])
    ] = {}


FieldName = Annotated[str, Field(min_length=1, max_length=MAX_FIELD_NAME_LENGTH, pattern=r"^[^\x00-\x1f:]+$")]
FieldText = Annotated[str, Field(max_length=MAX_FIELD_LENGTH)]


class ImageChange(BaseModel):
    """What to change, as a JSON merge patch: what is left out stays, and null removes a value."""

    model_config = ConfigDict(extra="forbid")

    external_id: Annotated[FieldText | None, Field(description="the caller's own id", examples=["DAM-4711"])] = None
    note: Annotated[
        Annotated[str, Field(max_length=MAX_NOTE_LENGTH)] | None, Field(examples=["Cropped for the cover"])
    ] = None
    fields: Annotated[
        dict[FieldName, FieldText | None],
        Field(
            max_length=2 * MAX_FIELDS,
            description=f"named strings, of which an image has at most {MAX_FIELDS}; null removes one",
            examples=[{"photographer": "Ada"}],
        ),
    ] = {}
    favourite: Annotated[bool | None, Field(description="whether it is a favourite of the collection")] = None
    decided_tags: Annotated[
        dict[str, StrictBool | None],
        Field(
            max_length=2 * MAX_TAGS,
            description="tags that the image has (true) or does not have (false), whatever the network sees in it; "
            "null leaves it to the network again",
            examples=[{"rex": True, "cat": False}],
        ),
    ] = {}


class Source(Answer):
    bucket: Annotated[str, Field(examples=["pictrace-uploads"])]
    key: Annotated[str, Field(examples=[f"uploads/default/{EXAMPLE_UPLOAD}"])]
    version: Annotated[str | None, Field(examples=[None])] = None


class ImageWithSources(Image):
    sources: list[Source]


class ImagePage(Answer):
    images: list[Image]
    cursor: NextCursor
