"""The collections that exist, in DynamoDB: one small item each, in one partition."""

import threading
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from shared.aws.dynamodb import item_keys
from shared.aws.dynamodb.batches import batch_get
from shared.domain.collections import CollectionEntry, CollectionPage
from shared.domain.cursors import decode_name, encode_name
from shared.domain.table_schema import COLLECTIONS_PARTITION, FACES_ON

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

REGISTERED_SECONDS: Final = 60
"""How long a process remembers that it registered a collection, so that storing an image rarely costs a write more."""


class DynamoCollections:
    """Stores the collections, so that they are listed by a query and not by a scan of the table.

    Args:
        clock: seconds that never go back.
    """

    def __init__(self, client: "DynamoDBClient", table: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._table = table
        self._clock = clock
        self._registered: dict[str, float] = {}
        self._lock = threading.Lock()

    def register(self, name: str) -> None:
        """Note that a collection is used; see `shared.domain.ports.collections.Collections`."""
        now = self._clock()
        with self._lock:
            if now - self._registered.get(name, float("-inf")) < REGISTERED_SECONDS:
                return
        with suppress(self._client.exceptions.ConditionalCheckFailedException):
            self._client.put_item(
                TableName=self._table,
                Item=_item_key(name) | {"created_at": {"S": _now()}},
                ConditionExpression="attribute_not_exists(pk)",
            )
        with self._lock:
            self._registered[name] = now

    def put(self, name: str, title: str | None) -> CollectionEntry:
        """Create a collection, or change its title."""
        values: dict[str, Any] = {":now": {"S": _now()}}
        change = "SET created_at = if_not_exists(created_at, :now)"
        if title:
            change += ", title = :title"
            values[":title"] = {"S": title}
        answer = self._client.update_item(
            TableName=self._table,
            Key=_item_key(name),
            UpdateExpression=change if title else f"{change} REMOVE title",
            ExpressionAttributeValues=values,
            ReturnValues="ALL_NEW",
        )
        return _to_entry(answer["Attributes"])

    def set_faces(self, name: str, *, on: bool) -> CollectionEntry:
        """Turn faces on or off; see `shared.domain.ports.collections.Collections`."""
        answer = self._client.update_item(
            TableName=self._table,
            Key=_item_key(name),
            UpdateExpression="SET created_at = if_not_exists(created_at, :now), #faces = :on",
            ExpressionAttributeNames={"#faces": FACES_ON},
            ExpressionAttributeValues={":now": {"S": _now()}, ":on": {"BOOL": on}},
            ReturnValues="ALL_NEW",
        )
        return _to_entry(answer["Attributes"])

    def page(self, *, limit: int, cursor: str | None) -> CollectionPage:
        """Return one page of all collections; see `shared.domain.ports.collections.Collections`."""
        condition, values = "pk = :pk", {":pk": {"S": COLLECTIONS_PARTITION}}
        if cursor:
            condition += " AND sk > :after"
            values[":after"] = {"S": decode_name(cursor)}
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=values,
            Limit=limit + 1,
            ConsistentRead=True,
        )
        entries = [_to_entry(item) for item in answer["Items"]]
        more = len(entries) > limit
        return CollectionPage(entries[:limit], encode_name(entries[limit - 1].name) if more else None)

    def find(self, names: Collection[str]) -> Sequence[CollectionEntry]:
        """Return those of the collections, at most 100, that exist, ordered by name."""
        keys = [_item_key(name) for name in set(names)]
        return sorted(map(_to_entry, batch_get(self._client, self._table, keys)), key=lambda entry: entry.name)

    def remove(self, name: str) -> None:
        """Remove a collection from the list; one that is used again is registered again within a minute."""
        self._client.delete_item(TableName=self._table, Key=_item_key(name))
        with self._lock:
            self._registered.pop(name, None)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _item_key(name: str) -> dict[str, Any]:
    return {"pk": {"S": COLLECTIONS_PARTITION}, "sk": {"S": name}}


def _to_entry(item: item_keys.Item) -> CollectionEntry:
    return CollectionEntry(
        name=str(item["sk"]["S"]),
        title=item["title"]["S"] if "title" in item else None,
        created_at=item["created_at"]["S"] if "created_at" in item else None,
        faces=FACES_ON in item and item[FACES_ON]["BOOL"],
    )
