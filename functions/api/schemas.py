"""Request and response models of the API."""

from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from shared.domain.duplicate_scans import ScanStatus
from shared.domain.duplicates import Decision
from shared.domain.formats import MEDIA_TYPES
from shared.domain.images import COLLECTION_PATTERN, IMAGE_ID_PATTERN, Grouping, UploadStatus
from shared.domain.limits import (
    DEFAULT_COLLECTION,
    MAX_ALBUM_CHANGES,
    MAX_DESCRIPTION_LENGTH,
    MAX_FIELD_LENGTH,
    MAX_FIELD_NAME_LENGTH,
    MAX_FIELDS,
    MAX_HASHES,
    MAX_NOTE_LENGTH,
    MAX_PAGE,
    MAX_PAGES_SEARCHED,
    MAX_QUERY_BYTES,
    MAX_SHARE_DAYS,
    MAX_TAGS,
    MAX_TITLE_LENGTH,
    MAX_URL_LENGTH,
    SHARE_DAYS,
)
from shared.domain.matches import Effort, Ranking, Reason, Verdict
from shared.domain.perceptual_hashes import PDQ_PATTERN, PHASH_PATTERN
from shared.version import VERSION

EXAMPLE_ID = "3d3a6c7b3a4f6f0a0a3c5d6bb5c2a8d1f6a0c9e47b1e2f3d4c5b6a7988776655"
EXAMPLE_UPLOAD = "0f8fad5bd9cb469fa16570867728950e"
EXAMPLE_IMAGE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVQI12NoaGgAAAMEAYGa8M1PAAAAAElFTkSuQmCC"
"""A PNG of one gray pixel."""
EXAMPLE_MODEL = "resnet50-imagenet-f16"

EXAMPLE_PHASH = "c3d41e6b9a2f5570"
EXAMPLE_PDQ = "5feb5321f01da156898e2b7629a5d3438412cdbd23f48942464526317db33ffd"

Collection = Annotated[str, Field(pattern=COLLECTION_PATTERN, examples=[DEFAULT_COLLECTION])]
ImageId = Annotated[str, Field(pattern=IMAGE_ID_PATTERN, examples=[EXAMPLE_ID])]


class Answer(BaseModel):
    """What the API answers; its validator is built when it is first needed, so that a cold start need not wait."""

    model_config = ConfigDict(defer_build=True)


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


class TagCount(Answer):
    tag: Annotated[str, Field(examples=["dog"])]
    images: Annotated[int, Field(ge=1, examples=[60])]


class TagList(BaseModel):
    """The tags of a collection, the most frequent first."""

    tags: list[TagCount]
    images: Annotated[int, Field(ge=0, description="how many images were counted", examples=[500])]
    exact: Annotated[bool, Field(description="if false, only the newest images were counted")]


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
    cursor: Annotated[
        str | None, Field(description="pass it to get the next page; null on the last page", examples=[None])
    ]


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
    cursor: Annotated[
        str | None, Field(description="pass it to get the next page; null on the last page", examples=[None])
    ]


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
    cursor: Annotated[
        str | None, Field(description="pass it to get the next page; null on the last page", examples=[None])
    ]


class DuplicateGroup(Answer):
    """One image and those that are near-duplicates of it, the one to keep first and then best first."""

    group_id: Annotated[
        str, Field(examples=[EXAMPLE_ID], description="the image that was kept when the group last changed")
    ]
    best: Annotated[str, Field(examples=[EXAMPLE_ID], description="the one to keep, by evidence of quality")]
    reasons: Annotated[
        dict[str, str],
        Field(
            description="for each other image, why `best` is kept and not that one",
            examples=[{EXAMPLE_ID: "It has fine detail that the other copy has lost."}],
        ),
    ]
    chosen: Annotated[bool, Field(description="whether somebody chose `best` by hand")]
    images: list[Image]
    truncated: Annotated[bool, Field(description="whether the group has more images than these")]


class DuplicatePage(Answer):
    groups: list[DuplicateGroup]
    cursor: Annotated[
        str | None, Field(description="pass it to get the next page; null on the last page", examples=[None])
    ]


class KeptImage(BaseModel):
    model_config = ConfigDict(extra="forbid")

    image_id: ImageId


class DuplicateDecision(BaseModel):
    model_config = ConfigDict(extra="forbid")

    images: Annotated[list[ImageId], Field(min_length=2, max_length=2)]
    decision: Decision | None
    collection: Annotated[Collection | None, Field(description="`default`, or the only one of the key")] = None
    absent: Annotated[
        bool, Field(description="remember it also of images that the collection does not have, for when they come")
    ] = False


