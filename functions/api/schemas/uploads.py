"""Models of uploads, and of the legacy API's answer to one."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from functions.api.schemas.common import EXAMPLE_ID, EXAMPLE_UPLOAD, Answer, Collection
from shared.domain.images import Grouping, UploadStatus
from shared.domain.limits import DEFAULT_COLLECTION, MAX_URL_LENGTH


class UploadRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    filename: Annotated[str, Field(min_length=1, max_length=4096, examples=["holiday.jpg"])]
    content_type: Annotated[
        str,
        Field(
            max_length=255,
            examples=["image/jpeg"],
            description="any type of image, or none: the bytes decide. Only types of something else are refused",
        ),
    ] = ""
    collection: Annotated[Collection | None, Field(description="`default`, or the only one of the key")] = None


class UploadForm(BaseModel):
    """Where and how to send the image: a multipart form with `fields` first and the part `file` last."""

    upload_id: Annotated[str, Field(examples=[EXAMPLE_UPLOAD])]
    url: Annotated[str, Field(examples=["https://pictrace-uploads.s3.eu-west-1.amazonaws.com/"])]
    fields: Annotated[
        dict[str, str], Field(examples=[{"key": f"uploads/default/{EXAMPLE_UPLOAD}", "Content-Type": "image/jpeg"}])
    ]
    expires_in: Annotated[int, Field(description="seconds", examples=[900])]


class UploadState(Answer):
    upload_id: Annotated[str, Field(examples=[EXAMPLE_UPLOAD])]
    status: UploadStatus
    collection: Annotated[str, Field(examples=[DEFAULT_COLLECTION])]
    image_id: Annotated[str | None, Field(examples=[EXAMPLE_ID])] = None
    grouping: Annotated[
        Grouping | None,
        Field(
            description="`done` once the image is in its group of near-duplicates, if there is one; `pending` while it "
            "must still be compared with images that arrived at the same time; null unless it was indexed"
        ),
    ] = None
    code: Annotated[str | None, Field(description="why it was rejected, for programs", examples=[None])] = None
    reason: Annotated[str | None, Field(description="why it was rejected, for people", examples=[None])] = None


class UrlRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, Field(min_length=1, max_length=MAX_URL_LENGTH, examples=["https://example.com/cat.jpg"])]
    collection: Annotated[Collection | None, Field(description="`default`, or the only one of the key")] = None


class UploadAccepted(Answer):
    upload_id: Annotated[str, Field(examples=[EXAMPLE_UPLOAD])]


class LegacyAnswer(Answer):
    """The legacy API's answer to an upload."""

    message: Annotated[str, Field(examples=["File uploaded successfully"])]
    filename: Annotated[str, Field(examples=["cat.jpg"])]
    hash: Annotated[str, Field(examples=[EXAMPLE_ID])]
    similar_images: Annotated[list[str], Field(examples=[[f"/uploads/{EXAMPLE_ID}.jpg"]])]
