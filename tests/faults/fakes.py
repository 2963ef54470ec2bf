"""In-memory fakes of the parts of DynamoDB and S3 that the adapters use, fast enough for thousands of histories.

`test_fakes.py` shows that they answer as moto does. Every call goes through `before_call`, where a test can switch to
another worker or kill this one.
"""

import hashlib
import io
import itertools
import pickle
from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError

Item = dict[str, Any]


def client_error(operation: str, code: str, **more: Any) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": 400}, **more}
    return ClientError(answer, operation)


class MemoryTable:
    """A table with `pk` and `sk` that supports the condition expressions of the adapters."""

    def __init__(self, before_call: Callable[[str], None] = lambda _: None) -> None:
        self.items: dict[tuple[str, str], Item] = {}
        self._before_call = before_call

    class exceptions:  # noqa: N801 - boto3's name
        ConditionalCheckFailedException = ClientError

    def get_item(self, *, Key: Item, **_: Any) -> Item:
        self._before_call("get_item")
        found = self.items.get(_key(Key))
        return {"Item": _copy(found)} if found else {}

    def batch_get_item(self, *, RequestItems: Item) -> Item:
        self._before_call("batch_get_item")
        [(table, wanted)] = RequestItems.items()
        found = [self.items[key] for key in map(_key, wanted["Keys"]) if key in self.items]
        return {"Responses": {table: [_copy(item) for item in found]}}

    def put_item(self, *, Item: Item, **options: Any) -> Item:
        self._before_call("put_item")
        held = self.items.get(_key(Item))
        if not _holds(held, options):
            raise client_error("PutItem", "ConditionalCheckFailedException", Item=_copy(held))
        self.items[_key(Item)] = _copy(Item)
        return {}

    def update_item(self, *, Key: Item, UpdateExpression: str, **options: Any) -> Item:
        self._before_call("update_item")
        if not _holds(self.items.get(_key(Key)), options):
            raise client_error("UpdateItem", "ConditionalCheckFailedException")
        _update(self.items.setdefault(_key(Key), dict(Key)), {"UpdateExpression": UpdateExpression, **options})
        return {}

    def delete_item(self, *, Key: Item, **options: Any) -> Item:
        self._before_call("delete_item")
        if not _holds(self.items.get(_key(Key)), options):
            raise client_error("DeleteItem", "ConditionalCheckFailedException")
        self.items.pop(_key(Key), None)
        return {}

    def transact_write_items(self, *, TransactItems: list[Item]) -> Item:
        self._before_call("transact_write_items")
        writes = [write for entry in TransactItems for write in entry.values()]
        held = [self.items.get(_key(write.get("Item", write.get("Key")))) for write in writes]
        reasons = [
            "None" if _holds(item, write) else "ConditionalCheckFailed"
            for item, write in zip(held, writes, strict=True)
        ]
        if set(reasons) != {"None"}:
            raise client_error(
                "TransactWriteItems",
                "TransactionCanceledException",
                CancellationReasons=[{"Code": reason} for reason in reasons],
            )
        for entry in TransactItems:
            for kind, write in entry.items():
                if kind == "Put":
                    self.items[_key(write["Item"])] = _copy(write["Item"])
                elif kind == "Update":
                    _update(self.items.setdefault(_key(write["Key"]), dict(write["Key"])), write)
                else:
                    self.items.pop(_key(write["Key"]), None)
        return {}

    def get_paginator(self, _: str) -> "MemoryTable":
        return self

    def paginate(self, *, ExpressionAttributeValues: Item, **_: Any) -> Iterator[Item]:
        self._before_call("query")
        wanted, prefix = ExpressionAttributeValues[":pk"]["S"], ExpressionAttributeValues.get(":prefix", {"S": ""})["S"]
        found = [item for (pk, sk), item in sorted(self.items.items()) if pk == wanted and sk.startswith(prefix)]
        yield {"Items": _copy(found)}

    def query(self, *, ExpressionAttributeValues: Item, Limit: int, **_: Any) -> Item:
        self._before_call("query")
        wanted, first, last = (ExpressionAttributeValues[name]["S"] for name in (":pk", ":first", ":last"))
        found = [item for (pk, sk), item in sorted(self.items.items()) if pk == wanted and first <= sk <= last]
        more: Item = {"LastEvaluatedKey": {}} if len(found) > Limit else {}
        return {"Items": _copy(found[:Limit]), **more}

    def batch_write_item(self, *, RequestItems: Item) -> Item:
        self._before_call("batch_write_item")
        for write in itertools.chain(*RequestItems.values()):
            self.items.pop(_key(write["DeleteRequest"]["Key"]), None)
        return {}


