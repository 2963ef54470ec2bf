"""The AWS calls of an image and of a search, and the computing time of a search: the basis of the bill."""

import json
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any, Final

import boto3

from bench.speed.events import Events
from bench.speed.images import synthetic_image
from bench.speed.report import Part
from infra.local.cloud import LocalCloud
from infra.local.queue_worker import FunctionContext
from shared.domain.table_schema import (
    LISTING_SORT,
    LOCAL_ATTRIBUTE,
    PARTITION_KEY,
    PIXELS_HASH,
    RECORD_ATTRIBUTES,
    SORT_KEY,
    TAKEN_SORT,
    VECTOR_ATTRIBUTE,
    VECTOR_FILTERS,
    VECTOR_PARTITION,
)

KB: Final = 1024
UNSEEN: Final = 9_000
"""Synthetic images from this number on are never stored."""
WAITING: Final = ("candidates", "signatures", "check")
"""Stages of a search that consist mostly of AWS calls."""
KINDS: Final = {
    "found": "a search that finds a copy",
    "nothing": "a search that finds none",
    "fast": "with `effort=fast`",
}
_WRITES: Final = ("PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems")
_READS: Final = ("GetItem", "Query", "BatchGetItem")
_GETS: Final = ("GetObject", "HeadObject")

Seen = list[tuple[str, Any]]


