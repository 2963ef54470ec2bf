"""The cursors of pages: opaque, URL-safe strings that name the last entry of a page, whichever store made it."""

import base64
import binascii
import json
import re
from typing import Any, Final

from shared.domain.errors import InvalidCursor
from shared.domain.filters import Sort
from shared.domain.images import COLLECTION_PATTERN, IMAGE_ID_PATTERN

_TIME: Final = re.compile(r"[0-9T:.+-]{1,40}")
_FOREIGN: Final = "the cursor is not one that a page of this collection gave"


def encode_cursor(collection: str, time: str, image_id: str, sort: Sort = Sort.ADDED) -> str:
    """Return the cursor after an image in the listing of a collection; `time` is the one that sorts it."""
    return _opaque(collection, time, image_id, *_named(sort))


def decode_cursor(cursor: str, collection: str, sort: Sort = Sort.ADDED) -> tuple[str, str]:
    """Return the time and the `image_id` of the image after which the next page starts.

    Raises:
        InvalidCursor: the cursor is malformed, or belongs to another collection or order.
    """
    match _fields(cursor):
        case [str(owner), str(time), str(image_id), *sorted_by] if (
            owner == collection
            and sorted_by == _named(sort)
            and _TIME.fullmatch(time)
            and re.fullmatch(IMAGE_ID_PATTERN, image_id)
        ):
            return time, image_id
        case _:
            raise InvalidCursor(_FOREIGN)


def _named(sort: Sort) -> list[str]:
    return [] if sort is Sort.ADDED else [sort.value]


def encode_name(name: str) -> str:
    """Return the cursor after a collection in the list of collections."""
    return _opaque(name)


def decode_name(cursor: str) -> str:
    """Return the collection after which the next page starts.

    Raises:
        InvalidCursor: the cursor is malformed.
    """
    match _fields(cursor):
        case [str(name)] if re.fullmatch(COLLECTION_PATTERN, name):
            return name
        case _:
            raise InvalidCursor("no page of collections returned the cursor")


def encode_group(collection: str, group: str) -> str:
    """Return the cursor after a group of near-duplicates."""
    return _opaque(collection, group)


def decode_group(cursor: str, collection: str) -> str:
    """Return the group after which the next page starts.

    Raises:
        InvalidCursor: the cursor is malformed or belongs to another collection.
    """
    match _fields(cursor):
        case [str(owner), str(group)] if owner == collection and re.fullmatch(IMAGE_ID_PATTERN, group):
            return group
        case _:
            raise InvalidCursor(_FOREIGN)


def encode_pair(collection: str, pair: tuple[str, str]) -> str:
    """Return the cursor after two images on which something was decided."""
    return _opaque(collection, *pair)


def decode_pair(cursor: str, collection: str) -> tuple[str, str]:
    """Return the two images after which the next page starts.

    Raises:
        InvalidCursor: the cursor is malformed or belongs to another collection.
    """
    match _fields(cursor):
        case [str(owner), str(one), str(other)] if owner == collection and all(
            re.fullmatch(IMAGE_ID_PATTERN, image_id) for image_id in (one, other)
        ):
            return one, other
        case _:
            raise InvalidCursor(_FOREIGN)


def encode_place(collection: str, place: str) -> str:
    """Return the cursor after an entry of a list of a collection, which has this place in its order."""
    return _opaque(collection, "place", place)


def decode_place(cursor: str, collection: str, pattern: str) -> str:
    """Return the place after which the next page starts; it matches `pattern`.

    Raises:
        InvalidCursor: the cursor is malformed or belongs to another collection.
    """
    match _fields(cursor):
        case [str(owner), "place", str(place)] if owner == collection and re.fullmatch(pattern, place):
            return place
        case _:
            raise InvalidCursor(_FOREIGN)


def _opaque(*fields: str) -> str:
    return base64.urlsafe_b64encode(json.dumps(fields, separators=(",", ":")).encode()).decode().rstrip("=")


def _fields(cursor: str) -> Any:
    try:
        return json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (ValueError, RecursionError, binascii.Error) as error:
        raise InvalidCursor("the cursor is malformed") from error
