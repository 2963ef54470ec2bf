"""Poll a queue and call a handler with the events that Lambda's event source mapping would pass."""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import boto3
from botocore.exceptions import BotoCoreError, ClientError

logger = logging.getLogger(__name__)

Handler = Callable[[dict[str, Any], Any], Any]


@dataclass(frozen=True)
class FunctionContext:
    """The part of Lambda's context object that the handlers read."""

    function_name: str
    memory_limit_in_mb: int = 2048
    aws_request_id: str = field(default_factory=lambda: str(uuid4()))

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:us-east-1:123456789012:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


def lambda_event(messages: list[Mapping[str, Any]], queue_arn: str) -> dict[str, Any]:
    """Convert received messages to the event that Lambda passes to a function.

    https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
    """
    return {
        "Records": [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": dict(message.get("Attributes", {})),
                "messageAttributes": dict(message.get("MessageAttributes", {})),
                "md5OfBody": message["MD5OfBody"],
                "eventSource": "aws:sqs",
                "eventSourceARN": queue_arn,
                "awsRegion": queue_arn.split(":")[3],
            }
            for message in messages
        ]
    }


class QueueWorker:
    """One consumer of a queue, in its own thread, as handlers may keep state between calls."""

    def __init__(self, *, queue_url: str, handler: Handler, function_name: str, batch_size: int) -> None:
        self._sqs = boto3.client("sqs")
        self._queue_url = queue_url
        self._handler = handler
        self._function_name = function_name
        self._batch_size = min(batch_size, 10)
        attributes = self._sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]
        self._queue_arn = attributes["QueueArn"]
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="queue-worker", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Finish the current batch and stop."""
        self._stopped.set()
        self._thread.join(timeout=30)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self.poll()
            except (BotoCoreError, ClientError):
                if not self._stopped.wait(1):
                    logger.exception("polling the queue failed; it is retried every second")

    def poll(self, wait_seconds: int = 1) -> int:
        """Receive one batch, handle it, and delete the messages that succeeded.

        Failed messages stay in the queue, as with Lambda: each becomes visible again after its visibility timeout,
        which is the queue's unless the handler has set another.

        Returns:
            The number of messages received.
        """
        messages = self._sqs.receive_message(
            QueueUrl=self._queue_url,
            MaxNumberOfMessages=self._batch_size,
            WaitTimeSeconds=wait_seconds,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        if not messages:
            return 0
        failed = self._handle(list(messages))
        for message in messages:
            if message["MessageId"] not in failed:
                self._sqs.delete_message(QueueUrl=self._queue_url, ReceiptHandle=message["ReceiptHandle"])
        return len(messages)

    def _handle(self, messages: list[Mapping[str, Any]]) -> set[str]:
        """Call the handler and return the ids of the messages that failed."""
        try:
            answer = self._handler(lambda_event(messages, self._queue_arn), FunctionContext(self._function_name))
        except Exception:
            logger.exception("the handler failed, so all messages of the batch will be tried again")
            return {message["MessageId"] for message in messages}
        return {failure["itemIdentifier"] for failure in (answer or {}).get("batchItemFailures", [])}
