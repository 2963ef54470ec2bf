"""The calls of AWS that one picture and one search make: what the bill counts."""

import json
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import boto3

from bench.speed.events import Events
from bench.speed.report import Part
from infra.local.cloud import LocalCloud
from infra.local.queue_worker import FunctionContext
from shared.domain.features import FEATURE_DIMENSIONS
from shared.domain.schema import LISTING_SORT

KB: Final = 1024
_WRITES: Final = ("PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems")


def measure(cloud: LocalCloud, pictures: list[bytes]) -> Part:
    """Counted at botocore, in the emulator; nothing here depends on how fast anything is."""
    events = Events(cloud, pictures, "calls")
    from functions.api.bootstrap import application
    from functions.api.handler import handler as search
    from functions.ingest.bootstrap import intake
    from functions.ingest.handler import handler as ingest
    from functions.ingest.handler import metrics

    seen: list[tuple[str, Any]] = []
    session: Any = boto3.DEFAULT_SESSION
    session.events.register("before-call", lambda model, params, **_: seen.append((model.name, params.get("body"))))
    logging.getLogger("ingest").setLevel(logging.ERROR)
    intake.cache_clear()
    application.cache_clear()
    context: Any = FunctionContext("bench")
    for _ in pictures:  # the last one's calls are kept; no two are alike
        seen.clear()
        ingest(events.arrival(), context)
        metrics.clear_metrics()
    vectors = sum(_vectors(body) for name, body in seen if name == "PutItem")
    picture, units = Counter(name for name, _ in seen), sum(write_units(name, body) for name, body in seen)
    query = events.search()
    search(events.health(), context)
    seen.clear()
    search(query, context)
    asked = Counter(name for name, _ in seen)
    names = sorted(picture | asked, key=lambda name: -(picture[name] + asked[name]))
    rows = [(name, *(str(count[name]) if count[name] else "" for count in (picture, asked))) for name in names]
    return Part(
        "Calls of AWS",
        ("call", "one new picture", "one search"),
        [*rows, ("DynamoDB write units, the indexes' included", str(units), "")],
        (),
        (
            f"Of a picture that comes through the queue, and of a search in a new process, with {len(pictures)} "
            "pictures stored. The queue's own calls are Lambda's and S3's; the upload's own form is not among them.",
        ),
        {
            "picture_puts": picture["PutObject"],
            "picture_gets": picture["GetObject"] + picture["HeadObject"],
            "picture_events": picture["PutEvents"],
            "picture_write_units": units,
            "picture_reads": picture["GetItem"] + picture["Query"] + picture["BatchGetItem"],
            "picture_writes": sum(picture[name] for name in _WRITES),
            "picture_vectors": vectors,
            "picture_vector_searches": picture["SearchVectors"],
            "search_gets": asked["GetObject"] + asked["HeadObject"],
            "search_reads": asked["GetItem"] + asked["Query"] + asked["BatchGetItem"],
            "search_vector_searches": asked["SearchVectors"],
        },
    )


def write_units(name: str, body: Any) -> int:
    """Write request units of one call: 1 for each KB, twice in a transaction, 1 more for each index that lists it.

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
    return -(-item_bytes(item) // KB) + (LISTING_SORT in item)


def _vectors(body: Any) -> int:
    """How many of an item's attributes are vectors."""
    return sum(len(value.get("L", ())) >= FEATURE_DIMENSIONS for value in json.loads(body)["Item"].values())


def item_bytes(item: Mapping[str, Any]) -> int:
    """The size that DynamoDB counts.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: Mapping[str, Any]) -> int:
    [(kind, content)] = value.items()
    match kind:
        case "S" | "B":
            return len(content.encode())
        case "N":
            digits = content.lstrip("-").split("e")[0].replace(".", "").strip("0")
            return -(-len(digits) // 2) + 1 + content.startswith("-")
        case "L":
            return 3 + sum(1 + _value_bytes(each) for each in content)
        case "M":
            return 3 + len(content) + item_bytes(content)
        case "SS" | "NS" | "BS":
            texts: Sequence[str] = content
            return sum(len(text.encode()) for text in texts)
        case _:
            return 1
