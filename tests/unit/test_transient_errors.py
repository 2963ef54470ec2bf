"""Which errors of AWS calls pass, as botocore raises them."""

from typing import Any

import pytest
from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError

from shared.aws.transient_errors import is_index_not_ready, is_transient


def refused(status: int, code: str, **more: Any) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": status}, **more}
    return ClientError(answer, "Call")


def cancelled(*codes: str) -> ClientError:
    reasons = [{"Code": code} for code in codes]
    return refused(400, "TransactionCanceledException", CancellationReasons=reasons)


OUTAGES = {
    "DynamoDB throttles": refused(400, "ThrottlingException"),
    "DynamoDB has no capacity": refused(400, "ProvisionedThroughputExceededException"),
    "DynamoDB throttles a transaction": cancelled("None", "ThrottlingError"),
    "a transaction meets another": cancelled("TransactionConflict"),
    "DynamoDB fails": refused(500, "InternalServerError"),
    "S3 slows down": refused(503, "SlowDown"),
    "S3 fails a HEAD, which has no body": refused(503, "503"),
    "S3 waited too long for the body": refused(400, "RequestTimeout"),
    "Lambda throttles": refused(429, "TooManyRequestsException"),
    "Lambda fails": refused(502, "EC2ThrottledException"),
    "no connection": exceptions.EndpointConnectionError(endpoint_url="https://x"),
    "slow to connect": exceptions.ConnectTimeoutError(endpoint_url="https://x"),
    "slow to answer": exceptions.ReadTimeoutError(endpoint_url="https://x"),
    "closed in the middle": exceptions.ConnectionClosedError(endpoint_url="https://x"),
    "TLS fails": exceptions.SSLError(endpoint_url="https://x", error=OSError()),
    "the body breaks off": exceptions.ResponseStreamingError(error=OSError()),
    "the body is short": exceptions.IncompleteReadError(actual_bytes=1, expected_bytes=2),
}
DEFECTS = {
    "no permission": refused(403, "AccessDenied"),
    "no table": refused(400, "ResourceNotFoundException"),
    "bad parameter": refused(400, "ValidationException"),
    "a condition that does not hold": cancelled("ConditionalCheckFailed", "None"),
    "no credentials": exceptions.NoCredentialsError(),
    "parameter of a wrong type": exceptions.ParamValidationError(report=""),
}


def search_refused(message: str, operation: str = "SearchVectors", code: str = "ValidationException") -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    return ClientError(answer, operation)


@pytest.mark.parametrize(
    "message",
    [
        "Cannot search backfilling vector index: features",
        "Cannot read from backfilling global secondary index: listing",
        "The table does not have the specified index: features",
    ],
)
def test_an_index_that_is_being_built_is_known_by_the_services_words(message: str) -> None:
    assert is_index_not_ready(search_refused(message))
    assert not is_index_not_ready(search_refused(message, operation="UpdateItem"))
    assert not is_index_not_ready(search_refused(message, code="ResourceNotFoundException"))


@pytest.mark.parametrize("message", ["", "Invalid comparator used in SearchConditionExpression", "Provided TopK value"])
def test_other_refusals_of_a_search_are_defects(message: str) -> None:
    assert not is_index_not_ready(search_refused(message))
    assert not is_transient(search_refused(message))


@pytest.mark.parametrize("error", OUTAGES.values(), ids=OUTAGES)
def test_outages_are_transient(error: BotoCoreError | ClientError) -> None:
    assert is_transient(error)


@pytest.mark.parametrize("error", DEFECTS.values(), ids=DEFECTS)
def test_defects_are_not_transient(error: BotoCoreError | ClientError) -> None:
    assert not is_transient(error)
