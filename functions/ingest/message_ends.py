"""The end of uploads, and of scans for duplicates, whose message fails in every attempt."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from shared.aws import messages
from shared.domain.duplicate_scans import ScanStatus
from shared.domain.events import Created, DuplicateScanStep, IngestEvent, UrlSubmitted
from shared.domain.images import parse_upload_key, upload_id_of_message
from shared.domain.limits import MAX_RECEIVES
from shared.domain.ports.duplicates import Scans
from shared.domain.ports.uploads import Uploads
from shared.domain.queue_times import INGEST_QUEUE

FAILED: Final = (
    f"PicTrace failed on this image {MAX_RECEIVES} times, which is not the image's fault. "
    "The operator can have it tried again."
)


def _events(body: str) -> Sequence[IngestEvent]:
    """Return the events of a message; none if it has no known format."""
    try:
        return messages.parse(body)
    except messages.UnknownMessage:
        return ()


def upload_ids(body: str, message_id: str) -> Iterator[str]:
    """Yield the ids of the uploads that a message is about."""
    for index, event in enumerate(_events(body)):
        match event:
            case Created():
                if parsed := parse_upload_key(event.object.key):
                    yield parsed[1]
            case UrlSubmitted():
                yield upload_id_of_message(f"{message_id}/{index}")


class MessageEnds:
    """Ends what a message is about that is not tried again; uploads even if the function dies in its last attempt."""

    def __init__(self, uploads: Uploads, scans: Scans, clock: Callable[[], float] = time.time) -> None:
        self._uploads = uploads
        self._scans = scans
        self._clock = clock

    def expect(self, body: str, message_id: str) -> None:
        """Before the last attempt, store by when it will have ended: the queue hides the message until then."""
        ends_by = int(self._clock()) + INGEST_QUEUE.visibility_seconds
        for upload_id in upload_ids(body, message_id):
            self._uploads.expect_end(upload_id, ends_by)

    def fail(self, body: str, message_id: str) -> None:
        """After the last attempt, reject the uploads that are still pending, and end a scan that will not go on."""
        for upload_id in upload_ids(body, message_id):
            self._uploads.fail(upload_id, FAILED)
        for event in _events(body):
            if isinstance(event, DuplicateScanStep):
                self._end(event)

    def _end(self, step: DuplicateScanStep) -> None:
        scan = self._scans.find(step.collection)
        if scan and scan.scan_id == step.scan_id and scan.status is ScanStatus.RUNNING:
            self._scans.advance(scan, replace(scan, status=ScanStatus.FAILED))