class DecidedPair(Answer):
    """What was decided on two images, which the collection need not have any more."""

    images: Annotated[list[ImageId], Field(min_length=2, max_length=2)]
    decision: Decision


class DecisionPage(Answer):
    decisions: list[DecidedPair]
    cursor: Annotated[
        str | None, Field(description="pass it to get the next page; null on the last page", examples=[None])
    ]


class GroupToResolve(BaseModel):
    model_config = ConfigDict(extra="forbid")

    group_id: Annotated[ImageId, Field(description="the group's id, or that of any of its images")]
    keep: Annotated[
        list[ImageId], Field(max_length=MAX_PAGE, description="the images to keep; by default the best one")
    ] = []


class DuplicateResolution(BaseModel):
    model_config = ConfigDict(extra="forbid")

    groups: Annotated[
        list[GroupToResolve] | None,
        Field(min_length=1, max_length=24, description="by default all of the collection, 24 at a time"),
    ] = None
    dry_run: Annotated[bool, Field(description="only answer what would be done")] = True
    cursor: Annotated[
        str | None, Field(max_length=1024, description="the cursor of the previous answer", examples=[None])
    ] = None
    collection: Annotated[Collection | None, Field(description="`default`, or the only one of the key")] = None


class DeletedDuplicate(Answer):
    image_id: Annotated[str, Field(examples=[EXAMPLE_ID])]
    filename: Annotated[str | None, Field(examples=["cat.jpg"])] = None
    reason: Annotated[
        str, Field(examples=["It has more real detail: the other copy was reduced, enlarged or blurred."])
    ]


class ResolvedGroup(Answer):
    group_id: Annotated[str, Field(examples=[EXAMPLE_ID])]
    kept: Annotated[list[str], Field(examples=[[EXAMPLE_ID]])]
    deleted: Annotated[list[DeletedDuplicate], Field(description="with the reason why the first of `kept` is better")]


class ResolvedDuplicates(Answer):
    dry_run: Annotated[bool, Field(description="if true, nothing was changed")]
    groups: list[ResolvedGroup]
    deleted: Annotated[
        int, Field(ge=0, description="number of images that were, or would be, moved into the trash", examples=[3])
    ]
    cursor: Annotated[
        str | None, Field(description="pass it to resolve the next groups; null after the last", examples=[None])
    ]


class DuplicateCheckState(Answer):
    """The progress of comparing every image of a collection again."""

    collection: Annotated[str, Field(examples=[DEFAULT_COLLECTION])]
    status: ScanStatus
    images: Annotated[int, Field(ge=0, description="how many there were at the start", examples=[500])]
    done: Annotated[int, Field(ge=0, examples=[120])]
    changed: Annotated[int, Field(ge=0, description="images whose group changed", examples=[3])]
    started_at: Annotated[str, Field(examples=["2026-11-28T18:00:00+00:00"])]


class TrashedImage(Image):
    trashed_at: Annotated[str, Field(description="when it was deleted", examples=["2026-11-28T18:00:00+00:00"])]
    purged_at: Annotated[str, Field(description="from when on it is purged", examples=["2026-12-28T18:00:00+00:00"])]


class TrashPage(Answer):
    images: list[TrashedImage]
    cursor: Annotated[
        str | None, Field(description="pass it to get the next page; null on the last page", examples=[None])
    ]
    days: Annotated[int, Field(description="how long a deleted image can be restored", examples=[30])]


class Source(Answer):
    bucket: Annotated[str, Field(examples=["pictrace-uploads"])]
    key: Annotated[str, Field(examples=[f"uploads/default/{EXAMPLE_UPLOAD}"])]
    version: Annotated[str | None, Field(examples=[None])] = None


class ImageWithSources(Image):
    sources: list[Source]


class ImagePage(Answer):
    images: list[Image]
    cursor: Annotated[
        str | None, Field(description="pass it to get the next page; null on the last page", examples=[None])
    ]


class OrbModel(Answer):
    matches: Annotated[int, Field(description="keypoint pairs that pass the ratio test", examples=[197])]
    inliers: Annotated[int, Field(description="pairs that one geometric transform explains", examples=[147])]
    ratio: Annotated[float, Field(ge=0, le=1, examples=[0.394])]


class Box(Answer):
    """A rectangle in an image, in fractions of its width and height."""

    model_config = ConfigDict(strict=True)

    left: Annotated[float, Field(ge=0, le=1, examples=[0.62])]
    top: Annotated[float, Field(ge=0, le=1, examples=[0.41])]
    width: Annotated[float, Field(ge=0, le=1, examples=[0.08])]
    height: Annotated[float, Field(ge=0, le=1, examples=[0.02])]


