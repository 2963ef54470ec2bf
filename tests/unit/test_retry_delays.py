"""The delays that are asked of SQS."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from shared.aws.retry_delays import FailedMessage, RetryDelays
from shared.domain.queue_times import INGEST_QUEUE


class Client:
    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.asked: list[tuple[str, int]] = []

    def change_message_visibility(self, *, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: int) -> None:  # noqa: N803
        self.asked.append((ReceiptHandle, VisibilityTimeout))
        if self.error and len(self.asked) == 1:
            raise self.error


def delays(client: Any) -> RetryDelays:
    return RetryDelays(client, "https://queue")


def test_the_wait_doubles_up_to_a_quarter_of_an_hour() -> None:
    client = Client()
    assert delays(client).set([FailedMessage(str(receives), receives) for receives in range(1, 12)]) == []
    assert [seconds for _, seconds in client.asked] == [10, 20, 40, 80, 160, 320, 640, 900, 900, 900, 900]
    assert INGEST_QUEUE.reported_seconds() == [0, 10, 30, 70, 150]


def test_a_message_that_is_refused_keeps_none_of_the_others_from_its_delay() -> None:
    refused = ClientError({"Error": {"Code": "ReceiptHandleIsInvalid", "Message": "m"}}, "ChangeMessageVisibility")
    client = Client(refused)
    assert delays(client).set([FailedMessage("a", 1), FailedMessage("b", 2)]) == [refused]
    assert client.asked == [("a", 10), ("b", 20)]


def test_a_service_that_does_not_answer_is_asked_once() -> None:
    """Each unanswered call may take half a minute, and the batch has to end before the function is stopped."""
    client = Client(EndpointConnectionError(endpoint_url="https://sqs"))
    with pytest.raises(EndpointConnectionError):
        delays(client).set([FailedMessage("a", 1), FailedMessage("b", 2)])
    assert client.asked == [("a", 10)]
