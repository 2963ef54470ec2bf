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
