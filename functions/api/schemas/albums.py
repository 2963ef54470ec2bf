"""Models of albums, of the links to them, and of what a link shows."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from functions.api.schemas.common import (
    EXAMPLE_ID,
    EXAMPLE_IMAGE,
    EXAMPLE_UPLOAD,
    Answer,
    Collection,
    ImageId,
    NextCursor,
)
from shared.domain.limits import (
    DEFAULT_COLLECTION,
    MAX_ALBUM_CHANGES,
    MAX_DESCRIPTION_LENGTH,
    MAX_SHARE_DAYS,
    MAX_TITLE_LENGTH,
    SHARE_DAYS,
)

AlbumTitle = Annotated[str, Field(min_length=1, max_length=MAX_TITLE_LENGTH, examples=["Holidays 2026"])]
AlbumDescription = Annotated[str, Field(max_length=MAX_DESCRIPTION_LENGTH)]
AlbumImageIds = Annotated[list[ImageId], Field(max_length=MAX_ALBUM_CHANGES)]


class AlbumContent(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: AlbumTitle
    description: Annotated[AlbumDescription | None, Field(examples=["A week at the sea"])] = None


class AlbumCreation(AlbumContent):
    collection: Annotated[Collection | None, Field(description="`default`, or the only one of the key")] = None


class AlbumUpdate(BaseModel):
    """What to change: what is left out stays, and null removes the description or the cover."""

    model_config = ConfigDict(extra="forbid")

    title: AlbumTitle | None = None
    description: Annotated[AlbumDescription | None, Field(examples=["A week at the sea"])] = None
    cover: Annotated[ImageId | None, Field(description="an image of the album")] = None


class TrashedAlbum(Answer):
    album_id: Annotated[str, Field(examples=[EXAMPLE_UPLOAD])]
    collection: Annotated[str, Field(examples=[DEFAULT_COLLECTION])]
    title: Annotated[str, Field(examples=["Holidays 2026"])]
    description: Annotated[str | None, Field(examples=["A week at the sea"])]
    images: Annotated[int, Field(ge=0, description="how many it has, those in the trash included", examples=[12])]
    created_at: Annotated[str, Field(examples=["2026-11-28T18:00:00+00:00"])]
    trashed_at: Annotated[str, Field(description="when it was deleted", examples=["2026-11-28T18:00:00+00:00"])]
    purged_at: Annotated[str, Field(description="from when on it is purged", examples=["2026-12-28T18:00:00+00:00"])]


class TrashedAlbumPage(Answer):
    albums: list[TrashedAlbum]
    cursor: NextCursor
    days: Annotated[int, Field(description="how long a deleted album can be restored", examples=[30])]


class AlbumState(Answer):
    album_id: Annotated[str, Field(examples=[EXAMPLE_UPLOAD])]
    collection: Annotated[str, Field(examples=[DEFAULT_COLLECTION])]
    title: Annotated[str, Field(examples=["Holidays 2026"])]
    description: Annotated[str | None, Field(examples=["A week at the sea"])]
    cover: Annotated[
        str | None,
        Field(description="the image that stands for it: the chosen one, else the newest", examples=[EXAMPLE_ID]),
    ]
    cover_url: Annotated[
        str | None, Field(description="its thumbnail, as `thumbnail_url` of an image", examples=[None])
    ]
    images: Annotated[int, Field(ge=0, description="how many it has, those in the trash included", examples=[12])]
    created_at: Annotated[str, Field(examples=["2026-11-28T18:00:00+00:00"])]


class AlbumPage(Answer):
    albums: list[AlbumState]
    cursor: NextCursor


class AlbumImages(BaseModel):
    model_config = ConfigDict(extra="forbid")

    add: AlbumImageIds = []
    remove: AlbumImageIds = []


class ChangedAlbum(Answer):
    album: AlbumState
    missing: Annotated[
        list[str],
        Field(
            examples=[[EXAMPLE_IMAGE]],
            description="images that were to be added, and that the collection does not have",
        ),
    ]


class ShareCreation(BaseModel):
    model_config = ConfigDict(extra="forbid")

    days: Annotated[int, Field(ge=1, le=MAX_SHARE_DAYS, description="after how many days it ends", examples=[30])] = (
        SHARE_DAYS
    )


class ShareState(Answer):
    share_id: Annotated[str, Field(examples=[EXAMPLE_UPLOAD])]
    created_at: Annotated[str, Field(examples=["2026-11-28T18:00:00+00:00"])]
    expires_at: Annotated[str, Field(examples=["2026-12-28T18:00:00+00:00"])]


class NewShare(ShareState):
    token: Annotated[
        str,
        Field(description="the secret of the link; it is not stored, and cannot be read again", examples=["x" * 43]),
    ]
    url: Annotated[str, Field(description="the page of the album", examples=["/shared/…"])]


class ShareList(Answer):
    """The links to an album that have not ended."""

    shares: list[ShareState]


class SharedAlbum(Answer):
    """What a link tells of its album."""

    title: Annotated[str, Field(examples=["Holidays 2026"])]
    description: Annotated[str | None, Field(examples=["A week at the sea"])]
    expires_at: Annotated[str, Field(examples=["2026-12-28T18:00:00+00:00"])]


class SharedImage(Answer):
    """What a link tells of an image."""

    image_id: Annotated[str, Field(examples=[EXAMPLE_ID])]
    url: Annotated[
        str,
        Field(
            description="redirects to the image as a WebP of at most 1,024 pixels a side, without metadata",
            examples=["/v1/shared/…/images/…/content"],
        ),
    ]
    thumbnail_url: Annotated[str, Field(examples=["https://pictrace-uploads.s3.amazonaws.com/thumbnails/…"])]
    width: Annotated[int, Field(examples=[451])]
    height: Annotated[int, Field(examples=[300])]
    taken_at: Annotated[str | None, Field(examples=["2026-11-20T17:16:53+01:00"])]


class SharedPage(Answer):
    images: list[SharedImage]
    cursor: NextCursor
