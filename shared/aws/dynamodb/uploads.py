"""The state of uploads in DynamoDB."""

import time
from typing import TYPE_CHECKING, Any

from shared.aws.dynamodb import item_mapper
from shared.domain.images import ObjectRef, Upload
from shared.domain.limits import UPLOAD_STATE_DAYS
from shared.domain.table_schema import TTL_ATTRIBUTE

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoUploads:
    """Stores one small item for each upload, `upload#<upload_id>`, which expires after `UPLOAD_STATE_DAYS`."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def open(self, upload: Upload, source: ObjectRef) -> None:
        """Store the state of a new upload; an existing state is not changed."""
        item: dict[str, Any] = {
            **item_mapper.upload_item_key(upload.upload_id),
            "upload_id": {"S": upload.upload_id},
            "collection": {"S": upload.collection},
            "status": {"S": upload.status},
            "bucket": {"S": source.bucket},
            "key": {"S": source.key},
            TTL_ATTRIBUTE: _expiry(),
        }
        if upload.filename:
            item["filename"] = {"S": upload.filename}
        if upload.metadata:
            item["metadata"] = {"M": {name: {"S": value} for name, value in upload.metadata.items()}}
        try:
            self._client.put_item(TableName=self._table, Item=item, ConditionExpression="attribute_not_exists(pk)")
        except self._client.exceptions.ConditionalCheckFailedException:
            return

    def find(self, upload_id: str) -> Upload | None:
        item = self._client.get_item(
            TableName=self._table, Key=item_mapper.upload_item_key(upload_id), ConsistentRead=True
        ).get("Item")
        return item_mapper.to_upload(item) if item else None

    def finish(self, upload: Upload) -> None:
        """Store the final state of an upload, whether or not it was opened before."""
        fields = {
            "upload_id": upload.upload_id,
            "collection": upload.collection,
            "status": upload.status.value,
            "image_id": upload.image_id,
            "code": upload.code,
            "reason": upload.reason,
        }
        known = {name: {"S": value} for name, value in fields.items() if value is not None}
        known[TTL_ATTRIBUTE] = _expiry()
        self._client.update_item(
            TableName=self._table,
            Key=item_mapper.upload_item_key(upload.upload_id),
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in known),
            ExpressionAttributeNames={f"#{name}": name for name in known},
            ExpressionAttributeValues={f":{name}": value for name, value in known.items()},
        )


def _expiry() -> dict[str, str]:
    return {"N": str(int(time.time()) + UPLOAD_STATE_DAYS * 86_400)}