def measure(cloud: LocalCloud, images: list[bytes], rounds: int) -> Part:
    """Count the calls in botocore, against the emulator, so that only times depend on the machine."""
    from infra.local.lambda_functions import ingest, reset_environments

    events = Events(cloud, images, "calls")
    seen: Seen = []
    session: Any = boto3.DEFAULT_SESSION
    session.events.register_last(
        "before-call", lambda model, params, **_: seen.append((model.name, params.get("body")))
    )
    lines = _Lines("ingest")
    reset_environments()
    context: Any = FunctionContext("bench")
    counts: list[Counter[str]] = []
    for _ in images:  # no two are alike
        seen.clear()
        lines.bytes = 0
        ingest(events.arrival(), context)
        counts.append(Counter(name for name, _ in seen))
    lines.close()
    later = counts[len(counts) // 2 :]
    image = Counter({name: sum(each[name] for each in later) / len(later) for each in later for name in each})
    units = sum(write_units(name, body) for name, body in seen)
    [record] = [item for name, body in seen if name == "PutItem" and _vectors(item := json.loads(body)["Item"])]
    asked = {kind: _searches(events, seen, kind, rounds) for kind in KINDS}
    columns: list[Mapping[str, float]] = [image, *(count for count, _ in asked.values())]
    names = sorted({name for count in columns for name in count}, key=lambda name: -sum(c[name] for c in columns))
    rows = [[name, *(f"{count[name]:.3g}" if count[name] else "" for count in columns)] for name in names]
    rows.append(["DynamoDB write units, the indexes' included", str(units), *([""] * len(asked))])
    rows.append(["ms of computing", "", *(f"{ms:.0f}" for _, ms in asked.values())])
    vectors = _vectors(record)
    figures: dict[str, float] = {
        "image_puts": image["PutObject"],
        "image_gets": _sum(image, _GETS),
        "image_events": image["PutEvents"],
        "image_write_units": units,
        "image_reads": _sum(image, _READS),
        "image_writes": _sum(image, _WRITES),
        "image_item_bytes": item_bytes(record),
        "image_list_bytes": item_bytes(vectors),
        "image_vectors": len(vectors),
        "image_vector_bytes": sum(_replicated(record, name) for name in vectors),
        "image_log_bytes": lines.bytes,
        "image_vector_searches": image["SearchVectors"],
    }
    for kind, (count, ms) in asked.items():
        figures |= {
            f"{kind}_ms": ms,
            f"{kind}_gets": _sum(count, _GETS),
            f"{kind}_reads": _sum(count, _READS),
            f"{kind}_vector_searches": count["SearchVectors"],
        }
    return Part(
        "Calls of AWS",
        ("call", "a new image", *KINDS.values()),
        rows,
        (),
        (
            f"Of an image that comes through the queue, and of a search in a new process, with {len(images)} "
            "images stored (of an image: the mean of the later half). The queue's own calls are Lambda's and "
            "S3's; the upload's own form is not among them. "
            f"A search's computing is its `took_ms` without {', '.join(WAITING)}, the model being loaded.",
        ),
        figures,
    )


class _Lines(logging.Handler):
    """A handler that counts the bytes that the logger of a function would write."""

    def __init__(self, function: str) -> None:
        super().__init__()
        self.bytes = 0
        self._counted = logging.getLogger(function)
        [self._usual] = self._counted.handlers
        self._counted.removeHandler(self._usual)
        self._counted.addHandler(self)
        self._counted.setLevel(logging.INFO)

    def emit(self, record: logging.LogRecord) -> None:
        self.bytes += len(self._usual.format(record).encode()) + 1

    def close(self) -> None:
        self._counted.removeHandler(self)
        self._counted.addHandler(self._usual)
        super().close()


def _searches(events: Events, seen: Seen, kind: str, rounds: int) -> tuple[Counter[str], float]:
    """Return the calls of the first search of a new application, and the computing milliseconds of later ones."""
    from infra.local.lambda_functions import api, reset_environments

    context: Any = FunctionContext("bench")
    effort = "fast" if kind == "fast" else "balanced"

    def asked(number: int) -> dict[str, float]:
        data = synthetic_image(UNSEEN + number) if kind == "nothing" else None
        answer = api(events.search(data, effort), context)
        if answer["statusCode"] != 200:
            raise SystemExit(f"the search answered {answer}")
        took: dict[str, float] = json.loads(answer["body"])["took_ms"]
        return took

    reset_environments()
    api(events.health(), context)
    seen.clear()
    asked(0)
    count = Counter(name for name, _ in seen)
    took = [asked(number) for number in range(1, rounds + 1)]
    return count, median(each["total"] - sum(each.get(stage, 0) for stage in WAITING) for each in took)


def _sum(count: Mapping[str, float], names: Sequence[str]) -> float:
    return sum(count[name] for name in names)


def write_units(name: str, body: Any) -> int:
    """Return the write units of a call: 1 per KB, doubled in a transaction, and 1 for each index that has the item.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
    """
    if name not in _WRITES:
        return 0
    request = json.loads(body)
    if name == "TransactWriteItems":
        return sum(2 * _of_one(next(iter(write.values()))) for write in request["TransactItems"])
    return _of_one(request)


def _of_one(write: Mapping[str, Any]) -> int:
    item = write.get("Item")
    if item is None:
        return 1
    return -(-item_bytes(item) // KB) + sum(key in item for key in (LISTING_SORT, PIXELS_HASH, TAKEN_SORT))


def _vectors(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes of an item that are vectors."""
    return {name: item[name] for name in (VECTOR_ATTRIBUTE, LOCAL_ATTRIBUTE) if name in item}


def _replicated(item: Mapping[str, Any], vector: str) -> int:
    """Return the bytes written to a vector's index: f32 numbers, keys, filter attributes and projected attributes."""
    copied = {PARTITION_KEY, SORT_KEY, VECTOR_PARTITION, *VECTOR_FILTERS, *RECORD_ATTRIBUTES, LISTING_SORT}
    numbers = 4 * len(item[vector]["L"])
    return numbers + item_bytes({name: value for name, value in item.items() if name in copied})


def item_bytes(item: Mapping[str, Any]) -> int:
    """Return the size of an item as DynamoDB counts it.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: Mapping[str, Any]) -> int:
    [(kind, content)] = value.items()
    match kind:
        case "S" | "B":
            return len(str(content).encode())
        case "N":
            digits = len(content.lstrip("-").split("e")[0].replace(".", "").strip("0"))
            return -(-digits // 2) + 1 + int(content.startswith("-"))
        case "L":
            return 3 + sum(1 + _value_bytes(each) for each in content)
        case "M":
            return 3 + len(content) + item_bytes(content)
        case "SS" | "NS" | "BS":
            texts: Sequence[str] = content
            return sum(len(text.encode()) for text in texts)
        case _:
            return 1
