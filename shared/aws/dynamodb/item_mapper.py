"""Convert domain objects to DynamoDB items and back."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from shared.domain import cursors
from shared.domain.albums import AlbumKey
from shared.domain.annotations import Annotations
from shared.domain.capture import Capture
from shared.domain.features import FEATURE_SCALE, LOCAL_SCALE, FeatureVector, LocalVector, normalise, require_finite
from shared.domain.filters import Sort
from shared.domain.images import (
    Grouping,
    ImageRecord,
    IndexedImage,
    Label,
    ObjectRef,
    Upload,
    UploadStatus,
    object_id,
    source_id,
)
from shared.domain.labels import canonical
from shared.domain.ledger import ImageKey, ObjectState, ObjectStatus
from shared.domain.perceptual_hashes import HashKind, Pdq
from shared.domain.quality import Quality
from shared.domain.table_schema import (
    ANNOTATED_PARTITION,
    ANNOTATIONS,
    DUPLICATES_SORT,
    LISTING_SORT,
    PIXELS_HASH,
    SINCE,
    TAKEN_SORT,
)
from shared.domain.tags import SEPARATOR, TagDecisions

Item = Mapping[str, Any]
"""An item in DynamoDB JSON, `{"name": {"S": "value"}}`."""

RECORDS_PREFIX: Final = "collection#"
VECTORS_PREFIX: Final = "features#"
_OF_RECORDS: Final = ("created_at", "status", "brought_by", TAKEN_SORT, ANNOTATED_PARTITION, *ANNOTATIONS)
"""Attributes that the vectors of secondary models lack, and with them the indexes of records."""
_FAVOURITE, _ADDED, _REMOVED = ":favourite", ":added", ":removed"
"""Entries among the fields of an image that are not fields, whose names have no colon: the indexes project the fields,
and what they project cannot be changed."""
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


def tags_item(image: ImageKey, decisions: TagDecisions) -> dict[str, Any]:
    return {**tags_key(image), "decided": {"M": _decided(decisions)}}


def to_decisions(item: Item | None) -> TagDecisions:
    return _to_decisions(item["decided"]["M"]) if item else TagDecisions()


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
    optional = annotation_attributes(record.annotations, record.collection) | {
        "label": {"S": canonical(record.label)} if record.label else None,
        "filename": {"S": record.filename} if record.filename else None,
        "low_information": {"BOOL": True} if record.low_information else None,
        "quality": {"S": record.quality.to_text()} if record.quality else None,
        "local_features": {"L": to_numbers(local, LOCAL_SCALE)} if local is not None else None,
        PIXELS_HASH: {"S": pixels_hash} if pixels_hash else None,
        TAKEN_SORT: {"S": record.dated_at} if record.capture is not None else None,
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
        "format": {"S": format_text(record)},
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
    kept = {name: value for name, value in item.items() if name not in _OF_RECORDS}
    return kept | vectors_key(record.image_id, record.collection, record.model) | {SINCE: {"S": record.created_at}}


def to_record(item: Item, sources: Sequence[ObjectRef] = ()) -> ImageRecord:
    return ImageRecord(
        collection=collection_of(item),
        image_id=item["image_id"]["S"],
        model=item["model"]["S"],
        width=int(item["width"]["N"]),
        height=int(item["height"]["N"]),
        format=_format_parts(item)[""],
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
        damaged="intact" in _format_parts(item),
        intact=float(_format_parts(item).get("intact", 1)),
        pages=int(_format_parts(item).get("pages", 1)),
        capture=_to_capture(_format_parts(item)),
        things=_to_things(_format_parts(item)),
        pdq=_to_pdq(_format_parts(item)),
        quality=Quality.from_text(item["quality"]["S"]) if "quality" in item else None,
        chosen="chosen" in item,
        group=item[DUPLICATES_SORT]["S"] if DUPLICATES_SORT in item else None,
        annotations=to_annotations(item),
    )


def annotation_attributes(annotations: Annotations, collection: str) -> dict[str, Any]:
    """Return annotations as attributes, without those that have no value; nothing if there are none."""
    texts = {
        ANNOTATED_PARTITION: collection if annotations else None,
        "external_id": annotations.external_id,
        "note": annotations.note,
    }
    attributes: dict[str, Any] = {name: {"S": value} for name, value in texts.items() if value}
    fields = {name: {"S": value} for name, value in sorted(annotations.fields.items())}
    fields |= {_FAVOURITE: {"S": ""}} if annotations.favourite else {}
    fields |= _decided(annotations.tags)
    return attributes | ({"fields": {"M": fields}} if fields else {})


def _decided(decisions: TagDecisions) -> dict[str, Any]:
    both = {_ADDED: decisions.added, _REMOVED: decisions.removed}
    return {name: {"S": SEPARATOR.join(sorted(tags))} for name, tags in both.items() if tags}


def _to_decisions(fields: Mapping[str, Any]) -> TagDecisions:
    added, removed = (
        frozenset(fields[name]["S"].split(SEPARATOR)) if name in fields else frozenset() for name in (_ADDED, _REMOVED)
    )
    return TagDecisions(added, removed)


def to_annotations(item: Item) -> Annotations:
    text = _texts(item)
    fields = item["fields"]["M"] if "fields" in item else {}
    return Annotations(
        text("external_id"),
        text("note"),
        {name: str(value["S"]) for name, value in fields.items() if ":" not in name},
        favourite=_FAVOURITE in fields,
        tags=_to_decisions(fields),
    )


def format_text(record: ImageRecord) -> str:
    """Return the format, with parameters as a media type has them: `tiff; pages=3; taken=2026-11-28T09:30:00+01:00`.

    `taken` is there, empty, if the file has no date; without it, the image was stored by a version that did not read
    what the file states. So it is with `things`. `pdq` is the hash and its quality.

    Every index projects `format`. What an index projects cannot be changed without building it again.
    """
    parameters = [f"; intact={record.intact:.4g}"] if record.damaged else []
    parameters += [f"; pages={record.pages}"] if record.pages > 1 else []
    if record.capture is not None:
        parameters += [f"; taken={record.capture.taken_at or ''}"]
        parameters += [f"; camera={record.capture.camera}"] if record.capture.camera else []
        parameters += ["; place={},{}".format(*record.capture.location)] if record.capture.location else []
    if record.things is not None:
        parameters += [f"; things={SEPARATOR.join(record.things)}"]
    if record.pdq is not None:
        parameters += [f"; pdq={record.pdq.value},{record.pdq.quality}"]
    return record.format + "".join(parameters)


def _format_parts(item: Item) -> dict[str, str]:
    """Return the parameters of the format by their names; the format itself has the name \"\"."""
    name, *parameters = item["format"]["S"].split("; ")
    return {"": name} | dict(parameter.split("=", 1) for parameter in parameters)


