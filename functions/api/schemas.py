"""What the API takes and gives."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from shared.domain.formats import MEDIA_TYPES
from shared.domain.images import COLLECTION_PATTERN, IMAGE_ID_PATTERN, UploadStatus
from shared.domain.limits import DEFAULT_COLLECTION, MAX_URL_LENGTH
from shared.domain.matches import Effort, Ranking, Verdict

EXAMPLE_ID = "3d3a6c7b3a4f6f0a0a3c5d6bb5c2a8d1f6a0c9e47b1e2f3d4c5b6a7988776655"
EXAMPLE_UPLOAD = "0f8fad5bd9cb469fa16570867728950e"
EXAMPLE_PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVQI12NoaGgAAAMEAYGa8M1PAAAAAElFTkSuQmCC"
"""One gray pixel as PNG."""

Collection = Annotated[str, Field(pattern=COLLECTION_PATTERN, examples=[DEFAULT_COLLECTION])]
ImageId = Annotated[str, Field(pattern=IMAGE_ID_PATTERN, examples=[EXAMPLE_ID])]


class UploadRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    filename: Annotated[str, Field(min_length=1, max_length=4096, examples=["holiday.jpg"])]
    content_type: Annotated[str, Field(examples=["image/jpeg"], json_schema_extra={"enum": [*MEDIA_TYPES.values()]})]
    collection: Annotated[Collection | None, Field(description="`default`, or the only one of the key")] = None


class UploadForm(BaseModel):
    """Where and how to send the picture: a multipart form with `fields` first and the part `file` last."""

    upload_id: Annotated[str, Field(examples=[EXAMPLE_UPLOAD])]
    url: Annotated[str, Field(examples=["https://pictrace-uploads.s3.eu-west-1.amazonaws.com/"])]
    fields: dict[str, str]
    expires_in: Annotated[int, Field(description="seconds", examples=[900])]


class UploadState(BaseModel):
    upload_id: Annotated[str, Field(examples=[EXAMPLE_UPLOAD])]
    status: UploadStatus
    collection: str
    image_id: Annotated[str | None, Field(examples=[EXAMPLE_ID])] = None
    code: Annotated[str | None, Field(description="why it was rejected, for programs")] = None
    reason: Annotated[str | None, Field(description="why it was rejected, for people")] = None


class UrlRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, Field(min_length=1, max_length=MAX_URL_LENGTH, examples=["https://example.com/cat.jpg"])]
    collection: Annotated[Collection | None, Field(description="`default`, or the only one of the key")] = None


class UploadAccepted(BaseModel):
    upload_id: Annotated[str, Field(examples=[EXAMPLE_UPLOAD])]


class Link(BaseModel):
    """Where a picture's bytes are, for what cannot send a key itself, as an `<img>` cannot."""

    url: Annotated[str, Field(description="a presigned S3 URL")]
    expires_in: Annotated[int, Field(description="seconds", examples=[900])]


class LabelModel(BaseModel):
    name: Annotated[str, Field(examples=["tabby"])]
    probability: Annotated[float, Field(ge=0, le=1, examples=[0.83])]


class Image(BaseModel):
    image_id: Annotated[str, Field(examples=[EXAMPLE_ID])]
    collection: Annotated[str, Field(examples=[DEFAULT_COLLECTION])]
    url: Annotated[str, Field(description="redirects to the picture", examples=["/v1/images/…/content"])]
    thumbnail_url: Annotated[str, Field(description="redirects to a small WebP", examples=["/v1/images/…/thumbnail"])]
    width: int
    height: int
    format: Annotated[str, Field(examples=["jpeg"])]
    bytes: int
    phash: Annotated[str, Field(description="64-bit perceptual hash", examples=["c3d41e6b9a2f5570"])]
    label: str | None
    labels: list[LabelModel]
    filename: Annotated[str | None, Field(description="as the sender gave it: never trust it")]
    created_at: Annotated[str, Field(examples=["2026-11-20T09:30:00.000000+00:00"])]
    model: str
    low_information: Annotated[
        bool, Field(description="it shows nothing to be recognised by: flat, or a few pixels wide")
    ]
    sharpness: Annotated[float, Field(ge=0, description="variance of the Laplacian; higher is sharper")]


class DuplicateGroup(BaseModel):
    """Pictures that nearly repeat each other, at least two, best first."""

    group_id: Annotated[str, Field(examples=[EXAMPLE_ID], description="the picture that the group began with")]
    best: Annotated[str, Field(examples=[EXAMPLE_ID], description="the one to keep: the largest, then the sharpest")]
    images: list[Image]
    truncated: Annotated[bool, Field(description="there are more than these")]


