"""Reads and deletions of several items at once, of which DynamoDB may leave some undone."""

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BATCH: Final = 100
"""Maximum number of items in one BatchGetItem."""
BATCH_WRITES: Final = 25
"""Maximum number of items in one BatchWriteItem."""
ATTEMPTS: Final = 7
"""Maximum number of calls for one batch. The pauses between them are 3.2 seconds at most, half of that on average."""
FIRST_PAUSE: Final = 0.05
"""Longest pause before the second call, in seconds; each further one may be twice as long."""

Pause = Callable[[float], None]
T = TypeVar("T")


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
    *,
    consistent: bool = True,
    pause: Pause = time.sleep,
) -> Iterator[Any]:
    """Yield those of the items that exist, in any order.

    Args:
        keys: any number, each once.
        shown: the attributes that are read, see `projection`; all of them by default.
        consistent: whether to read the latest writes, which costs twice as much.
        pause: waits for so many seconds.

    Raises:
        ClientError: DynamoDB is overloaded; see `shared.aws.transient_errors`.
    """
    for chunk in chunks(keys, BATCH):
        waiting: Any = chunk
        for _ in _attempts("BatchGetItem", pause):
            request: Any = {table: {"Keys": waiting, "ConsistentRead": consistent, **(shown or {})}}
            answer: Any = dynamodb_client.batch_get_item(RequestItems=request)
            yield from answer["Responses"].get(table, [])
            waiting = answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
            if not waiting:
                break


def batch_delete(
    dynamodb_client: "DynamoDBClient", table: str, keys: Iterable[Mapping[str, Any]], *, pause: Pause = time.sleep
) -> None:
    """Delete items, those first that come first; may be repeated.

    Args:
        keys: items, or their keys; each once.
        pause: waits for so many seconds.

    Raises:
        ClientError: DynamoDB is overloaded; see `shared.aws.transient_errors`.
    """
    requests: list[Any] = [{"DeleteRequest": {"Key": {"pk": key["pk"], "sk": key["sk"]}}} for key in keys]
    for chunk in chunks(requests, BATCH_WRITES):
        waiting = chunk
        for _ in _attempts("BatchWriteItem", pause):
            answer: Any = dynamodb_client.batch_write_item(RequestItems={table: waiting})
            waiting = answer.get("UnprocessedItems", {}).get(table, [])
            if not waiting:
                break


def chunks(items: Sequence[T], size: int) -> Iterator[list[T]]:
    return (list(items[start : start + size]) for start in range(0, len(items), size))


def _attempts(operation: str, pause: Pause) -> Iterator[None]:
    """Yield before each attempt, with growing pauses between them; after the last, raise what throttling raises."""
    for attempt in range(ATTEMPTS):
        if attempt:
            pause(random.uniform(0, FIRST_PAUSE * 2 ** (attempt - 1)))  # noqa: S311 - jitter
        yield
    message = f"DynamoDB left items undone in {ATTEMPTS} attempts."
    raise ClientError({"Error": {"Code": "ProvisionedThroughputExceededException", "Message": message}}, operation)
