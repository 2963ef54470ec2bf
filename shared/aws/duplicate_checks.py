"""Checks for near-duplicates that wait in the queue, for example until a vector index has the image."""

from typing import TYPE_CHECKING

from shared.aws.messages import duplicate_check
from shared.domain.events import DuplicateCheck
from shared.domain.limits import check_delay_seconds

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class QueuedChecks:
    """The ingest function's own queue, as the function writes to it."""

    def __init__(self, client: "SQSClient", queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def postpone(self, check: DuplicateCheck) -> None:
        """Have the check come back as a message of its own, which no attempt at another counts against."""
        self._client.send_message(
            QueueUrl=self._queue_url,
            MessageBody=duplicate_check(check),
            DelaySeconds=check_delay_seconds(check.attempt),
        )
