"""When messages that failed come again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from shared.domain.queue_times import INGEST_QUEUE

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True, slots=True)
class FailedMessage:
    """A message whose failure is reported; `receives` counts how often it was received, 1 or more."""

    receipt_handle: str
    receives: int


class RetryDelays:
    """Sets the visibility timeout of messages that failed."""

    def __init__(self, client: "SQSClient", queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def set(self, failed: Sequence[FailedMessage]) -> Sequence[ClientError]:
        """Hide each message for as long as its number of receives asks for.

        Returns:
            What SQS answered where it refused; those messages come again after the queue's own visibility timeout.

        Raises:
            BotoCoreError: SQS does not answer, so the remaining messages were not tried: the function's time is short.
        """
        refused = []
        for message in failed:
            try:
                self._client.change_message_visibility(
                    QueueUrl=self._queue_url,
                    ReceiptHandle=message.receipt_handle,
                    VisibilityTimeout=INGEST_QUEUE.retry_seconds(message.receives),
                )
            except ClientError as error:
                refused.append(error)
        return refused
