"""The ledger of objects in DynamoDB, always consistent with the sources of images."""

import time
from typing import TYPE_CHECKING, Any

from shared.aws.dynamodb import item_keys, item_mapper
from shared.aws.dynamodb.transactions import commit
from shared.domain.images import ObjectRef
from shared.domain.ledger import ObjectState, ObjectStatus
from shared.domain.limits import UPLOAD_STATE_DAYS
from shared.domain.table_schema import TTL_ATTRIBUTE

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoLedger:
    """Stores one small item for each object, `object#<hash of bucket and key>`.

    A change is one transaction that writes the entry, deletes the source of the old image and adds that of the new
    one. So of two workers that read the same entry only one succeeds, and an image has a source exactly as long as an
    entry names the image.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def find(self, source: ObjectRef) -> ObjectState | None:
        item = self._client.get_item(TableName=self._table, Key=item_keys.object_key(source), ConsistentRead=True).get(
            "Item"
        )
        return item_mapper.to_object_state(item) if item else None

    def change(self, before: ObjectState | None, after: ObjectState) -> None:
        """Replace `before` with `after` and update the sources of the images concerned.

        Raises:
            ConflictError: the stored entry is no longer `before`.
        """
        writes: list[Any] = [{"Put": self._entry(before, after)}]
        old, new = before.held if before else None, after.held
        if old is not None and old != new:
            key = item_keys.source_key(old.image_id, old.collection, after.object)
            writes.append({"Delete": {"Key": key}})
        if new is not None:
            writes.append({"Put": {"Item": item_mapper.source_item(new.image_id, new.collection, after.object)}})
        commit(self._client, self._table, writes)

    @staticmethod
    def _entry(before: ObjectState | None, after: ObjectState) -> dict[str, Any]:
        item = item_mapper.object_item(after, before.revision + 1 if before else 1)
        if after.status in {ObjectStatus.REMOVED, ObjectStatus.REJECTED}:
            item[TTL_ATTRIBUTE] = {"N": str(int(time.time()) + UPLOAD_STATE_DAYS * 86_400)}
        if before is None:
            return {"Item": item, "ConditionExpression": "attribute_not_exists(pk)"}
        return {
            "Item": item,
            "ConditionExpression": "#revision = :revision",
            "ExpressionAttributeNames": {"#revision": "revision"},
            "ExpressionAttributeValues": {":revision": {"N": str(before.revision)}},
        }
