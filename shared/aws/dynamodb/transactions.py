"""Writes of several items of which all happen, or none."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from shared.domain.ledger import ConflictError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_REFUSED: Final = "ConditionalCheckFailed"
_OVERTAKEN: Final = "TransactionConflict"


def transact(dynamodb_client: "DynamoDBClient", table: str, writes: Sequence[Any]) -> bool:
    """Write up to 100 items of one table; return False if a condition is not met.

    Args:
        writes: as in TransactWriteItems, without the table.

    Raises:
        ClientError: others write one of the items at this moment, too; see `shared.aws.transient_errors`.
    """
    try:
        _write(dynamodb_client, table, writes)
    except ClientError as error:
        if _REFUSED in _reasons(error):
            return False
        raise
    return True


def commit(dynamodb_client: "DynamoDBClient", table: str, writes: Sequence[Any]) -> None:
    """Write up to 100 items of one table, where whoever is overtaken reads them again and retries.

    Args:
        writes: see `transact`.

    Raises:
        ConflictError: a condition is not met, or others write one of the items at this moment, too.
        ClientError: the transaction failed for any other reason, such as throttling.
    """
    try:
        _write(dynamodb_client, table, writes)
    except ClientError as error:
        if _reasons(error) & {_REFUSED, _OVERTAKEN}:
            raise ConflictError from error
        raise


def _write(dynamodb_client: "DynamoDBClient", table: str, writes: Sequence[Any]) -> None:
    of_table: list[Any] = [{kind: {"TableName": table, **write} for kind, write in entry.items()} for entry in writes]
    dynamodb_client.transact_write_items(TransactItems=of_table)


def _reasons(error: ClientError) -> set[str]:
    """Return the reasons why a transaction was cancelled; none for an error of another kind."""
    answer: Any = error.response
    return {reason.get("Code") for reason in answer.get("CancellationReasons", [])}
