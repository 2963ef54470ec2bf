"""The answers of the API, as the JSON that it sends. `docs/reference/api.md` explains their fields."""

from typing import Literal, TypedDict

Verdict = Literal["identical", "near-duplicate", "variant", "similar", "unrelated"]
Reason = Literal["same bytes", "same pixels"]
Ranking = Literal["fused", "classic", "cosine"]
Effort = Literal["fast", "balanced", "thorough"]
Order = Literal["newest", "oldest"]
Sort = Literal["added", "taken"]
TagMatch = Literal["any", "all"]
Drawing = Literal["matches", "difference"]
Decision = Literal["different", "both-kept"]
UploadStatus = Literal["pending", "indexed", "duplicate", "rejected"]
Grouping = Literal["pending", "done"]
ScanStatus = Literal["running", "done", "failed"]


class UploadForm(TypedDict):
    """Where and how to send an image: a multipart form with `fields` first and the part `file` last."""

    upload_id: str
    url: str
    fields: dict[str, str]
    expires_in: int


class UploadAccepted(TypedDict):
    upload_id: str


class UploadState(TypedDict):
    upload_id: str
    status: UploadStatus
    collection: str
    image_id: str | None
    grouping: Grouping | None
    code: str | None
    reason: str | None


class Link(TypedDict):
    """A link to an image's bytes that needs no key."""

    url: str
    expires_in: int


class LabelModel(TypedDict):
    name: str
    probability: float


class Location(TypedDict):
    """A position in degrees (WGS 84)."""

    latitude: float
    longitude: float


class Image(TypedDict):
    image_id: str
    collection: str
    url: str
    thumbnail_url: str
    width: int
    height: int
    format: str
    bytes: int
    phash: str
    pdq: str | None
    pdq_quality: int | None
    label: str | None
    labels: list[LabelModel]
    filename: str | None
    created_at: str
    model: str
    low_information: bool
    sharpness: float
    raw: bool
    damaged: bool
    intact: float
    pages: int
    pages_searched: int
    taken_at: str | None
    camera: str | None
    location: Location | None
    tags: list[str]
    decided_tags: dict[str, bool]
    favourite: bool
    external_id: str | None
    note: str | None
    fields: dict[str, str]


class TagCount(TypedDict):
    tag: str
    images: int


class TagList(TypedDict):
    """The tags of a collection, the most frequent first."""

    tags: list[TagCount]
    images: int
    exact: bool


class TrashedAlbum(TypedDict):
    album_id: str
    collection: str
    title: str
    description: str | None
    images: int
    created_at: str
    trashed_at: str
    purged_at: str


class TrashedAlbumPage(TypedDict):
    albums: list[TrashedAlbum]
    cursor: str | None
    days: int


class AlbumState(TypedDict):
    album_id: str
    collection: str
    title: str
    description: str | None
    cover: str | None
    cover_url: str | None
    images: int
    created_at: str


class AlbumPage(TypedDict):
    albums: list[AlbumState]
    cursor: str | None


class ChangedAlbum(TypedDict):
    album: AlbumState
    missing: list[str]


class ShareState(TypedDict):
    share_id: str
    created_at: str
    expires_at: str


class NewShare(ShareState):
    token: str
    url: str


class ShareList(TypedDict):
    """The links to an album that have not ended."""

    shares: list[ShareState]


class SharedAlbum(TypedDict):
    """What a link tells of its album."""

    title: str
    description: str | None
    expires_at: str


class SharedImage(TypedDict):
    """What a link tells of an image."""

    image_id: str
    url: str
    thumbnail_url: str
    width: int
    height: int
    taken_at: str | None


class SharedPage(TypedDict):
    images: list[SharedImage]
    cursor: str | None


class Source(TypedDict):
    bucket: str
    key: str
    version: str | None


class ImageWithSources(Image):
    sources: list[Source]


class ImagePage(TypedDict):
    images: list[Image]
    cursor: str | None


class OrbModel(TypedDict):
    matches: int
    inliers: int
    ratio: float


class Box(TypedDict):
    """A rectangle in an image, in fractions of its width and height."""

    left: float
    top: float
    width: float
    height: float


class Part(TypedDict):
    """The same part of both images."""

    query: Box
    match: Box


class Overlap(TypedDict):
    query: float
    match: float


class Scores(TypedDict):
    score: float
    verdict: Verdict
    reason: Reason | None
    cosine: float | None
    ssim: float
    ssim_aligned: float | None
    orb: OrbModel
    histogram: float
    low_information: bool
    mirrored: bool
    inverted: bool
    same_bytes: bool
    overlap: Overlap | None
    differences: list[Part]
    overlays: list[Part]
    page: int | None
    at: float | None


class Match(Scores):
    image_id: str
    image: Image


