"""The cursors of pages: opaque, URL-safe strings that name the last entry of a page, whichever store made it."""

import base64
import binascii
import json
import re
from typing import Any, Final

from shared.domain.errors import InvalidCursor
from shared.domain.images import COLLECTION_PATTERN, IMAGE_ID_PATTERN

_TIME: Final = re.compile(r"[0-9T:.+-]{1,40}")
_FOREIGN: Final = "the cursor is not one that a page of this collection gave"


def encode_cursor(collection: str, created_at: str, image_id: str) -> str:
    """Return the cursor after an image in the listing of a collection."""
    return _opaque(collection, created_at, image_id)


def decode_cursor(cursor: str, collection: str) -> tuple[str, str]:
    """Return `created_at` and `image_id` of the image after which the next page starts.

    Raises:
        InvalidCursor: the cursor is malformed or belongs to another collection.
    """
    match _fields(cursor):
        case [str(owner), str(created_at), str(image_id)] if (
            owner == collection and _TIME.fullmatch(created_at) and re.fullmatch(IMAGE_ID_PATTERN, image_id)
        ):
            return created_at, image_id
        case _:
            raise InvalidCursor(_FOREIGN)


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


def _opaque(*fields: str) -> str:
    return base64.urlsafe_b64encode(json.dumps(fields, separators=(",", ":")).encode()).decode().rstrip("=")


def _fields(cursor: str) -> Any:
    try:
        return json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (ValueError, RecursionError, binascii.Error) as error:
        raise InvalidCursor("the cursor is malformed") from error
