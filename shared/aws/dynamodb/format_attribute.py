"""The attribute `format` of a record, which has what was added to records after the indexes were built.

Every index projects `format`, and what an index projects cannot be changed without building it again.
"""

from collections.abc import Mapping

from shared.aws.dynamodb.item_keys import Item
from shared.domain.capture import Capture
from shared.domain.images import ImageRecord
from shared.domain.perceptual_hashes import HashKind, Pdq
from shared.domain.tags import SEPARATOR


def format_text(record: ImageRecord) -> str:
    """Return the format, with parameters as a media type has them: `tiff; pages=3; taken=2026-11-28T09:30:00+01:00`.

    `taken` is there, empty, if the file has no date; without it, the image was stored by a version that did not read
    what the file states. So it is with `things`. `pdq` is the hash and its quality.
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


def format_parameters(item: Item) -> dict[str, str]:
    """Return the parameters of the format by their names; the format itself has the name \"\"."""
    name, *parameters = item["format"]["S"].split("; ")
    return {"": name} | dict(parameter.split("=", 1) for parameter in parameters)


def to_hash(item: Item, kind: HashKind) -> str | None:
    """Return a perceptual hash of a record, of which only `phash` or `format` needs to be read."""
    if kind is HashKind.PHASH:
        return str(item["phash"]["S"])
    pdq = to_pdq(format_parameters(item))
    return pdq.value if pdq else None


def to_pdq(parts: Mapping[str, str]) -> Pdq | None:
    value, _, quality = parts.get("pdq", "").partition(",")
    return Pdq(value, int(quality)) if value else None


def has_capture(item: Item) -> bool:
    """Return whether it was read from the image's file when, by what and where it was taken."""
    return "taken" in format_parameters(item)


def is_complete(item: Item) -> bool:
    """Return whether the image was stored, or completed since, by a version that reads dates and tells things."""
    return has_capture(item) and "things" in format_parameters(item)


def has_pdq(item: Item) -> bool:
    """Return whether the image was stored, or completed since, while the setting `pdq` was on."""
    return "pdq" in format_parameters(item)


def to_things(parts: Mapping[str, str]) -> tuple[str, ...] | None:
    return tuple(filter(None, parts["things"].split(SEPARATOR))) if "things" in parts else None


def to_capture(parts: Mapping[str, str]) -> Capture | None:
    if "taken" not in parts:
        return None
    latitude, longitude = map(float, parts["place"].split(",")) if "place" in parts else (None, None)
    return Capture(parts["taken"] or None, parts.get("camera"), latitude, longitude)