class Part(Answer):
    """The same part of both images."""

    query: Annotated[Box, Field(description="its position in the query, or in `a`")]
    match: Annotated[Box, Field(description="its position in the match, or in `b`")]


class Overlap(Answer):
    query: Annotated[float, Field(ge=0, le=1, description="share of the query that the match shows", examples=[1.0])]
    match: Annotated[float, Field(ge=0, le=1, description="share of the match that the query shows", examples=[0.48])]


class Scores(Answer):
    score: Annotated[float, Field(ge=0, le=1, description="higher is more similar", examples=[0.99999])]
    verdict: Verdict
    reason: Annotated[Reason | None, Field(description="why they are `identical`; null for every other verdict")]
    cosine: Annotated[float | None, Field(description="of the model's features, -1 to 1", examples=[0.99873])]
    ssim: Annotated[float, Field(description="-1 to 1", examples=[0.23234])]
    ssim_aligned: Annotated[float | None, Field(description="after the transform that ORB found", examples=[0.90305])]
    orb: OrbModel
    histogram: Annotated[float, Field(description="correlation of 8x8x8 RGB histograms, -1 to 1", examples=[0.97461])]
    low_information: Annotated[
        bool, Field(description="one of the images has too little to recognise it by, so agreement means nothing")
    ]
    mirrored: Annotated[bool, Field(description="whether the scores are those of the query's mirror image")]
    inverted: Annotated[
        bool,
        Field(
            description="whether the scores are those of the query with light and dark exchanged: it is a drawing in "
            "gray, and the match its white or black version"
        ),
    ] = False
    same_bytes: Annotated[
        bool, Field(description="whether the files are the same; identical images may differ in metadata or encoding")
    ]
    overlap: Annotated[Overlap | None, Field(description="null if the images could not be registered")]
    differences: Annotated[list[Part], Field(description="parts that differ, largest first")]
    overlays: Annotated[
        list[Part],
        Field(description="parts in which one image covers content of the other: a caption, a logo, a border"),
    ]
    page: Annotated[
        int | None,
        Field(
            ge=1,
            description="the page or frame of the match that the query shows; null if it has only one image, or none "
            "of them was recognised",
            examples=[None],
        ),
    ] = None
    at: Annotated[
        float | None,
        Field(ge=0, description="when that frame is shown, in seconds from the animation's start", examples=[None]),
    ] = None


class Match(Scores):
    image_id: Annotated[str, Field(examples=[EXAMPLE_ID])]
    image: Image


class SearchAnswer(Answer):
    matches: list[Match]
    model: Annotated[str, Field(examples=[EXAMPLE_MODEL])]
    ranking: Ranking
    effort: Effort
    candidates: Annotated[int, Field(description="number of images compared with the query", examples=[16])]
    bytes_examined: Annotated[
        int | None, Field(description="total that the vector indexes report and bill", examples=[393_216])
    ]
    took_ms: Annotated[dict[str, float], Field(examples=[{"features": 21.4, "candidates": 8.0, "total": 52.3}])]
    low_information: Annotated[bool, Field(description="the query has too little to recognise it by")]
    notice: Annotated[str | None, Field(description="a note to users about this result", examples=[None])] = None


PHash = Annotated[str, Field(pattern=PHASH_PATTERN, examples=[EXAMPLE_PHASH])]
PdqHash = Annotated[str, Field(pattern=PDQ_PATTERN, examples=[EXAMPLE_PDQ])]


