"""The items that list what is in the trash: in one partition, by collection and by the time of deletion."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_FIRST, _LAST, _BEHIND = "!", "~", "$"
"""Before and behind every character in a collection's name, and behind `#`, before every other."""


@dataclass(frozen=True, slots=True)
class TrashEntry:
    """That something was deleted; `trashed_at` is ISO 8601 in UTC."""

    collection: str
    trashed_at: str
    deleted_id: str

    @classmethod
    def of(cls, item: Any) -> Self:
        return cls(*item["sk"]["S"].split("#"))

    def key(self, partition: str) -> dict[str, Any]:
        return {"pk": {"S": partition}, "sk": {"S": f"{self.collection}#{self.trashed_at}#{self.deleted_id}"}}


def read_page(
    dynamodb_client: "DynamoDBClient",
    table: str,
    partition: str,
    collection: str,
    *,
    limit: int,
    after: TrashEntry | None,
) -> tuple[list[TrashEntry], TrashEntry | None]:
    """Return entries of a collection, the last deleted first, and that after which the next page starts, if any.

    Args:
        after: the entry after which this page starts; None for the first page.
    """
    start: Any = {"ExclusiveStartKey": after.key(partition)} if after else {}
    answer: Any = dynamodb_client.query(
        TableName=table,
        KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
        ExpressionAttributeValues={":pk": {"S": partition}, ":prefix": {"S": f"{collection}#"}},
        ScanIndexForward=False,
        Limit=limit,
        ConsistentRead=True,
        **start,
    )
    entries = [TrashEntry.of(item) for item in answer["Items"]]
    return entries, entries[-1] if entries and "LastEvaluatedKey" in answer else None


def read_due(
    dynamodb_client: "DynamoDBClient", table: str, partition: str, before: str, *, page: int, collection: str | None
) -> Iterator[TrashEntry]:
    """Yield the entries of one collection, or of any, that were deleted before a time; read while they are taken.

    Entries that are not due are read up to a page of each collection, since the others of it are passed over.

    Args:
        page: how many entries are read at once.
    """
    first, last = (f"{collection}#", f"{collection}#{before}") if collection else (_FIRST, _LAST)
    while True:
        answer: Any = dynamodb_client.query(
            TableName=table,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues={":pk": {"S": partition}, ":first": {"S": first}, ":last": {"S": last}},
            Limit=page,
        )
        entries = [TrashEntry.of(item) for item in answer["Items"]]
        yield from (entry for entry in entries if entry.trashed_at < before)
        if not entries or "LastEvaluatedKey" not in answer:
            return
        seen = entries[-1]
        first = seen.key(partition)["sk"]["S"] + _FIRST if seen.trashed_at < before else seen.collection + _BEHIND