class DuplicatePage(BaseModel):
    groups: list[DuplicateGroup]
    cursor: Annotated[str | None, Field(description="ask for the next page with it; null on the last")]


class Source(BaseModel):
    bucket: str
    key: str
    version: str | None = None


class ImageWithSources(Image):
    sources: list[Source]


class ImagePage(BaseModel):
    images: list[Image]
    cursor: Annotated[str | None, Field(description="ask for the next page with it; null on the last")]


class OrbModel(BaseModel):
    matches: Annotated[int, Field(description="keypoint pairs that pass the ratio test")]
    inliers: Annotated[int, Field(description="those that one geometric transform explains")]
    ratio: Annotated[float, Field(ge=0, le=1)]


class Scores(BaseModel):
    score: Annotated[float, Field(ge=0, le=1, description="higher is nearer")]
    verdict: Verdict
    cosine: Annotated[float | None, Field(description="of the ResNet50 features, -1 to 1")]
    ssim: Annotated[float, Field(description="-1 to 1")]
    ssim_aligned: Annotated[float | None, Field(description="after the transform that ORB found")]
    orb: OrbModel
    histogram: Annotated[float, Field(description="correlation of 8x8x8 RGB histograms, -1 to 1")]
    low_information: Annotated[
        bool, Field(description="one of the two shows nothing to be recognised by, so that agreement says nothing")
    ]
    mirrored: Annotated[bool, Field(description="these are the scores of the query's mirror image")]


class Match(Scores):
    image_id: Annotated[str, Field(examples=[EXAMPLE_ID])]
    image: Image


class SearchAnswer(BaseModel):
    matches: list[Match]
    model: str
    ranking: Ranking
    effort: Effort
    candidates: Annotated[int, Field(description="pictures that were compared with the query")]
    bytes_examined: Annotated[int | None, Field(description="what the vector indexes report and bill, in all")]
    took_ms: Annotated[dict[str, float], Field(examples=[{"features": 21.4, "candidates": 8.0, "total": 52.3}])]
    low_information: Annotated[bool, Field(description="the query shows nothing to be recognised by")]
    notice: Annotated[str | None, Field(description="what a person should know of this answer")] = None


class Comparison(Scores):
    model: str


class ModelState(BaseModel):
    id: str
    untrained: bool
    labels: bool


class Stats(BaseModel):
    collection: str
    images: int
    exact: Annotated[bool, Field(description="false: there are at least `images`")]
    model: Annotated[ModelState, Field(description="the active one")]
    models: Annotated[list[str], Field(description="every one that can be asked: two while pictures are reindexed")]
    notice: str | None
    versions: dict[str, str]
    limits: dict[str, int]


class Health(BaseModel):
    status: Annotated[str, Field(examples=["ok"])]
    version: str


class LegacyAnswer(BaseModel):
    """The ancestor's answer to an upload."""

    message: str
    filename: str
    hash: str
    similar_images: list[str]


PICTURE: dict[str, Any] = {"contentType": ", ".join(sorted(MEDIA_TYPES.values()))}
"""The OpenAPI encoding of a multipart part that is a picture."""

UPLOAD_BODY: dict[str, Any] = {"requestBody": {"content": {"multipart/form-data": {"encoding": {"file": PICTURE}}}}}
SEARCH_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                },
                "encoding": {"file": PICTURE},
            },
            "application/json": {
                "schema": {
                    "type": "object",
                    "minProperties": 1,
                    "maxProperties": 1,
                    "additionalProperties": False,
                    "properties": {
                        "image_id": {"type": "string"},
                        "upload_id": {"type": "string"},
                        "url": {"type": "string"},
                        "image_base64": {"type": "string"},
                    },
                },
                "examples": {
                    "stored picture": {"value": {"image_id": EXAMPLE_ID}},
                    "upload": {"value": {"upload_id": EXAMPLE_UPLOAD}},
                    "inline": {"value": {"image_base64": EXAMPLE_PICTURE}},
                },
            },
        },
    }
}
COMPARE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["a", "b"],
                    "properties": {
                        "a": {"type": "string", "format": "binary"},
                        "b": {"type": "string", "format": "binary"},
                    },
                },
                "encoding": {"a": PICTURE, "b": PICTURE},
            },
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["a", "b"],
                    "additionalProperties": False,
                    "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
                },
                "examples": {
                    "stored pictures": {"value": {"a": EXAMPLE_ID, "b": EXAMPLE_ID}},
                    "a stored one and one on the web": {"value": {"a": "https://example.com/cat.jpg", "b": EXAMPLE_ID}},
                },
            },
        },
    }
}
