"""The parameters and JSON bodies of the calls. What is left out, or None, is not sent."""

from collections.abc import Sequence
from typing import Literal, NotRequired, TypedDict

from pictrace.answers import Decision, Effort, Order, Ranking, Sort, TagMatch, Verdict


class InCollection(TypedDict, total=False):
    collection: str | None


class PageParameters(TypedDict, total=False):
    limit: int | None
    cursor: str | None


class CollectionPageParameters(InCollection, PageParameters):
    pass


class Annotated(TypedDict, total=False):
    """Conditions on the caller's own metadata; each `field` is `name:value`."""

    external_id: str | None
    field: Sequence[str]


class ListParameters(CollectionPageParameters, Annotated, total=False):
    sort: Sort | None
    order: Order | None
    label: str | None
    since: str | None
    until: str | None
    taken_from: str | None
    taken_to: str | None
    format: str | None
    min_bytes: int | None
    max_bytes: int | None
    min_pixels: int | None
    max_pixels: int | None
    filename: str | None
    tag: str | None
    match: TagMatch | None
    favourite: bool | None
    album: str | None
    people: str | None


class PeopleParameters(CollectionPageParameters, total=False):
    hidden: bool | None


class FaceParameters(CollectionPageParameters, total=False):
    image_id: str | None


class RejectedPerson(InCollection, total=False):
    person_id: str | None


class PersonChange(TypedDict, total=False):
    name: str | None
    hidden: bool | None
    cover: str | None


class FaceOwner(TypedDict, total=False):
    """Either the id of a person, or the name of a new one."""

    person_id: str | None
    name: str | None


class CompareParameters(TypedDict, total=False):
    ranking: Ranking | None
    model: str | None


class SearchParameters(CompareParameters, InCollection, Annotated, total=False):
    k: int | None
    min_score: float | None
    min_verdict: Verdict | None
    label: str | None
    effort: Effort | None


class HashParameters(CollectionPageParameters, total=False):
    distance: int | None


class RemovalParameters(InCollection, total=False):
    collections: Literal["all"] | None


class DownloadParameters(InCollection, total=False):
    download: bool | None


class ImageChange(TypedDict, total=False):
    """A JSON merge patch: what is left out stays, and None removes a value."""

    external_id: str | None
    note: str | None
    fields: dict[str, str | None]
    favourite: bool | None
    decided_tags: dict[str, bool | None]


class GroupToResolve(TypedDict):
    group_id: str
    keep: NotRequired[list[str]]


class DuplicateResolution(TypedDict, total=False):
    groups: list[GroupToResolve] | None
    dry_run: bool
    cursor: str | None
    collection: str | None


class AlbumPageParameters(CollectionPageParameters, total=False):
    image_id: str | None


class AlbumUpdate(TypedDict, total=False):
    """What is left out stays; None removes the description or the cover."""

    title: str | None
    description: str | None
    cover: str | None


class AlbumImages(TypedDict, total=False):
    add: Sequence[str]
    remove: Sequence[str]


class DuplicateDecision(TypedDict):
    images: list[str]
    decision: Decision | None
    absent: NotRequired[bool]
    collection: NotRequired[str | None]
