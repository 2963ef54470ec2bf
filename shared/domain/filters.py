"""Which images of a collection a listing or a search returns, and in which order a listing returns them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from shared.domain.annotations import Annotations
from shared.domain.images import ImageRecord
from shared.domain.tags import TagMatch, has_tags


class Order(StrEnum):
    NEWEST = "newest"
    OLDEST = "oldest"


class Sort(StrEnum):
    """By which time a listing is sorted: that of indexing, or `ImageRecord.dated_at`."""

    ADDED = "added"
    TAKEN = "taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFilter:
    """Conditions that an image must meet; those that are None or empty are met by every image.

    Attributes:
        labels: in canonical form; one of them must be among the image's labels.
        since, until: bounds of `created_at`, both included, in the same format.
        taken_from, taken_to: bounds of `dated_at`, both included, in the same format.
        format: a key of `MEDIA_TYPES`.
        min_pixels, max_pixels: bounds of width x height.
        filename: a part of the file name, in any case.
        external_id, fields: annotations, compared exactly.
        favourite: whether it is a favourite.
        tags: in canonical form; `tag_match` says whether it must have one of them or all.
        album: the id of an album that must have it. A record does not tell: listings read the album.
    """

    labels: frozenset[str] | None = None
    since: str | None = None
    until: str | None = None
    taken_from: str | None = None
    taken_to: str | None = None
    format: str | None = None
    min_bytes: int | None = None
    max_bytes: int | None = None
    min_pixels: int | None = None
    max_pixels: int | None = None
    filename: str | None = None
    external_id: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    favourite: bool | None = None
    tags: frozenset[str] = frozenset()
    tag_match: TagMatch = TagMatch.ANY
    album: str | None = None

    @property
    def needs_annotations(self) -> bool:
        """Whether only annotated images can be accepted."""
        return self.external_id is not None or bool(self.fields) or self.favourite is True

    @property
    def depends_on_annotations(self) -> bool:
        """Whether annotations decide which images are accepted."""
        return self.needs_annotations or self.favourite is not None or bool(self.tags)

    def bounds(self, sort: Sort) -> tuple[str | None, str | None]:
        """Return the bounds of the time by which a listing is sorted."""
        return (self.since, self.until) if sort is Sort.ADDED else (self.taken_from, self.taken_to)

    def selective(self, sort: Sort) -> bool:
        """Return whether it has conditions besides the bounds of that time, for which every record must be read."""
        if sort is Sort.ADDED:
            return self != ImageFilter(since=self.since, until=self.until)
        return self != ImageFilter(taken_from=self.taken_from, taken_to=self.taken_to)

    def accepts(self, record: ImageRecord) -> bool:
        """Return whether an image meets all conditions."""
        pixels = record.width * record.height
        return (
            (self.labels is None or record.has_any(self.labels))
            and (self.since is None or record.created_at >= self.since)
            and (self.until is None or record.created_at <= self.until)
            and (self.taken_from is None or record.dated_at >= self.taken_from)
            and (self.taken_to is None or record.dated_at <= self.taken_to)
            and (self.format is None or record.format == self.format)
            and (self.min_bytes is None or record.bytes >= self.min_bytes)
            and (self.max_bytes is None or record.bytes <= self.max_bytes)
            and (self.min_pixels is None or pixels >= self.min_pixels)
            and (self.max_pixels is None or pixels <= self.max_pixels)
            and (self.filename is None or self.filename.casefold() in (record.filename or "").casefold())
            and self.accepts_annotations(record.annotations)
            and (not self.tags or has_tags(record.tags, self.tags, self.tag_match))
        )

    def accepts_annotations(self, found: Annotations) -> bool:
        """Return whether annotations meet the conditions on them."""
        return (
            (self.external_id is None or found.external_id == self.external_id)
            and (self.favourite is None or found.favourite is self.favourite)
            and all(found.fields.get(name) == value for name, value in self.fields.items())
        )


EVERYTHING: Final = ImageFilter()
