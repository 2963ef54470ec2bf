"""The keys of DynamoDB items, what they tell about an item, and the cursors made of them."""

from collections.abc import Mapping
from typing import Any, Final

from shared.domain import cursors
from shared.domain.albums import AlbumKey
from shared.domain.filters import Sort
from shared.domain.images import ObjectRef, object_id, source_id
from shared.domain.ledger import ImageKey
from shared.domain.table_schema import LISTING_SORT, TAKEN_SORT

Item = Mapping[str, Any]
"""An item in DynamoDB JSON, `{"name": {"S": "value"}}`."""

RECORDS_PREFIX: Final = "collection#"
VECTORS_PREFIX: Final = "features#"
SORT_ATTRIBUTES: Final = {Sort.ADDED: LISTING_SORT, Sort.TAKEN: TAKEN_SORT}
_IMAGE, _SOURCE, _UPLOAD, _OBJECT, _REFUSAL = "image#", "source#", "upload#", "object#", "refusal#"


def image_partition(image_id: str) -> dict[str, Any]:
    return {"S": _IMAGE + image_id}


def record_key(image_id: str, collection: str) -> dict[str, Any]:
    return {"pk": image_partition(image_id), "sk": {"S": RECORDS_PREFIX + collection}}


def upload_item_key(upload_id: str) -> dict[str, Any]:
    return {"pk": {"S": _UPLOAD + upload_id}, "sk": {"S": "state"}}


def source_prefix(collection: str) -> str:
    return f"{_SOURCE}{collection}#"


def source_key(image_id: str, collection: str, source: ObjectRef) -> dict[str, Any]:
    return {"pk": image_partition(image_id), "sk": {"S": source_prefix(collection) + source_id(source)}}


def object_key(source: ObjectRef) -> dict[str, Any]:
    return {"pk": {"S": _OBJECT + object_id(source)}, "sk": {"S": "state"}}


def vectors_prefix(collection: str) -> str:
    return f"{VECTORS_PREFIX}{collection}#"


def vectors_key(image_id: str, collection: str, model: str) -> dict[str, Any]:
    return {"pk": image_partition(image_id), "sk": {"S": vectors_prefix(collection) + model}}


def refusal_key(image_id: str, collection: str, model: str) -> dict[str, Any]:
    """Return the key of a refused reindexing, outside the image's partition, whose other items are sources."""
    return {"pk": {"S": f"{_REFUSAL}{image_id}"}, "sk": {"S": f"model#{collection}#{model}"}}


def decision_key(image: ImageKey, other: str) -> dict[str, Any]:
    """Return the key of what was decided on an image and another of its collection, outside the image's partition."""
    return {"pk": {"S": f"decided#{image.collection}#{image.image_id}"}, "sk": {"S": other}}


def decided_key(collection: str, one: str, other: str) -> dict[str, Any]:
    """Return the key under which the same decision is listed with all of the collection; `one` is the lesser id."""
    return {"pk": {"S": f"decided#{collection}"}, "sk": {"S": f"{one}#{other}"}}


def album_key(album: AlbumKey) -> dict[str, Any]:
    """Return the key of an album in the list of its collection, in which the ids are in the order of creation."""
    return {"pk": {"S": f"albums#{album.collection}"}, "sk": {"S": album.album_id}}


def album_entry_key(album: AlbumKey, image_id: str) -> dict[str, Any]:
    return {"pk": {"S": f"album#{album.collection}#{album.album_id}"}, "sk": {"S": image_id}}


def album_of_image_key(image: ImageKey, album_id: str) -> dict[str, Any]:
    """Return the key under which an image's albums are found, outside its partition, whose other items are sources."""
    return {"pk": {"S": f"albums_of#{image.collection}#{image.image_id}"}, "sk": {"S": album_id}}


def share_key(token_hash: str) -> dict[str, Any]:
    return {"pk": {"S": f"share#{token_hash}"}, "sk": {"S": "link"}}


def share_of_album_key(album: AlbumKey, share_id: str) -> dict[str, Any]:
    """Return the key under which a link is listed with the others to its album."""
    return {"pk": {"S": f"shares#{album.collection}#{album.album_id}"}, "sk": {"S": share_id}}


def tags_key(image: ImageKey) -> dict[str, Any]:
    """Return the key of what people decided on the tags of an image, outside its partition, so that it outlives it."""
    return {"pk": {"S": f"tags#{image.collection}#{image.image_id}"}, "sk": {"S": "decisions"}}


def is_vectors(item: Item) -> bool:
    return bool(item["sk"]["S"].startswith(VECTORS_PREFIX))


def is_record(item: Item) -> bool:
    return bool(item["sk"]["S"].startswith(RECORDS_PREFIX))


def collection_of(item: Item) -> str:
    """Return the collection of a record or source item."""
    return str(item["sk"]["S"].split("#", 2)[1])


def encode_cursor(collection: str, last: Item, sort: Sort = Sort.ADDED) -> str:
    """Return the cursor after a record or a key of the index that lists by `sort`."""
    time, image_id = last[SORT_ATTRIBUTES[sort]]["S"], last["pk"]["S"].removeprefix(_IMAGE)
    return cursors.encode_cursor(collection, time, image_id, sort)


def decode_cursor(cursor: str, collection: str, sort: Sort = Sort.ADDED) -> dict[str, Any]:
    """Return the key of the index after which the next page starts.

    Raises:
        InvalidCursor: the cursor is malformed, or belongs to another collection or order.
    """
    time, image_id = cursors.decode_cursor(cursor, collection, sort)
    return {**record_key(image_id, collection), "collection": {"S": collection}, SORT_ATTRIBUTES[sort]: {"S": time}}
