"""API keys in DynamoDB."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from shared.domain.access import EVERY_COLLECTION, Scope
from shared.domain.api_keys import ApiKey, StoredApiKeys
from shared.domain.table_schema import KEYS_PARTITION, TTL_ATTRIBUTE

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoApiKeys(StoredApiKeys):
    """Stores the API keys of one table, one item each, and one item for each minute in which a key is used."""

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(clock, monotonic)
        self._client = client
        self._table = table

    def list_all(self) -> Sequence[ApiKey]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": KEYS_PARTITION}},
            ConsistentRead=True,
        )
        return sorted((_to_key(item) for page in pages for item in page["Items"]), key=lambda key: key.created_at)

    def delete(self, key_id: str) -> None:
        self._client.delete_item(TableName=self._table, Key=_item_key(key_id))

    def _insert(self, key: ApiKey, secret_hash: str) -> None:
        self._client.put_item(
            TableName=self._table, Item=_item(key, secret_hash), ConditionExpression="attribute_not_exists(pk)"
        )

    def _set_revoked(self, key_id: str, now: str) -> ApiKey | None:
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key=_item_key(key_id),
                UpdateExpression="SET revoked_at = if_not_exists(revoked_at, :now)",
                ConditionExpression="attribute_exists(pk)",
                ExpressionAttributeValues={":now": {"S": now}},
                ReturnValues="ALL_NEW",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return None
        return _to_key(answer["Attributes"])

    def _read(self, key_id: str) -> tuple[ApiKey, str] | None:
        item = self._client.get_item(TableName=self._table, Key=_item_key(key_id), ConsistentRead=True).get("Item")
        return (_to_key(item), item["secret_hash"]["S"]) if item else None

    def _add_call(self, key_id: str, minute: int) -> int:
        """Count a call, at the cost of one write unit."""
        counted = self._client.update_item(
            TableName=self._table,
            Key={"pk": {"S": f"key#{key_id}"}, "sk": {"S": f"minute#{minute}"}},
            UpdateExpression="SET #ttl = :ttl ADD calls :one",
            ExpressionAttributeNames={"#ttl": TTL_ATTRIBUTE},
            ExpressionAttributeValues={":ttl": {"N": str((minute + 2) * 60)}, ":one": {"N": "1"}},
            ReturnValues="UPDATED_NEW",
        )
        return int(counted["Attributes"]["calls"]["N"])


def _item_key(key_id: str) -> dict[str, Any]:
    return {"pk": {"S": KEYS_PARTITION}, "sk": {"S": key_id}}


def _item(key: ApiKey, secret_hash: str) -> dict[str, Any]:
    item: dict[str, Any] = {
        **_item_key(key.key_id),
        "secret_hash": {"S": secret_hash},
        "name": {"S": key.name},
        "scopes": {"SS": sorted(key.scopes)},
        "collections": {"SS": [EVERY_COLLECTION] if key.collections is None else sorted(key.collections)},
        "per_minute": {"N": str(key.per_minute)},
        "created_at": {"S": key.created_at},
    }
    return item | {"expires": {"S": key.expires}} if key.expires else item


def _to_key(item: Mapping[str, Any]) -> ApiKey:
    collections = frozenset(item["collections"]["SS"])
    return ApiKey(
        key_id=item["sk"]["S"],
        name=item["name"]["S"],
        scopes=frozenset(Scope(scope) for scope in item["scopes"]["SS"]),
        collections=None if EVERY_COLLECTION in collections else collections,
        per_minute=int(item["per_minute"]["N"]),
        created_at=item["created_at"]["S"],
        expires=item["expires"]["S"] if "expires" in item else None,
        revoked_at=item["revoked_at"]["S"] if "revoked_at" in item else None,
    )
