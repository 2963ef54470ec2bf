"""The delays of failed messages that are set in SQS."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from shared.aws.retry_delays import FailedMessage, RetryDelays
from tests.retry_times import reported_seconds


class FakeSqs:
    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.calls: list[tuple[str, int]] = []

    def change_message_visibility(self, *, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: int) -> None:  # noqa: N803
        self.calls.append((ReceiptHandle, VisibilityTimeout))
        if self.error and len(self.calls) == 1:
            raise self.error


def delays(client: Any) -> RetryDelays:
    return RetryDelays(client, "https://queue")


def test_the_delay_doubles_up_to_a_quarter_of_an_hour() -> None:
    client = FakeSqs()
    assert delays(client).set([FailedMessage(str(receives), receives) for receives in range(1, 12)]) == []
    assert [seconds for _, seconds in client.calls] == [10, 20, 40, 80, 160, 320, 640, 900, 900, 900, 900]
    assert reported_seconds() == [0, 10, 30, 70, 150]


def test_a_refused_delay_does_not_affect_the_other_messages() -> None:
    refused = ClientError({"Error": {"Code": "ReceiptHandleIsInvalid", "Message": "m"}}, "ChangeMessageVisibility")
    client = FakeSqs(refused)
    assert delays(client).set([FailedMessage("a", 1), FailedMessage("b", 2)]) == [refused]
    assert client.calls == [("a", 10), ("b", 20)]


def test_an_unresponsive_service_is_called_only_once() -> None:
    """An unanswered call may take half a minute, and the batch must end before the function times out."""
    client = FakeSqs(EndpointConnectionError(endpoint_url="https://sqs"))
    with pytest.raises(EndpointConnectionError):
        delays(client).set([FailedMessage("a", 1), FailedMessage("b", 2)])
    assert client.calls == [("a", 10)]
