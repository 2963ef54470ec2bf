"""Recognition of transient errors: the service cannot answer an AWS call now, but the same call may succeed later."""

from http import HTTPStatus
from typing import Any, Final

from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError

_UNREACHED: Final = (exceptions.ConnectionError, exceptions.HTTPClientError, exceptions.IncompleteReadError)
_BUSY: Final = {
    "LimitExceededException",
    "ProvisionedThroughputExceeded",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestTimeout",
    "RequestTimeoutException",
    "Throttling",
    "ThrottlingError",
    "ThrottlingException",
    "TransactionConflict",
    "TransactionConflictException",
    "TransactionInProgressException",
}
"""Codes that come with status 400, of an error or of one item in a cancelled transaction."""


_BUILDING: Final = (
    "Cannot search backfilling vector index",
    "Cannot read from backfilling global secondary index",
    "The table does not have the specified index",
)
"""Beginnings of the messages, with the code ValidationException, of a search or query in an index that is not ready:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/VectorSearchTroubleshooting.html. A stack's update ends
before a new secondary index is filled: https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/1075

The last reports an index that the search endpoint does not know yet, and also one that does not exist. A test
compares the index names in the code with those in the template, so the first meaning is assumed."""


def is_index_not_ready(error: ClientError) -> bool:
    """Return whether a vector search, or a query, was refused because its index is still being built."""
    refused = error.response["Error"]
    return (
        error.operation_name in {"SearchVectors", "Query"}
        and refused["Code"] == "ValidationException"
        and refused.get("Message", "").startswith(_BUILDING)
    )


def is_transient(error: BotoCoreError | ClientError) -> bool:
    """Return whether a call failed, after botocore's own retries, for a temporary reason.

    These are throttling, any status 5xx, and every failure to connect, to send or to read. Missing permissions,
    missing tables and invalid parameters are defects of the installation instead.
    """
    if not isinstance(error, ClientError):
        return isinstance(error, _UNREACHED)
    response: Any = error.response
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
        return True
    codes = {response["Error"]["Code"], *(reason.get("Code") for reason in response.get("CancellationReasons", []))}
    return bool(codes & _BUSY)
