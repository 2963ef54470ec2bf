"""When messages that failed come again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

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

    def set(self, failed: Sequence[FailedMessage]) -> Sequence[str]:
        """Hide each message for as long as its number of receives asks for.

        Args:
            failed: 1 to 10 messages of one batch.

        Returns:
            Why SQS refused some; those come again after the queue's own visibility timeout.

        Raises:
            ClientError, BotoCoreError: none was changed, or nobody knows.
        """
        answer = self._client.change_message_visibility_batch(
            QueueUrl=self._queue_url,
            Entries=[
                {
                    "Id": str(number),
                    "ReceiptHandle": message.receipt_handle,
                    "VisibilityTimeout": INGEST_QUEUE.retry_seconds(message.receives),
                }
                for number, message in enumerate(failed)
            ],
        )
        return [f"{entry['Code']}: {entry.get('Message', '')}" for entry in answer.get("Failed", [])]
