"""Reads of several items at once."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BATCH: Final = 100
"""Maximum number of items in one BatchGetItem."""


def projection(*names: str) -> dict[str, Any]:
    """Return the parameters of a read for these attributes alone."""
    return {
        "ProjectionExpression": ", ".join(f"#{name}" for name in names),
        "ExpressionAttributeNames": {f"#{name}": name for name in names},
    }


def batch_get(
    dynamodb_client: "DynamoDBClient",
    table: str,
    keys: Sequence[Mapping[str, Any]],
    shown: Mapping[str, Any] | None = None,
) -> Iterator[Any]:
    """Yield those of the items that exist, in any order, read consistently.

    Args:
        keys: any number, each once.
        shown: the attributes that are read, see `projection`; all of them by default.
    """
    for start in range(0, len(keys), BATCH):
        waiting: Any = keys[start : start + BATCH]
        while waiting:
            request: Any = {table: {"Keys": waiting, "ConsistentRead": True, **(shown or {})}}
            answer: Any = dynamodb_client.batch_get_item(RequestItems=request)
            yield from answer["Responses"].get(table, [])
            waiting = answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
