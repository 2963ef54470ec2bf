"""Writes of several items of which all happen, or none."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def transact(dynamodb_client: "DynamoDBClient", table: str, writes: Sequence[Any]) -> bool:
    """Write up to 100 items of one table; return False if a condition is not met.

    Args:
        writes: as in TransactWriteItems, without the table.

    Raises:
        ClientError: others write one of the items at this moment, too; see `shared.aws.transient_errors`.
    """
    of_table: list[Any] = [{kind: {"TableName": table, **write} for kind, write in entry.items()} for entry in writes]
    try:
        dynamodb_client.transact_write_items(TransactItems=of_table)
    except ClientError as error:
        answer: Any = error.response
        reasons = {reason.get("Code") for reason in answer.get("CancellationReasons", [])}
        if answer["Error"]["Code"] == "TransactionCanceledException" and "ConditionalCheckFailed" in reasons:
            return False
        raise
    return True
