"""The dead-letter queue, where messages that failed for good are kept with the reason."""

import re
from typing import TYPE_CHECKING, Final

from shared.domain.limits import MAX_RECEIVES

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

REASON: Final = "Reason"
"""Message attribute with the reason why a message is in the dead-letter queue."""
ORIGINAL_ID: Final = "OriginalMessageId"

_MAX_REASON: Final = 1000
_MAX_BODY: Final = 1_048_576 - 8192
"""SQS accepts 1 MiB, attributes included:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html"""
_REFUSED_BY_SQS: Final = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")


class DeadLetters:
    """The dead-letter queue that the ingest function writes to."""

    def __init__(self, client: "SQSClient", queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def put(self, body: str, message_id: str, reason: str) -> bool:
        """Store a message with the reason why its last attempt failed.

        Returns:
            False if the message is too large to carry the reason. It is not stored: let the queue move it.
        """
        if len(body.encode()) > _MAX_BODY:
            return False
        reason = f"{reason} (attempt {MAX_RECEIVES} of {MAX_RECEIVES})"
        self._client.send_message(
            QueueUrl=self._queue_url,
            MessageBody=body,
            MessageAttributes={
                REASON: {
                    "DataType": "String",
                    "StringValue": _REFUSED_BY_SQS.sub("\N{REPLACEMENT CHARACTER}", reason)[:_MAX_REASON],
                },
                ORIGINAL_ID: {"DataType": "String", "StringValue": message_id},
            },
        )
        return True