def to_hash(item: Item, kind: HashKind) -> str | None:
    """Return a perceptual hash of a record, of which only `phash` or `format` needs to be read."""
    if kind is HashKind.PHASH:
        return str(item["phash"]["S"])
    pdq = _to_pdq(_format_parts(item))
    return pdq.value if pdq else None


def _to_pdq(parts: Mapping[str, str]) -> Pdq | None:
    value, _, quality = parts.get("pdq", "").partition(",")
    return Pdq(value, int(quality)) if value else None


def has_capture(item: Item) -> bool:
    """Return whether it was read from the image's file when, by what and where it was taken."""
    return "taken" in _format_parts(item)


def is_complete(item: Item) -> bool:
    """Return whether the image was stored, or completed since, by a version that reads dates and tells things."""
    return has_capture(item) and "things" in _format_parts(item)


def has_pdq(item: Item) -> bool:
    """Return whether the image was stored, or completed since, while the setting `pdq` was on."""
    return "pdq" in _format_parts(item)


def _to_things(parts: Mapping[str, str]) -> tuple[str, ...] | None:
    return tuple(filter(None, parts["things"].split(SEPARATOR))) if "things" in parts else None


def _to_capture(parts: Mapping[str, str]) -> Capture | None:
    if "taken" not in parts:
        return None
    latitude, longitude = map(float, parts["place"].split(",")) if "place" in parts else (None, None)
    return Capture(parts["taken"] or None, parts.get("camera"), latitude, longitude)


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
        grouping=Grouping(text("grouping") or "") if "grouping" in item else None,
        metadata={name: value["S"] for name, value in item["metadata"]["M"].items()} if "metadata" in item else {},
        opened_at=int(item["opened_at"]["N"]) if "opened_at" in item else None,
        ends_by=int(item["ends_by"]["N"]) if "ends_by" in item else None,
    )


SORT_ATTRIBUTES: Final = {Sort.ADDED: LISTING_SORT, Sort.TAKEN: TAKEN_SORT}


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
