"""The progress of comparing collections again, in DynamoDB."""

from typing import TYPE_CHECKING, Any

from shared.domain.duplicate_scans import DuplicateScan, ScanStatus
from shared.domain.table_schema import SCANS_PARTITION

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoScans:
    """Stores one small item for each collection; see `shared.domain.ports.duplicates.Scans`."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def put(self, scan: DuplicateScan) -> None:
        self._client.put_item(TableName=self._table, Item=_item(scan))

    def find(self, collection: str) -> DuplicateScan | None:
        item: Any = self._client.get_item(TableName=self._table, Key=_key(collection), ConsistentRead=True).get("Item")
        if item is None:
            return None
        return DuplicateScan(
            collection=collection,
            scan_id=item["scan_id"]["S"],
            status=ScanStatus(item["status"]["S"]),
            images=int(item["images"]["N"]),
            started_at=item["started_at"]["S"],
            cursor=item["cursor"]["S"] if "cursor" in item else None,
            done=int(item["done"]["N"]),
            changed=int(item["changed"]["N"]),
        )

    def advance(self, before: DuplicateScan, after: DuplicateScan) -> bool:
        try:
            self._client.put_item(
                TableName=self._table,
                Item=_item(after),
                ConditionExpression="scan_id = :scan AND done = :done",
                ExpressionAttributeValues={":scan": {"S": before.scan_id}, ":done": {"N": str(before.done)}},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True


def _key(collection: str) -> dict[str, Any]:
    return {"pk": {"S": SCANS_PARTITION}, "sk": {"S": collection}}


def _item(scan: DuplicateScan) -> dict[str, Any]:
    texts = {"scan_id": scan.scan_id, "status": scan.status.value, "started_at": scan.started_at, "cursor": scan.cursor}
    numbers = {"images": scan.images, "done": scan.done, "changed": scan.changed}
    return (
        _key(scan.collection)
        | {name: {"S": value} for name, value in texts.items() if value is not None}
        | {name: {"N": str(value)} for name, value in numbers.items()}
    )