class HashQuery(BaseModel):
    """One hash, or several of the same kind."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "minProperties": 1,
            "maxProperties": 1,
            "examples": [{"pdq": EXAMPLE_PDQ}, {"phash": [EXAMPLE_PHASH]}],
        },
    )

    phash: Annotated[
        PHash | Annotated[list[PHash], Field(min_length=1, max_length=MAX_HASHES)] | None,
        Field(description="pHash, 16 hex digits", examples=[EXAMPLE_PHASH]),
    ] = None
    pdq: Annotated[
        PdqHash | Annotated[list[PdqHash], Field(min_length=1, max_length=MAX_HASHES)] | None,
        Field(description="PDQ hash, 64 hex digits", examples=[None]),
    ] = None


class HashMatch(Answer):
    """An image near a hash that was asked for. It has no verdict, because a hash alone proves nothing."""

    hash: Annotated[str, Field(description="the hash that was asked for, in lower case", examples=[EXAMPLE_PHASH])]
    hash_distance: Annotated[int, Field(ge=0, description="number of bits that differ", examples=[2])]
    image_id: Annotated[str, Field(examples=[EXAMPLE_ID])]
    image: Image


class HashMatchPage(Answer):
    matches: Annotated[list[HashMatch], Field(description="nearest first")]
    examined: Annotated[int, Field(description="number of images whose hashes were compared", examples=[4_200])]
    without_hash: Annotated[
        int, Field(description="how many of them have no hash of this kind, and cannot be found", examples=[0])
    ]
    cursor: Annotated[
        str | None,
        Field(description="pass it to search the rest of the collection; null if all was searched", examples=[None]),
    ]


class Comparison(Scores):
    model: Annotated[str, Field(examples=[EXAMPLE_MODEL])]


class ModelState(Answer):
    id: Annotated[str, Field(examples=[EXAMPLE_MODEL])]
    network: Annotated[str, Field(description="its display name", examples=["ResNet50"])]
    instead_of: Annotated[
        str | None, Field(description="the configured network, if its weights were not available", examples=[None])
    ]
    labels: Annotated[bool, Field(description="whether it assigns labels")]
    untrained: Annotated[bool, Field(description="always false: every network is trained", deprecated=True)]


class Stats(Answer):
    collection: Annotated[str, Field(examples=[DEFAULT_COLLECTION])]
    title: Annotated[str | None, Field(description="the name for people", examples=["Holidays 2026"])] = None
    images: Annotated[int, Field(ge=0, examples=[500])]
    exact: Annotated[bool, Field(description="if false, `images` is a lower bound")]
    model: Annotated[ModelState, Field(description="the active one")]
    models: Annotated[
        list[str],
        Field(description="every model that can be used: two while images are reindexed", examples=[[EXAMPLE_MODEL]]),
    ]
    face_model: Annotated[
        str | None,
        Field(description="what finds faces; null if the deployment cannot", examples=["dlib-resnet-v1-f16"]),
    ] = None
    notice: Annotated[str | None, Field(description="a note to users about the model", examples=[None])]
    versions: Annotated[dict[str, str], Field(examples=[{"pictrace": VERSION}])]
    limits: Annotated[
        dict[str, int], Field(description="in bytes and pixels", examples=[{"max_query_bytes": MAX_QUERY_BYTES}])
    ]
    endings: Annotated[
        list[str],
        Field(
            description="endings of the names of image files, for choosing files in a folder; what a file is, its "
            "bytes decide",
            examples=[["jpg", "heic", "nef"]],
        ),
    ] = []


class Health(Answer):
    status: Annotated[str, Field(examples=["ok"])]
    version: Annotated[str, Field(examples=[VERSION])]


class LegacyAnswer(Answer):
    """The legacy API's answer to an upload."""

    message: Annotated[str, Field(examples=["File uploaded successfully"])]
    filename: Annotated[str, Field(examples=["cat.jpg"])]
    hash: Annotated[str, Field(examples=[EXAMPLE_ID])]
    similar_images: Annotated[list[str], Field(examples=[[f"/uploads/{EXAMPLE_ID}.jpg"]])]


IMAGE: dict[str, Any] = {"contentType": ", ".join(sorted(MEDIA_TYPES.values()))}
"""The OpenAPI encoding of a multipart part that is an image."""

UPLOAD_BODY: dict[str, Any] = {"requestBody": {"content": {"multipart/form-data": {"encoding": {"file": IMAGE}}}}}
IMAGE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                },
                "encoding": {"file": IMAGE},
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
                    "stored image": {"value": {"image_id": EXAMPLE_ID}},
                    "upload": {"value": {"upload_id": EXAMPLE_UPLOAD}},
                    "inline": {"value": {"image_base64": EXAMPLE_IMAGE}},
                },
            },
        },
    }
}
_IMAGE_JSON: Final = IMAGE_BODY["requestBody"]["content"]["application/json"]
_HASHES: Final = {
    "phash": {"type": "string", "pattern": PHASH_PATTERN},
    "pdq": {"type": "string", "pattern": PDQ_PATTERN},
}
SEARCH_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            **IMAGE_BODY["requestBody"]["content"],
            "application/json": {
                "schema": _IMAGE_JSON["schema"] | {"properties": _IMAGE_JSON["schema"]["properties"] | _HASHES},
                "examples": _IMAGE_JSON["examples"] | {"hash": {"value": {"phash": EXAMPLE_PHASH}}},
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
                "encoding": {"a": IMAGE, "b": IMAGE},
            },
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["a", "b"],
                    "additionalProperties": False,
                    "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
                },
                "examples": {
                    "stored images": {"value": {"a": EXAMPLE_ID, "b": EXAMPLE_ID}},
                    "a stored one and one on the web": {"value": {"a": "https://example.com/cat.jpg", "b": EXAMPLE_ID}},
                },
            },
        },
    }
}
