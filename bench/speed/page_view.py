"""The calls of AWS behind one view of the page: of its two calls, and of the one that makes or finds a thumbnail."""

import json
import os
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

import boto3

from bench.cost.use import CONSISTENT, EVENTUAL
from bench.speed.events import Events, http_event
from bench.speed.report import Part
from bench.speed.requests import item_bytes, write_units
from infra.local.cloud import LocalCloud
from infra.local.queue_worker import FunctionContext
from shared.aws.dynamodb.api_keys import DynamoApiKeys
from shared.aws.dynamodb.item_keys import record_key
from shared.aws.objects import S3Objects
from shared.domain.access import Access, Scope
from shared.domain.limits import DEFAULT_PAGE, MAX_KEY_CALLS_PER_MINUTE

COLLECTION: Final = "viewed"
VIEW: Final = {
    "/v1/images": f"limit={DEFAULT_PAGE}",
    "/v1/stats": "",
}
"""What the page asks for when it is opened, with the query of each (tests/browser/test_page_view.py counts them)."""
LINKS: Final = 500


@dataclass
class _Seen:
    """Calls of AWS, and the units that DynamoDB's take."""

    calls: Counter[str] = field(default_factory=Counter)
    writes: int = 0
    reads: int = 0
    _body: Any = None

    def before(self, params: Any, **_: Any) -> None:
        self._body = params.get("body")

    def after(self, model: Any, parsed: Any, **_: Any) -> None:
        self.calls[model.name] += 1
        self.writes += write_units(model.name, self._body)
        if model.name in {"Query", "GetItem"}:
            request = json.loads(self._body)
            items = parsed.get("Items", [parsed["Item"]] if "Item" in parsed else [])
            size = CONSISTENT if request.get("ConsistentRead") else EVENTUAL
            self.reads += max(1, -(-sum(map(item_bytes, items)) // size))

    def clear(self) -> None:
        self.calls.clear()
        self.writes = self.reads = 0


def measure(cloud: LocalCloud, images: list[bytes]) -> Part:
    """Counted at botocore, behind an API that asks for keys, with more than one page of images stored."""
    from infra.local.lambda_functions import ingest, reset_environments
    from shared.aws.clients import dynamodb_client, s3_client

    events = Events(cloud, images, COLLECTION)
    context: Any = FunctionContext("bench")
    for _ in range(DEFAULT_PAGE + 2):
        ingest(events.arrival(), context)
    _, key = DynamoApiKeys(dynamodb_client(), cloud.outputs["TableName"]).create(
        name="bench",
        scopes=frozenset({Scope.SEARCH}),
        collections=frozenset({COLLECTION}),
        per_minute=MAX_KEY_CALLS_PER_MINUTE,
    )
    seen = _Seen()
    session: Any = boto3.DEFAULT_SESSION
    session.events.register_last("before-call", seen.before)
    session.events.register_last("after-call", seen.after)
    was = os.environ["PICTRACE_ACCESS"]
    os.environ["PICTRACE_ACCESS"] = Access.KEYS
    reset_environments()
    try:
        _asked(key, "/v1/images", VIEW["/v1/images"])  # the key is read once in half a minute
        found: dict[str, _Seen] = {}
        for path, query in VIEW.items():
            seen.clear()
            answer = _asked(key, path, query)
            found[path] = _Seen(Counter(seen.calls), seen.writes, seen.reads)
            if path == "/v1/images":
                listed = answer["images"]
        seen.clear()
        _asked(key, f"/v1/images/{listed[0]['image_id']}/thumbnail", f"collection={COLLECTION}")
        found["…/thumbnail"] = _Seen(Counter(seen.calls), seen.writes, seen.reads)
    finally:
        os.environ["PICTRACE_ACCESS"] = was
        reset_environments()
    names = sorted({name for each in found.values() for name in each.calls})
    rows = [[name, *(str(each.calls[name] or "") for each in found.values())] for name in names]
    rows.append(["DynamoDB write units", *(str(each.writes) for each in found.values())])
    # A GetItem reads the whole item, vectors too, whatever is projected.
    record = max(item_bytes(item) for item in _records(cloud, listed))
    whole = -(-record // CONSISTENT)
    found["…/thumbnail"].reads += whole - 1
    rows.append(["DynamoDB read units", *(str(each.reads) for each in found.values())])
    bucket = cloud.outputs["BucketName"]
    objects = S3Objects(s3_client(), bucket)
    objects.lasting_link("a", "image/webp")
    started = time.process_time()
    for number in range(LINKS):
        objects.lasting_link(f"thumbnails/{COLLECTION}/{number:064d}.webp", "image/webp")
    link_ms = (time.process_time() - started) * 1000 / LINKS
    stored = boto3.client("s3").list_objects_v2(Bucket=bucket, Prefix=f"thumbnails/{COLLECTION}/")["Contents"]
    figures: dict[str, float] = {
        "view_calls": len(VIEW),
        "view_writes": sum(found[path].writes for path in VIEW),
        "view_reads": found["/v1/images"].reads,
        "thumbnail_writes": found["…/thumbnail"].writes,
        "thumbnail_reads": found["…/thumbnail"].reads,
        "thumbnail_heads": found["…/thumbnail"].calls["HeadObject"],
        "thumbnail_bytes": sum(entry["Size"] for entry in stored) / len(stored),
        "link_ms": link_ms,
    }
    return Part(
        "One view of the page",
        ("call", *(path.removeprefix("/v1") for path in found)),
        rows,
        (),
        (
            f"Of an API that asks for keys, with {len(stored)} images stored and the key in memory. The page makes "
            f"the first two calls; each of {DEFAULT_PAGE} thumbnails was one of the third before listings had "
            f"signed links, of which one takes {link_ms:.2f} ms to sign. A thumbnail has "
            f"{figures['thumbnail_bytes'] / 1024:.1f} KB. `/v1/stats` counts the collection: its reads grow with that.",
        ),
        figures,
    )


def _asked(key: str, path: str, query: str) -> Any:
    from infra.local.lambda_functions import api

    event = http_event("GET", path, query=query)
    event["headers"] |= {"authorization": f"Bearer {key}", "accept": "application/json"}
    context: Any = FunctionContext("bench")
    answer = api(event, context)
    if answer["statusCode"] != 200:
        raise SystemExit(f"{path} answered {answer}")
    return json.loads(answer["body"])


def _records(cloud: LocalCloud, images: list[dict[str, Any]]) -> list[Any]:
    dynamodb = boto3.client("dynamodb")
    keys: list[Any] = [record_key(image["image_id"], COLLECTION) for image in images]
    return [dynamodb.get_item(TableName=cloud.outputs["TableName"], Key=key).get("Item", {}) for key in keys]
