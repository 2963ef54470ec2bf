"""A queue, a worker that can be killed, and an audit of the state that they leave behind."""

import hashlib
import json
import os
import subprocess
import sys
import uuid
from argparse import Namespace
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any, Final

import boto3

from infra.local.queue_worker import QueueWorker
from infra.operate import redrive
from infra.operate.deployed_stack import DeployedStack
from shared.aws.dead_letters import REASON
from shared.aws.dynamodb import item_keys
from shared.aws.objects import S3Objects
from shared.domain.images import signature_key
from shared.domain.limits import MAX_RECEIVES
from tests.conftest import ROOT, PicTrace
from tests.faults.conftest import Row
from tests.faults.worker import Fault

SECONDS: Final = 60
"""The function's timeout."""


class Killed(RuntimeError):  # noqa: N818
    """The process that handled an invocation died before it answered."""


class Harness:
    """A separate queue whose worker runs the real handler in processes that faults can kill.

    Attributes:
        faults: the faults of the next invocations, one entry each; later ones have none.
        always: faults of every invocation.
        seconds: timeouts of the next invocations, one entry each.
        calls: the AWS operations that the last invocation called, in order.
    """

    def __init__(self, running: PicTrace) -> None:
        self.running = running
        name = f"faults-{uuid.uuid4().hex[:12]}"
        self.bucket = running.cloud.outputs["BucketName"]
        self.table = running.cloud.outputs["TableName"]
        self.s3, self.sqs, self.dynamodb = boto3.client("s3"), boto3.client("sqs"), boto3.client("dynamodb")
        self.dead = self.sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": MAX_RECEIVES})
        attributes: Any = {"RedrivePolicy": redrive, "VisibilityTimeout": str(15 * SECONDS)}  # `_appeared` ends it
        self.queue = self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            text=True,
            env=os.environ
            | {
                "PICTRACE_QUEUE": self.queue,
                "PICTRACE_DEAD_LETTERS": self.dead,
                "PICTRACE_PEOPLE_QUEUE": self.queue,
                "POWERTOOLS_LOG_LEVEL": "CRITICAL",
            },
        )
        self._worker = QueueWorker(queue_url=self.queue, handler=self._handle, function_name="ingest", batch_size=5)
        self.faults: list[Sequence[Fault]] = []
        self.always: list[Fault] = []
        self.seconds: list[float] = []
        self.calls: list[str] = []
        self._hidden: list[str] = []
        self.row = Row()

        self._objects = S3Objects(self.s3, self.bucket)
        self._model = running.client.get("/v1/stats").json()["model"]["id"]
        settings: Any = self.s3.get_bucket_notification_configuration(Bucket=self.bucket)
        self._notifications: Any = {name: value for name, value in settings.items() if name != "ResponseMetadata"}
        self.s3.put_bucket_notification_configuration(Bucket=self.bucket, NotificationConfiguration={})

    def close(self) -> None:
        self.s3.put_bucket_notification_configuration(Bucket=self.bucket, NotificationConfiguration=self._notifications)
        self._process.terminate()
        self._process.wait()

    def _handle(self, event: dict[str, Any], _: Any) -> Any:
        faults = [*(self.faults.pop(0) if self.faults else ()), *self.always]
        order = {
            "event": event,
            "faults": [asdict(fault) for fault in faults],
            "seconds": self.seconds.pop(0) if self.seconds else SECONDS,
        }
        stdin: Any = self._process.stdin
        stdout: Any = self._process.stdout
        print(json.dumps(order), file=stdin, flush=True)
        found = json.loads(stdout.readline())
        self.calls = found["calls"]
        receipts = {record["messageId"]: record["receiptHandle"] for record in event["Records"]}
        if "died" in found:
            self.row.deaths += 1
            self._hidden += receipts.values()
            raise Killed(str(found["died"]))
        failures = found["answer"]["batchItemFailures"]
        self.row.redelivered += len(failures)
        self._hidden += [receipts[failure["itemIdentifier"]] for failure in failures]
        return found["answer"]

    def put(self, key: str, data: bytes) -> str:
        """Put an object without its event, which `publish` sends."""
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=data)
        return key

    def delete(self, key: str) -> str:
        self.s3.delete_object(Bucket=self.bucket, Key=key)
        return key

    def publish(self, key: str, kind: str, sequencer: str) -> None:
        record = {
            "eventName": kind,
            "s3": {"bucket": {"name": self.bucket}, "object": {"key": key, "size": 1, "sequencer": sequencer}},
        }
        self.send(json.dumps({"Records": [record]}))

    def send(self, body: str) -> None:
        self.sqs.send_message(QueueUrl=self.queue, MessageBody=body)

    def work(self) -> None:
        """Handle messages until the queue is empty; visibility timeouts end immediately."""
        quiet = 0
        while quiet < 2:
            quiet = 0 if self._worker.poll(wait_seconds=0) or self._appeared() else quiet + 1

    def _appeared(self) -> bool:
        """End the visibility timeout of messages that were handled and are still in the queue."""
        hidden, self._hidden = self._hidden, []
        for receipt in hidden:
            with suppress(self.sqs.exceptions.ReceiptHandleIsInvalid):
                self.sqs.change_message_visibility(QueueUrl=self.queue, ReceiptHandle=receipt, VisibilityTimeout=0)
        return bool(hidden)

    def dead_letters(self) -> list[tuple[str, str]]:
        """Bodies and reasons of the messages in the dead-letter queue, which are left there."""
        found = self.sqs.receive_message(
            QueueUrl=self.dead, MaxNumberOfMessages=10, VisibilityTimeout=0, MessageAttributeNames=["All"]
        ).get("Messages", [])
        return [
            (
                message["Body"],
                message["MessageAttributes"][REASON]["StringValue"] if "MessageAttributes" in message else "",
            )
            for message in found
        ]

    def redrive(self) -> int:
        """Run `python -m infra.operate redrive --yes` on these two queues."""
        stack = DeployedStack("faults", {"QueueUrl": self.queue, "DeadLetterQueueUrl": self.dead})
        return redrive.run(Namespace(yes=True, list=False), stack)

    def found(self, query: bytes, collection: str) -> list[str]:
        """The image ids that a search finds."""
        answer = self.running.client.post(
            "/v1/search", params={"collection": collection, "k": 20}, files={"file": ("query", query)}
        )
        return [match["image_id"] for match in answer.raise_for_status().json()["matches"]]

    def audit(self, collection: str, images: dict[str, bytes], others: Iterable[bytes]) -> None:
        """Count the lost and half-indexed images of a collection that shares no image with another one.

        Args:
            images: bytes that must be found now, by object key.
            others: bytes that must have left nothing behind.
        """
        wanted: dict[str, set[str]] = {hashlib.sha256(data).hexdigest(): set() for data in others}
        for key, data in images.items():
            wanted.setdefault(hashlib.sha256(data).hexdigest(), set()).add(key)
        for image_id, keys in wanted.items():
            items = self.dynamodb.query(
                TableName=self.table,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": item_keys.image_partition(image_id)},
                ConsistentRead=True,
            )["Items"]
            recorded = any(item_keys.is_record(item) and item_keys.collection_of(item) == collection for item in items)
            sources = {item["key"]["S"] for item in items if not item_keys.is_record(item)}
            self.row.lost += bool(keys) and not (recorded and keys <= sources)
            whole = recorded and self._signed(image_id) and sources == keys
            self.row.half_visible += not whole if keys else bool(items) or self._signed(image_id)

    def _signed(self, image_id: str) -> bool:
        return self._objects.exists(signature_key(self._model, image_id))
