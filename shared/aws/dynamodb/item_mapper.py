"""Convert domain objects to DynamoDB items and back."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from shared.aws.dynamodb.format_attribute import format_parameters, format_text, to_capture, to_pdq, to_things
from shared.aws.dynamodb.item_keys import Item, collection_of, object_key, record_key, source_key, tags_key, vectors_key
from shared.domain.annotations import Annotations
from shared.domain.features import FEATURE_SCALE, LOCAL_SCALE, FeatureVector, LocalVector, normalise, require_finite
from shared.domain.images import (
    Grouping,
    ImageRecord,
    IndexedImage,
    Label,
    ObjectRef,
    Upload,
    UploadStatus,
    source_id,
)
from shared.domain.labels import canonical
from shared.domain.ledger import ImageKey, ObjectState, ObjectStatus
from shared.domain.quality import Quality
from shared.domain.table_schema import (
    ANNOTATED_PARTITION,
    ANNOTATIONS,
    DUPLICATES_SORT,
    PIXELS_HASH,
    SINCE,
    TAKEN_SORT,
)
from shared.domain.tags import SEPARATOR, TagDecisions

_OF_RECORDS: Final = ("created_at", "status", "brought_by", TAKEN_SORT, ANNOTATED_PARTITION, *ANNOTATIONS)
"""Attributes that the vectors of secondary models lack, and with them the indexes of records."""
_FAVOURITE, _ADDED, _REMOVED = ":favourite", ":added", ":removed"
"""Entries among the fields of an image that are not fields, whose names have no colon: the indexes project the fields,
and what they project cannot be changed."""


def tags_item(image: ImageKey, decisions: TagDecisions) -> dict[str, Any]:
    return {**tags_key(image), "decided": {"M": _decided(decisions)}}


def to_decisions(item: Item | None) -> TagDecisions:
    return _to_decisions(item["decided"]["M"]) if item else TagDecisions()


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
    return present(record_attributes(record, features, first_source, local, pixels_hash))


def present(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of the attributes that have a value."""
    return {name: value for name, value in attributes.items() if value}


def record_attributes(
    record: ImageRecord,
    features: FeatureVector,
    first_source: ObjectRef,
    local: LocalVector | None = None,
    pixels_hash: str | None = None,
) -> dict[str, Any]:
    """Return the attributes of a record, with None for each that another record may have and this one has not."""
    optional = {
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
        **annotation_attributes(record.annotations, record.collection),
        **optional,
    }


def vectors_item(image: IndexedImage) -> dict[str, Any]:
    """Return the vectors of a model other than the record's as an item."""
    record = image.record
    item = record_item(record, image.features, ObjectRef("", ""), image.local_features)
    kept = {name: value for name, value in item.items() if name not in _OF_RECORDS}
    return kept | vectors_key(record.image_id, record.collection, record.model) | {SINCE: {"S": record.created_at}}


def to_record(item: Item, sources: Sequence[ObjectRef] = ()) -> ImageRecord:
    parameters = format_parameters(item)
    return ImageRecord(
        collection=collection_of(item),
        image_id=item["image_id"]["S"],
        model=item["model"]["S"],
        width=int(item["width"]["N"]),
        height=int(item["height"]["N"]),
        format=parameters[""],
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
        damaged="intact" in parameters,
        intact=float(parameters.get("intact", 1)),
        pages=int(parameters.get("pages", 1)),
        capture=to_capture(parameters),
        things=to_things(parameters),
        pdq=to_pdq(parameters),
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
