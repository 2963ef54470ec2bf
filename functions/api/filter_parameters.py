"""Dependencies that read the conditions of listings and searches from the query."""

from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Annotated, Final

from fastapi import Depends, Query

from functions.api.dependencies import LabelQuery, Needs
from functions.api.problems import Problem
from shared.domain.filters import ImageFilter
from shared.domain.formats import MEDIA_TYPES
from shared.domain.limits import MAX_FIELD_LENGTH, MAX_FIELDS, MAX_FILENAME_LENGTH, MAX_TAGS_WANTED
from shared.domain.tags import SEPARATOR, TagMatch, canonical_tag

DATE_LENGTH: Final = len("2026-11-28")


MatchQuery = Annotated[
    TagMatch | None,
    Query(description="whether one of the tags or people is enough; by default one of the tags, but all people"),
]


async def annotation_filter(
    external_id: Annotated[
        str | None, Query(max_length=MAX_FIELD_LENGTH, description="only images with this id of the caller's own")
    ] = None,
    field: Annotated[
        list[str],
        Query(
            max_length=MAX_FIELDS,
            description="only images with this field, as `name:value`; may be repeated",
            examples=[["photographer:Ada"]],
        ),
    ] = [],  # noqa: B006 - FastAPI copies it
) -> ImageFilter:
    """Return the conditions on annotations."""
    fields = {}
    for text in field:
        name, colon, value = text.partition(":")
        if not colon or not name:
            raise Problem("invalid-request", "field: Send a name and a value, as in `field=photographer:Ada`.")
        fields[name] = value
    return ImageFilter(external_id=external_id, fields=fields)


AnnotationFilter = Annotated[ImageFilter, Depends(annotation_filter)]


def listing_filter(
    services: Needs,
    annotations: AnnotationFilter,
    label: LabelQuery = None,
    since: Annotated[
        str | None,
        Query(max_length=40, description="only images indexed at this time or later", examples=["2026-11-20"]),
    ] = None,
    until: Annotated[
        str | None,
        Query(
            max_length=40,
            description="only images indexed at this time or earlier; a date includes its day",
            examples=["2026-11-28"],
        ),
    ] = None,
    taken_from: Annotated[
        str | None,
        Query(max_length=40, description="only images taken at this local time or later", examples=["2026-11-01"]),
    ] = None,
    taken_to: Annotated[
        str | None,
        Query(
            max_length=40,
            description="only images taken at this local time or earlier; a date includes its day. An image whose file "
            "has no date counts as taken when it was indexed",
            examples=["2026-11-30"],
        ),
    ] = None,
    format: Annotated[  # noqa: A002 - the name of the parameter
        str | None, Query(pattern=f"^({'|'.join(MEDIA_TYPES)})$", description="only images of this format")
    ] = None,
    min_bytes: Annotated[int | None, Query(ge=0, description="only files of at least this size")] = None,
    max_bytes: Annotated[int | None, Query(ge=0, description="only files of at most this size")] = None,
    min_pixels: Annotated[int | None, Query(ge=0, description="only images of at least this width x height")] = None,
    max_pixels: Annotated[int | None, Query(ge=0, description="only images of at most this width x height")] = None,
    filename: Annotated[
        str | None,
        Query(min_length=1, max_length=MAX_FILENAME_LENGTH, description="only images whose file name contains this"),
    ] = None,
    tag: Annotated[
        str | None,
        Query(max_length=1024, description="only images with one of these tags, in any case", examples=["dog,beach"]),
    ] = None,
    match: MatchQuery = None,
    favourite: Annotated[bool | None, Query(description="only favourites, or only others")] = None,
) -> ImageFilter:
    """Return the conditions of a listing."""
    return replace(
        annotations,
        labels=services.model.classes(label) if label else None,
        since=_bound("since", since, time.min),
        until=_bound("until", until, time.max),
        taken_from=_local_bound("taken_from", taken_from, time.min),
        taken_to=_local_bound("taken_to", taken_to, time.max),
        format=format,
        min_bytes=min_bytes,
        max_bytes=max_bytes,
        min_pixels=min_pixels,
        max_pixels=max_pixels,
        filename=filename,
        tags=_tags(tag),
        tag_match=match or TagMatch.ANY,
        favourite=favourite,
    )


def _tags(given: str | None) -> frozenset[str]:
    """Raises InvalidTag or Problem."""
    tags = frozenset(map(canonical_tag, given.split(SEPARATOR))) if given is not None else frozenset[str]()
    if len(tags) > MAX_TAGS_WANTED:
        raise Problem("invalid-request", f"tag: Send at most {MAX_TAGS_WANTED} tags.")
    return tags


ListingFilter = Annotated[ImageFilter, Depends(listing_filter)]


def _bound(name: str, given: str | None, of_day: time) -> str | None:
    """Return a time in the format of `created_at`; a date stands for its first or last moment in UTC.

    Raises:
        Problem: it is neither a date nor a time, or outside the years 1 to 9999 in UTC.
    """
    if given is None:
        return None
    try:
        if len(given) == DATE_LENGTH:
            moment = datetime.combine(date.fromisoformat(given), of_day, UTC)
        else:
            moment = datetime.fromisoformat(given)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC).isoformat(timespec="microseconds")
    except (ValueError, OverflowError):
        raise Problem(
            "invalid-request", f"{name}: Send a date or a time, as in 2026-11-28 or 2026-11-28T09:30:00Z."
        ) from None


def _local_bound(name: str, given: str | None, of_day: time) -> str | None:
    """Return a local time in the format of `ImageRecord.dated_at`; a date stands for its first or last moment.

    Raises:
        Problem: it is neither a date nor a time, or has an offset: the offsets of many images are unknown.
    """
    if given is None:
        return None
    try:
        if len(given) == DATE_LENGTH:
            moment = datetime.combine(date.fromisoformat(given), of_day)
        else:
            moment = datetime.fromisoformat(given)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo:
        raise Problem(
            "invalid-request", f"{name}: Send a date or a local time, as in 2026-11-28 or 2026-11-28T09:30:00."
        )
    return moment.isoformat(timespec="microseconds")