def _copy(item: Any) -> Any:
    """Copy plain data, in a fifth of the time that `copy.deepcopy` takes."""
    return pickle.loads(pickle.dumps(item))  # noqa: S301 - pickled here


def _key(item: Item) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]


def _update(item: Item, options: Item) -> None:
    names = options["ExpressionAttributeNames"]
    changes, _, removed = options["UpdateExpression"].removeprefix("SET ").partition(" REMOVE ")
    for change in changes.split(", "):
        name, value = change.split(" = ")
        item[names.get(name, name)] = options["ExpressionAttributeValues"][value]
    for name in filter(None, removed.split(", ")):
        item.pop(names[name], None)


def _holds(held: Item | None, options: Item) -> bool:  # noqa: PLR0911 - one for each condition
    condition = options.get("ConditionExpression")
    values = options.get("ExpressionAttributeValues", {})
    match condition:
        case None:
            return True
        case "attribute_not_exists(pk)":
            return held is None
        case "attribute_exists(pk)":
            return held is not None
        case "#revision = :revision":
            return held is not None and held.get("revision") == values[":revision"]
        case "attribute_exists(#collection)":
            return held is not None and "collection" in held
        case "#at = :at AND attribute_not_exists(condemned)":
            return held is not None and held.get("trashed_at") == values[":at"] and "condemned" not in held
        case "attribute_exists(#at) AND #at < :before":
            return held is not None and "trashed_at" in held and held["trashed_at"]["S"] < values[":before"]["S"]
        case "#trashed_at = :was":
            return held is not None and held.get("trashed_at") == values[":was"]
        case "#model = :was AND attribute_not_exists(#trashed_at)":
            return held is not None and held.get("model") == values[":was"] and "trashed_at" not in held
    raise NotImplementedError(condition)


class MemoryBucket:
    """Buckets without versions; `on_change` is called for every object that is written or removed.

    Attributes:
        archived: objects that exist but cannot be read.
    """

    def __init__(
        self,
        before_call: Callable[[str], None] = lambda _: None,
        on_change: Callable[[str, str, str], None] = lambda *_: None,
    ) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}
        self.archived: set[tuple[str, str]] = set()
        self._before_call = before_call
        self._on_change = on_change

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, **_: Any) -> Item:
        self._before_call("put_object")
        self.objects[Bucket, Key] = Body
        self.archived.discard((Bucket, Key))
        self._on_change("created", Bucket, Key)
        return {}

    def get_object(self, *, Bucket: str, Key: str, **_: Any) -> Item:
        self._before_call("get_object")
        if (Bucket, Key) in self.archived:
            raise client_error("GetObject", "InvalidObjectState")
        return self._head(Bucket, Key, "GetObject") | {"Body": io.BytesIO(self.objects[Bucket, Key])}

    def head_object(self, *, Bucket: str, Key: str) -> Item:
        self._before_call("head_object")
        return self._head(Bucket, Key, "HeadObject")

    def _head(self, bucket: str, key: str, operation: str) -> Item:
        if (bucket, key) not in self.objects:
            raise client_error(operation, "NoSuchKey" if operation == "GetObject" else "404")
        data = self.objects[bucket, key]
        return {"ContentLength": len(data), "ETag": f'"{hashlib.md5(data).hexdigest()}"'}  # noqa: S324 - as S3 does

    def delete_object(self, *, Bucket: str, Key: str, **_: Any) -> Item:
        self._before_call("delete_object")
        self.archived.discard((Bucket, Key))
        if self.objects.pop((Bucket, Key), None) is not None:
            self._on_change("removed", Bucket, Key)
        return {}

    def put_object_tagging(self, *, Bucket: str, Key: str, **_: Any) -> Item:
        self._before_call("put_object_tagging")
        self._head(Bucket, Key, "PutObjectTagging")
        return {}