class SearchAnswer(TypedDict):
    matches: list[Match]
    model: str
    ranking: Ranking
    effort: Effort
    candidates: int
    bytes_examined: int | None
    took_ms: dict[str, float]
    low_information: bool
    notice: str | None


class HashMatch(TypedDict):
    hash: str
    hash_distance: int
    image_id: str
    image: Image


class HashMatchPage(TypedDict):
    matches: list[HashMatch]
    examined: int
    without_hash: int
    cursor: str | None


class Comparison(Scores):
    model: str


class CollectionState(TypedDict):
    collection: str
    title: str | None
    images: int
    exact: bool
    created_at: str | None
    faces: bool


class CollectionPage(TypedDict):
    collections: list[CollectionState]
    cursor: str | None


class DuplicateGroup(TypedDict):
    """One image and those that are near-duplicates of it, the one to keep first and then best first."""

    group_id: str
    best: str
    reasons: dict[str, str]
    chosen: bool
    images: list[Image]
    truncated: bool


class DuplicatePage(TypedDict):
    groups: list[DuplicateGroup]
    cursor: str | None


class DecidedPair(TypedDict):
    """What was decided on two images, which the collection need not have any more."""

    images: list[str]
    decision: Decision


class DecisionPage(TypedDict):
    decisions: list[DecidedPair]
    cursor: str | None


class DeletedDuplicate(TypedDict):
    image_id: str
    filename: str | None
    reason: str


class ResolvedGroup(TypedDict):
    group_id: str
    kept: list[str]
    deleted: list[DeletedDuplicate]


class ResolvedDuplicates(TypedDict):
    dry_run: bool
    groups: list[ResolvedGroup]
    deleted: int
    cursor: str | None


class DuplicateCheckState(TypedDict):
    """The progress of comparing every image of a collection again."""

    collection: str
    status: ScanStatus
    images: int
    done: int
    changed: int
    started_at: str


class TrashedImage(Image):
    trashed_at: str
    purged_at: str


class TrashPage(TypedDict):
    images: list[TrashedImage]
    cursor: str | None
    days: int


class Face(TypedDict):
    """A face in an image; `person_id` is None if it belongs to nobody."""

    face_id: str
    image_id: str
    collection: str
    box: Box
    score: float
    eye_distance: float
    person_id: str | None
    confirmed: bool
    thumbnail_url: str


class Person(TypedDict):
    person_id: str
    collection: str
    name: str | None
    hidden: bool
    faces: int
    cover: Face | None
    merged: list[str]
    created_at: str


class PersonRecord(TypedDict):
    """A person, and what somebody decided about them, as it is moved to another collection."""

    person_id: str
    name: str | None
    hidden: bool
    cover: str | None
    sample: str | None
    into: str | None
    released: str | None
    apart: list[str]
    kept: bool
    named_by: str | None
    origin: str | None
    created_at: str


class FaceRecord(TypedDict):
    """A face, also of an image that is gone, and what is known of it."""

    face_id: str
    face_model: str
    box: Box
    score: float
    presence: float
    eye_distance: float
    person_id: str | None
    confirmed: bool
    rejected: list[str]
    former: list[str]


class PeopleRecords(TypedDict):
    persons: list[PersonRecord]
    faces: list[FaceRecord]
    cursor: str | None


class PersonPage(TypedDict):
    people: list[Person]
    cursor: str | None


class People(TypedDict):
    people: list[Person]


class FacePage(TypedDict):
    faces: list[Face]
    cursor: str | None


class NearPerson(TypedDict):
    """A person who may be the one asked for, with the distance between their faces."""

    person: Person
    distance: float


class Pair(TypedDict):
    """Two persons who may be the same."""

    person: Person
    other: NearPerson


class PairPage(TypedDict):
    pairs: list[Pair]
    cursor: str | None


class Suggestions(TypedDict):
    people: list[NearPerson]
    faces: list[Face]


class QueryFace(TypedDict):
    """A face of a picture that was sent, the person whom it would join, and others whom it may be."""

    box: Box
    score: float
    person: Person | None
    near: list[NearPerson]


class PeopleAnswer(TypedDict):
    faces: list[QueryFace]


class Erased(TypedDict):
    faces: int


class ModelState(TypedDict):
    id: str
    network: str
    instead_of: str | None
    labels: bool
    untrained: bool


class Stats(TypedDict):
    collection: str
    title: str | None
    images: int
    exact: bool
    model: ModelState
    models: list[str]
    face_model: str | None
    notice: str | None
    versions: dict[str, str]
    limits: dict[str, int]
    endings: list[str]


class Health(TypedDict):
    status: str
    version: str


class LegacyAnswer(TypedDict):
    message: str
    filename: str
    hash: str
    similar_images: list[str]
