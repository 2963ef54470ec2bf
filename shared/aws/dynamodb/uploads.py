"""The state of uploads in DynamoDB."""

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from shared.aws.dynamodb import item_keys, item_mapper
from shared.domain.images import Grouping, ObjectRef, Upload, UploadStatus
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
            **item_keys.upload_item_key(upload.upload_id),
            "upload_id": {"S": upload.upload_id},
            "collection": {"S": upload.collection},
            "status": {"S": upload.status},
            "bucket": {"S": source.bucket},
            "key": {"S": source.key},
            "opened_at": {"N": str(int(time.time()))},
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
            TableName=self._table, Key=item_keys.upload_item_key(upload_id), ConsistentRead=True
        ).get("Item")
        return item_mapper.to_upload(item) if item else None

    def finish(self, upload: Upload) -> None:
        """Store the final state of an upload, opened or not; see `shared.domain.ports.uploads.Uploads`."""
        fields = {
            "upload_id": upload.upload_id,
            "collection": upload.collection,
            "status": upload.status.value,
            "image_id": upload.image_id,
            "code": upload.code,
            "reason": upload.reason,
            "grouping": upload.grouping.value if upload.grouping else None,
        }
        known = {name: {"S": value} for name, value in fields.items() if value is not None}
        known[TTL_ATTRIBUTE] = _expiry()
        unset = [name for name, value in fields.items() if value is None]
        expression = "SET " + ", ".join(f"#{name} = :{name}" for name in known)
        if unset:
            expression += " REMOVE " + ", ".join(f"#{name}" for name in unset)
        self._client.update_item(
            TableName=self._table,
            Key=item_keys.upload_item_key(upload.upload_id),
            UpdateExpression=expression,
            ExpressionAttributeNames={f"#{name}": name for name in (*known, *unset)},
            ExpressionAttributeValues={f":{name}": value for name, value in known.items()},
        )

    def grouped(self, upload_id: str) -> None:
        """Note that the image of a finished upload is in its group; see `shared.domain.ports.uploads.Uploads`."""
        with suppress(self._client.exceptions.ConditionalCheckFailedException):
            self._client.update_item(
                TableName=self._table,
                Key=item_keys.upload_item_key(upload_id),
                UpdateExpression="SET #grouping = :done",
                ConditionExpression="#grouping = :pending",
                ExpressionAttributeNames={"#grouping": "grouping"},
                ExpressionAttributeValues={":done": {"S": Grouping.DONE}, ":pending": {"S": Grouping.PENDING}},
            )

    def expect_end(self, upload_id: str, ends_by: int) -> None:
        """Store when a pending upload's last attempt will have ended; see `shared.domain.ports.uploads.Uploads`."""
        self._update_pending(upload_id, {"ends_by": {"N": str(ends_by)}})

    def fail(self, upload_id: str, reason: str) -> None:
        """Reject an upload with the code `failed`, if it is pending."""
        self._update_pending(
            upload_id,
            {
                "status": {"S": UploadStatus.REJECTED},
                "code": {"S": "failed"},
                "reason": {"S": reason},
                TTL_ATTRIBUTE: _expiry(),
            },
        )

    def _update_pending(self, upload_id: str, values: dict[str, Any]) -> None:
        with suppress(self._client.exceptions.ConditionalCheckFailedException):
            self._client.update_item(
                TableName=self._table,
                Key=item_keys.upload_item_key(upload_id),
                UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
                ConditionExpression="#status = :pending",
                ExpressionAttributeNames={f"#{name}": name for name in {*values, "status"}},
                ExpressionAttributeValues={f":{name}": value for name, value in values.items()}
                | {":pending": {"S": UploadStatus.PENDING}},
            )


def _expiry() -> dict[str, str]:
    return {"N": str(int(time.time()) + UPLOAD_STATE_DAYS * 86_400)}
