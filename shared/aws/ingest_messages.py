"""Messages to the ingest function that wait in its queue, as the functions write them."""

import json
from typing import TYPE_CHECKING, Final

from shared.aws.own_messages import (
    delayed_task,
    duplicate_check,
    duplicate_scan,
    find_faces,
    purge_trash,
    trash_change,
)
from shared.domain.events import Created, DuplicateCheck, DuplicateScanStep, FaceScan, FindFaces, Reindex, TrashChanged
from shared.domain.limits import MAX_CHECKS, check_delay_seconds
from shared.domain.people.ports import Task

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

SOON: Final = 1
"""Seconds until a message is handled that has nothing to wait for."""


class IngestMessages:
    """The ingest function's own queue; see `shared.domain.ports.services.Messages`."""

    def __init__(self, client: "SQSClient", queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def postpone(self, check: DuplicateCheck) -> None:
        """Have the check come back as a message of its own, which no attempt at another counts against."""
        self._send(duplicate_check(check), check_delay_seconds(check.attempt))

    def index(self, event: Created) -> None:
        named = {"bucket": event.object.bucket, "key": event.object.key, "collection": event.collection}
        self._send(json.dumps(named), SOON)

    def reindex(self, event: Reindex) -> None:
        image = event.image_key
        self._send(json.dumps({"image_id": image.image_id, "collection": image.collection, "model": event.model}), SOON)

    def scan(self, step: DuplicateScanStep, *, delay_seconds: int = 0) -> None:
        self._send(json.dumps(duplicate_scan(step)), delay_seconds)

    def find_faces(self, event: FindFaces | FaceScan) -> None:
        self._send(json.dumps(find_faces(event)), SOON)

    def delay_task(self, task: Task) -> None:
        self._send(delayed_task(task), check_delay_seconds(MAX_CHECKS))

    def purge(self, collection: str | None, before: str | None) -> None:
        self._send(json.dumps(purge_trash(collection, before)), SOON)

    def trash_changed(self, event: TrashChanged, *, delay_seconds: int = SOON) -> None:
        self._send(json.dumps(trash_change(event)), delay_seconds)

    def _send(self, body: str, delay: int) -> None:
        self._client.send_message(QueueUrl=self._queue_url, MessageBody=body, DelaySeconds=delay)
