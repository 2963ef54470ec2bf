"""Pages of a collection: which images are read, by which index, and in which order."""

import heapq
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, Final

from shared.domain.annotations import Annotations
from shared.domain.cursors import decode_cursor, encode_cursor
from shared.domain.errors import InvalidCursor
from shared.domain.filters import ImageFilter, Order
from shared.domain.images import Page
from shared.embedded.records import COLUMNS, DESCRIBED, annotation_terms, label_term, to_record

_FIRST_TIME: Final = ""
_LAST_TIME: Final = "~"
"""Before and after every `created_at`, which consists of digits and punctuation before the tilde."""
_TIME: Final = 8
"""The place of `created_at` among `COLUMNS`."""
_OF_TERM: Final = "terms CROSS JOIN images ON images.image_id = terms.image_id AND images.collection = terms.collection"

Condition = tuple[str, Sequence[Any]]
"""A condition in SQL and its values."""


def read_page(
    connection: sqlite3.Connection,
    collection: str,
    *,
    wanted: ImageFilter,
    order: Order,
    limit: int,
    cursor: str | None,
) -> Page:
    """Return one page of the images that `wanted` accepts; only the last page has fewer than `limit`.

    Annotations and labels are looked up in the index of terms. Other conditions are checked in the order of the listing
    until the page is full.

    Raises:
        InvalidCursor: the cursor is malformed, belongs to another collection, or is outside the dates.
    """
    alternatives, required = _terms(wanted)
    by_term = alternatives is not None
    table, direction = "terms" if by_term else "images", "ASC" if order is Order.OLDEST else "DESC"
    conditions = [
        (f"{table}.collection = ?", [collection]),
        *_times(collection, wanted, order, cursor, table),
        *_properties(wanted),
        *map(_one_of, required),
    ]
    query = (
        f"SELECT {COLUMNS} FROM {_OF_TERM if by_term else 'images'} CROSS JOIN {DESCRIBED}"  # noqa: S608
        f" WHERE {' AND '.join(condition for condition, _ in conditions)} {'AND terms.term = ?' if by_term else ''}"
        f" ORDER BY {table}.created_at {direction}, {table}.image_id {direction} LIMIT ?"
    )
    values = [value for _, several in conditions for value in several]
    rows: dict[str, Any] = {}
    for term in [[]] if alternatives is None else [[term] for term in alternatives]:
        # One image more than requested shows whether there is a next page.
        rows |= {row[0]: row for row in connection.execute(query, (*values, *term, limit + 1))}
    first = heapq.nsmallest if order is Order.OLDEST else heapq.nlargest
    found = first(limit + 1, rows.values(), key=lambda row: (row[_TIME], row[0]))
    page = [to_record(row) for row in found[:limit]]
    more = len(found) > limit
    return Page(page, encode_cursor(collection, page[-1].created_at, page[-1].image_id) if more else None)


def _terms(wanted: ImageFilter) -> tuple[Sequence[str] | None, Sequence[Sequence[str]]]:
    """Return the terms by which images are read, and sets of terms of which each image must have one.

    Images are read by all of the terms, one after another; by time alone if there are None.
    """
    annotations = annotation_terms(Annotations(wanted.external_id, None, wanted.fields))
    labels = None if wanted.labels is None else [label_term(label) for label in sorted(wanted.labels)]
    if not annotations:
        return labels, []
    first, *others = annotations
    return [first], [*([other] for other in others), *([] if labels is None else [labels])]


def _times(collection: str, wanted: ImageFilter, order: Order, cursor: str | None, table: str) -> Iterator[Condition]:
    since, until = wanted.since or _FIRST_TIME, wanted.until or _LAST_TIME
    if cursor:
        after = decode_cursor(cursor, collection)
        if not since <= after[0] <= until:
            raise InvalidCursor("the cursor belongs to other dates")
        since, until = (after[0], until) if order is Order.OLDEST else (since, after[0])
        yield f"({table}.created_at, {table}.image_id) {'>' if order is Order.OLDEST else '<'} (?, ?)", after
    yield f"{table}.created_at BETWEEN ? AND ?", (since, until)


def _properties(wanted: ImageFilter) -> Iterator[Condition]:
    filename = None if wanted.filename is None else wanted.filename.casefold()
    for condition, value in (
        ("format = ?", wanted.format),
        ("bytes >= ?", wanted.min_bytes),
        ("bytes <= ?", wanted.max_bytes),
        ("width * height >= ?", wanted.min_pixels),
        ("width * height <= ?", wanted.max_pixels),
        ("instr(folded_filename, ?) > 0", filename),
    ):
        if value is not None:
            yield condition, (value,)


def _one_of(terms: Sequence[str]) -> Condition:
    places = ", ".join("?" * len(terms))
    return (
        "EXISTS (SELECT 1 FROM terms AS others WHERE others.image_id = images.image_id"  # noqa: S608
        f" AND others.collection = images.collection AND others.term IN ({places}))",
        terms,
    )
