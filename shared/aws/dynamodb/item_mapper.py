"""Convert domain objects to DynamoDB items and back."""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from shared.domain.errors import InvalidCursor
from shared.domain.features import FEATURE_SCALE, LOCAL_SCALE, FeatureVector, LocalVector, normalise, require_finite
from shared.domain.images import (
    IMAGE_ID_PATTERN,
    ImageRecord,
    IndexedImage,
    Label,
    ObjectRef,
    Upload,
    UploadStatus,
    parse_upload_key,
)
from shared.domain.labels import canonical
from shared.domain.ledger import ImageKey, ObjectState, ObjectStatus
from shared.domain.table_schema import PIXELS_HASH, SINCE

Item = Mapping[str, Any]
"""An item in DynamoDB JSON, `{"name": {"S": "value"}}`."""

RECORDS_PREFIX: Final = "collection#"
VECTORS_PREFIX: Final = "features#"
_IMAGE, _SOURCE, _UPLOAD, _OBJECT, _REFUSAL = "image#", "source#", "upload#", "object#", "refusal#"

_TIME: Final = re.compile(r"[0-9T:.+-]{1,40}")


def image_partition(image_id: str) -> dict[str, Any]:
    return {"S": _IMAGE + image_id}


def record_key(image_id: str, collection: str) -> dict[str, Any]:
    return {"pk": image_partition(image_id), "sk": {"S": RECORDS_PREFIX + collection}}


def upload_item_key(upload_id: str) -> dict[str, Any]:
    return {"pk": {"S": _UPLOAD + upload_id}, "sk": {"S": "state"}}


def source_prefix(collection: str) -> str:
    return f"{_SOURCE}{collection}#"


def source_id(source: ObjectRef) -> str:
    """Return a short stable id of an object: the id of an upload, otherwise a hash of bucket and key."""
    parsed = parse_upload_key(source.key)
    return parsed[1] if parsed else _object_id(source)


def _object_id(source: ObjectRef) -> str:
    return hashlib.sha256(f"{source.bucket}/{source.key}".encode()).hexdigest()


def source_key(image_id: str, collection: str, source: ObjectRef) -> dict[str, Any]:
    return {"pk": image_partition(image_id), "sk": {"S": source_prefix(collection) + source_id(source)}}


def object_key(source: ObjectRef) -> dict[str, Any]:
    return {"pk": {"S": _OBJECT + _object_id(source)}, "sk": {"S": "state"}}


def vectors_prefix(collection: str) -> str:
    return f"{VECTORS_PREFIX}{collection}#"


def vectors_key(image_id: str, collection: str, model: str) -> dict[str, Any]:
    return {"pk": image_partition(image_id), "sk": {"S": vectors_prefix(collection) + model}}


def refusal_key(image_id: str, collection: str, model: str) -> dict[str, Any]:
    """Return the key of a refused reindexing, outside the image's partition, whose other items are sources."""
    return {"pk": {"S": f"{_REFUSAL}{image_id}"}, "sk": {"S": f"model#{collection}#{model}"}}


def is_vectors(item: Item) -> bool:
    return bool(item["sk"]["S"].startswith(VECTORS_PREFIX))


def is_record(item: Item) -> bool:
    return bool(item["sk"]["S"].startswith(RECORDS_PREFIX))


def collection_of(item: Item) -> str:
    """Return the collection of a record or source item."""
    return str(item["sk"]["S"].split("#", 2)[1])


def to_numbers(vector: FeatureVector, scale: int) -> list[dict[str, str]]:
    """Return a vector of unit length as DynamoDB numbers, rounded to integers after scaling by `scale`.

    Raises:
        PictureRefused: see `shared.domain.features.require_finite`.
    """
    return [{"N": str(value)} for value in np.rint(require_finite(vector) * scale).astype(int).tolist()]


def from_numbers(numbers: Sequence[Mapping[str, str]]) -> FeatureVector:
    """Return the vector scaled to unit length, whatever the scale of `numbers`."""
    return normalise(np.array([float(number["N"]) for number in numbers]))


def record_item(
    record: ImageRecord,
    features: FeatureVector,
    first_source: ObjectRef,
    local: LocalVector | None = None,
    pixels_hash: str | None = None,
) -> dict[str, Any]:
    """Return the record of one image in one collection as an item, without attributes that have no value."""
    optional = {
        "label": {"S": canonical(record.label)} if record.label else None,
        "filename": {"S": record.filename} if record.filename else None,
        "low_information": {"BOOL": True} if record.low_information else None,
        "local_features": {"L": to_numbers(local, LOCAL_SCALE)} if local is not None else None,
        PIXELS_HASH: {"S": pixels_hash} if pixels_hash else None,
    }
    return {
        **record_key(record.image_id, record.collection),
        "collection": {"S": record.collection},
        "image_id": {"S": record.image_id},
        "model": {"S": record.model},
        "features": {"L": to_numbers(features, FEATURE_SCALE)},
        "labels": {
            "L": [
                {"M": {"name": {"S": label.name}, "probability": {"N": f"{label.probability:.5g}"}}}
                for label in record.labels
            ]
        },
        "width": {"N": str(record.width)},
        "height": {"N": str(record.height)},
        "format": {"S": record.format},
        "bytes": {"N": str(record.bytes)},
        "phash": {"S": record.phash},
        "sharpness": {"N": f"{record.sharpness:.5g}"},
        "created_at": {"S": record.created_at},
        "status": {"S": UploadStatus.INDEXED},
        "brought_by": {"S": source_id(first_source)},
        **{name: value for name, value in optional.items() if value},
    }


