"""Which errors of AWS calls say that the service cannot answer now, and that the same call may succeed later."""

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
"""Codes that come with status 400, as of an error or as of one item of a cancelled transaction."""


_BUILDING: Final = ("Cannot search backfilling vector index", "The table does not have the specified index")
"""How the messages begin, with the code ValidationException, that an index causes which is not ready:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/VectorSearchTroubleshooting.html

The second is said of an index that the search endpoint does not know yet, and of one that does not exist at all. A test
holds the names that the code searches against those of the template, so it is taken for the first."""


def is_index_not_ready(error: ClientError) -> bool:
    """Whether a vector search was refused because its index is still being built."""
    refused = error.response["Error"]
    return (
        error.operation_name == "SearchVectors"
        and refused["Code"] == "ValidationException"
        and refused.get("Message", "").startswith(_BUILDING)
    )


def is_outage(error: BotoCoreError | ClientError) -> bool:
    """Whether a call failed, after botocore's own retries, for a reason that passes.

    Throttling, any status 5xx, and every failure to connect, to send or to read. Refused permissions, missing tables
    and invalid parameters are defects of the installation and no outages.
    """
    if not isinstance(error, ClientError):
        return isinstance(error, _UNREACHED)
    answer: Any = error.response
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
        return True
    codes = {answer["Error"]["Code"], *(reason.get("Code") for reason in answer.get("CancellationReasons", []))}
    return bool(codes & _BUSY)
