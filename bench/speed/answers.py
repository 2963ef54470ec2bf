"""A fake AWS for the ingest function, which answers inside boto3 after the time that a real call takes.

No emulator takes the processor's time, and everything of boto3 but the network is run.
"""

import io
import json
import time
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from botocore.awsrequest import AWSPreparedRequest, AWSResponse, HeadersDict

from bench.cost.use import S3_SECONDS, TABLE_SECONDS, VECTOR_SECONDS
from shared.aws.dynamodb import item_mapper
from shared.domain.images import ImageRecord, ObjectRef

_SECONDS: Final = {"s3": S3_SECONDS, "dynamodb": TABLE_SECONDS, "eventbridge": TABLE_SECONDS}
_FOUND: Final = 7
_STRANGER: Final = ImageRecord(
    "bench", "ab" * 32, "m", 512, 384, "jpeg", 60_000, "5a" * 8, "2026-01-01T00:00:00.000000+00:00"
)


class _Body(io.BytesIO):
    """A body that botocore accepts as a connection's response."""

    def stream(self, *_: Any, **__: Any) -> Any:
        yield self.read()


_ALWAYS: Final[Mapping[str, Any]] = {
    "BatchGetItem": {"Responses": {}, "UnprocessedKeys": {}},
    "Query": {"Items": [], "Count": 0},
    "PutEvents": {"FailedEntryCount": 0, "Entries": [{"EventId": "e"}]},
}


class Answers:
    """An empty table, a bucket with `objects` by key, and an index of unrelated images only."""

    def __init__(self, objects: Mapping[str, bytes]) -> None:
        self._objects = objects
        self._entries: dict[str, Any] = {}
        self._search = {"SearchResults": [{"Item": _stranger(number), "Score": 0.9} for number in range(_FOUND)]}

    def before_send(self, request: AWSPreparedRequest, event_name: str, **_: Any) -> AWSResponse:
        service, operation = event_name.split(".")[1:3]
        time.sleep(VECTOR_SECONDS if operation == "SearchVectors" else _SECONDS[service])
        if service == "s3":
            return self._s3(request, operation)
        body: Any = request.body
        asked = json.loads(body)
        return _answer(request, 200, json.dumps(self._json(operation, asked)).encode())

    def _s3(self, request: AWSPreparedRequest, operation: str) -> AWSResponse:
        if operation == "PutObject":
            return _answer(request, 200, b"")
        key = request.url.split("?")[0].split("/", 4)[-1]
        data = self._objects.get(key)
        if data is None:
            return _answer(request, 404, b"<Error><Code>NoSuchKey</Code></Error>")
        return _answer(request, 200, data)

    def _json(self, operation: str, asked: Any) -> Any:
        match operation:
            case "GetItem":
                held = self._entries.get(asked["Key"]["pk"]["S"])
                return {"Item": held} if held else {}
            case "TransactWriteItems":
                item = asked["TransactItems"][0]["Put"]["Item"]
                self._entries[item["pk"]["S"]] = item
                return {}
            case "SearchVectors":
                return self._search
        return _ALWAYS.get(operation, {})


def _stranger(number: int) -> Any:
    item = item_mapper.record_item(_STRANGER, np.zeros(0, np.float32), ObjectRef("images", "k"))
    return {name: value for name, value in item.items() if name != "features"} | {"image_id": {"S": f"{number:064x}"}}


def _answer(request: AWSPreparedRequest, status: int, data: bytes) -> AWSResponse:
    headers: Any = HeadersDict({"content-length": str(len(data)), "etag": '"e"'})
    return AWSResponse(request.url, status, headers, _Body(data))