def vectors_item(image: IndexedImage) -> dict[str, Any]:
    """Return the vectors of a model other than the record's as an item."""
    record = image.record
    item = record_item(record, image.features, ObjectRef("", ""), image.local_features)
    kept = {name: value for name, value in item.items() if name not in {"created_at", "status", "brought_by"}}
    return kept | vectors_key(record.image_id, record.collection, record.model) | {SINCE: {"S": record.created_at}}


def to_record(item: Item, sources: Sequence[ObjectRef] = ()) -> ImageRecord:
    return ImageRecord(
        collection=item["collection"]["S"],
        image_id=item["image_id"]["S"],
        model=item["model"]["S"],
        width=int(item["width"]["N"]),
        height=int(item["height"]["N"]),
        format=item["format"]["S"],
        bytes=int(item["bytes"]["N"]),
        phash=item["phash"]["S"],
        created_at=item.get("created_at", item.get(SINCE))["S"],
        labels=tuple(
            Label(entry["M"]["name"]["S"], float(entry["M"]["probability"]["N"])) for entry in item["labels"]["L"]
        ),
        filename=item["filename"]["S"] if "filename" in item else None,
        sources=sources,
        low_information="low_information" in item,
        sharpness=float(item["sharpness"]["N"]) if "sharpness" in item else 0.0,
    )


def source_item(image_id: str, collection: str, source: ObjectRef) -> dict[str, Any]:
    item = {
        **source_key(image_id, collection, source),
        "bucket": {"S": source.bucket},
        "key": {"S": source.key},
    }
    return item | {"version": {"S": source.version}} if source.version else item


def to_source(item: Item) -> ObjectRef:
    return ObjectRef(item["bucket"]["S"], item["key"]["S"], item["version"]["S"] if "version" in item else None)


def object_item(state: ObjectState, revision: int) -> dict[str, Any]:
    texts = {
        "bucket": state.object.bucket,
        "key": state.object.key,
        "version": state.object.version,
        "status": state.status.value,
        "collection_": state.image_key.collection if state.image_key else None,
        "image_id": state.image_key.image_id if state.image_key else None,
        "sequencer": state.sequencer,
        "etag": state.etag,
        "code": state.code,
        "reason": state.reason,
    }
    former = {f"{left.collection}/{left.image_id}": {"N": str(since)} for left, since in state.former_images.items()}
    return {
        **object_key(state.object),
        "revision": {"N": str(revision)},
        "leaving": {"M": former},
        **{name: {"S": value} for name, value in texts.items() if value is not None},
    }


def to_object_state(item: Item) -> ObjectState:
    text = _texts(item)
    image_id, collection = text("image_id"), text("collection_")
    return ObjectState(
        object=to_source(item),
        status=ObjectStatus(item["status"]["S"]),
        image_key=ImageKey(collection, image_id) if collection and image_id else None,
        revision=int(item["revision"]["N"]),
        sequencer=text("sequencer"),
        etag=text("etag"),
        code=text("code"),
        reason=text("reason"),
        former_images={ImageKey(*name.split("/")): int(since["N"]) for name, since in item["leaving"]["M"].items()},
    )


def _texts(item: Item) -> Callable[[str], str | None]:
    return lambda name: str(item[name]["S"]) if name in item else None


def to_upload(item: Item) -> Upload:
    text = _texts(item)
    return Upload(
        upload_id=item["upload_id"]["S"],
        collection=item["collection"]["S"],
        status=UploadStatus(item["status"]["S"]),
        filename=text("filename"),
        image_id=text("image_id"),
        code=text("code"),
        reason=text("reason"),
        metadata={name: value["S"] for name, value in item["metadata"]["M"].items()} if "metadata" in item else {},
    )


def encode_cursor(last: Item) -> str:
    """Return the keys of a page's last item as an opaque, URL-safe string."""
    return _opaque(last["collection"]["S"], last["created_at"]["S"], last["pk"]["S"].removeprefix(_IMAGE))


def decode_cursor(cursor: str, collection: str) -> dict[str, Any]:
    """Return the key after which the next page starts.

    Raises:
        InvalidCursor: the cursor is malformed or belongs to another collection.
    """
    match _fields(cursor):
        case [str(owner), str(created_at), str(image_id)] if (
            owner == collection and _TIME.fullmatch(created_at) and re.fullmatch(IMAGE_ID_PATTERN, image_id)
        ):
            return {
                **record_key(image_id, collection),
                "collection": {"S": collection},
                "created_at": {"S": created_at},
            }
        case _:
            raise InvalidCursor("the cursor is not one that a page of this collection gave")


def encode_group(collection: str, group: str) -> str:
    """Return the last group of near-duplicates on a page as an opaque, URL-safe string."""
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
            raise InvalidCursor("the cursor is not one that a page of this collection gave")


def _opaque(*fields: str) -> str:
    return base64.urlsafe_b64encode(json.dumps(fields, separators=(",", ":")).encode()).decode().rstrip("=")


def _fields(cursor: str) -> Any:
    try:
        return json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (ValueError, RecursionError, binascii.Error) as error:
        raise InvalidCursor("the cursor is malformed") from error
