"""Pages of a collection: which images are read, by which index, and in which order."""

import heapq
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, Final

from shared.domain.annotations import Annotations
from shared.domain.cursors import decode_cursor, encode_cursor
from shared.domain.errors import InvalidCursor
from shared.domain.filters import ImageFilter, Order, Sort
from shared.domain.images import Page
from shared.domain.tags import TagMatch
from shared.embedded.records import FAVOURITE_TERM, album_term, annotation_terms, label_term, read_shown, tag_term

_TIMES: Final = {Sort.ADDED: "created_at", Sort.TAKEN: "dated_at"}
_FIRST_TIME: Final = ""
_LAST_TIME: Final = "~"
"""Before and after every `created_at`, which consists of digits and punctuation before the tilde."""
_WITH_IMAGES: Final = (
    "terms CROSS JOIN images ON images.image_id = terms.image_id AND images.collection = terms.collection"
)

Condition = tuple[str, Sequence[Any]]
"""A condition in SQL and its values."""


def read_page(
    connection: sqlite3.Connection,
    collection: str,
    *,
    wanted: ImageFilter,
    sort: Sort,
    order: Order,
    limit: int,
    cursor: str | None,
) -> Page:
    """Return one page of the images that `wanted` accepts; only the last page has fewer than `limit`.

    By the time of indexing, annotations and labels are looked up in the index of terms. Other conditions are checked in
    the order of the listing until the page is full.

    Raises:
        InvalidCursor: the cursor is malformed, belongs to another collection or order, or is outside the dates.
    """
    alternatives, required = _terms(wanted, sort)
    table, direction = "images" if alternatives is None else "terms", "ASC" if order is Order.OLDEST else "DESC"
    time = f"{table}.{_TIMES[sort]}"
    properties = list(_properties(wanted, sort))
    conditions = [
        (f"{table}.collection = ?", [collection]),
        *_times(collection, wanted.bounds(sort), sort, order, cursor, table),
        *properties,
        *(_one_of(terms, table) for terms in required),
        *([_none_of(FAVOURITE_TERM, table)] if wanted.favourite is False else []),
    ]
    query = (
        f"SELECT {time}, {table}.image_id"  # noqa: S608
        f" FROM {_WITH_IMAGES if properties and table == 'terms' else table}"
        f" WHERE {' AND '.join(condition for condition, _ in conditions)}"
        f" {'AND terms.term = ?' if table == 'terms' else ''}"
        f" ORDER BY {time} {direction}, {table}.image_id {direction} LIMIT ?"
    )
    values = [value for _, several in conditions for value in several]
    found = set[tuple[str, str]]()
    for term in [[]] if alternatives is None else [[term] for term in alternatives]:
        # One image more than requested shows whether there is a next page.
        found.update(connection.execute(query, (*values, *term, limit + 1)))
    ids = (heapq.nsmallest if order is Order.OLDEST else heapq.nlargest)(limit + 1, found)
    records = read_shown(connection, [image_id for _, image_id in ids[:limit]], collection)
    cursor = encode_cursor(collection, *ids[limit - 1], sort) if len(ids) > limit else None
    return Page([records[image_id] for _, image_id in ids[:limit] if image_id in records], cursor)


def _terms(wanted: ImageFilter, sort: Sort) -> tuple[Sequence[str] | None, Sequence[Sequence[str]]]:
    """Return the terms by which images are read, and sets of terms of which each image must have one.

    Images are read by all of the terms, one after another; by time alone if there are None.
    """
    favourite = wanted.favourite is True
    annotations = annotation_terms(Annotations(wanted.external_id, None, wanted.fields, favourite=favourite))
    tags = [tag_term(tag) for tag in sorted(wanted.tags)]
    any_tag = [tags] if tags and wanted.tag_match is TagMatch.ANY else []
    album = [] if wanted.album is None else [album_term(wanted.album)]
    required = [[term] for term in (*album, *annotations, *([] if any_tag else tags))]
    alternatives = [*any_tag, *([] if wanted.labels is None else [[label_term(one) for one in sorted(wanted.labels)]])]
    if sort is Sort.TAKEN:  # the index of terms has the time of indexing only
        return None, [*required, *alternatives]
    everything = [*required, *alternatives]
    return (everything[0], everything[1:]) if everything else (None, [])


def _times(
    collection: str, bounds: tuple[str | None, str | None], sort: Sort, order: Order, cursor: str | None, table: str
) -> Iterator[Condition]:
    since, until = bounds[0] or _FIRST_TIME, bounds[1] or _LAST_TIME
    time = f"{table}.{_TIMES[sort]}"
    if cursor:
        after = decode_cursor(cursor, collection, sort)
        if not since <= after[0] <= until:
            raise InvalidCursor("the cursor belongs to other dates")
        since, until = (after[0], until) if order is Order.OLDEST else (since, after[0])
        yield f"({time}, {table}.image_id) {'>' if order is Order.OLDEST else '<'} (?, ?)", after
    yield f"{time} BETWEEN ? AND ?", (since, until)


def _properties(wanted: ImageFilter, sort: Sort) -> Iterator[Condition]:
    filename = None if wanted.filename is None else wanted.filename.casefold()
    other = Sort.TAKEN if sort is Sort.ADDED else Sort.ADDED
    since, until = wanted.bounds(other)
    for condition, value in (
        (f"images.{_TIMES[other]} >= ?", since),
        (f"images.{_TIMES[other]} <= ?", until),
        ("format = ?", wanted.format),
        ("bytes >= ?", wanted.min_bytes),
        ("bytes <= ?", wanted.max_bytes),
        ("width * height >= ?", wanted.min_pixels),
        ("width * height <= ?", wanted.max_pixels),
        ("instr(folded_filename, ?) > 0", filename),
    ):
        if value is not None:
            yield condition, (value,)


def _one_of(terms: Sequence[str], table: str) -> Condition:
    places = ", ".join("?" * len(terms))
    return (
        f"EXISTS (SELECT 1 FROM terms AS others WHERE others.image_id = {table}.image_id"  # noqa: S608
        f" AND others.collection = {table}.collection AND others.term IN ({places}))",
        terms,
    )


def _none_of(term: str, table: str) -> Condition:
    condition, values = _one_of([term], table)
    return f"NOT {condition}", values
