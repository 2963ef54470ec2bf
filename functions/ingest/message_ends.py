"""The end of uploads whose message fails in every attempt."""

import time
from collections.abc import Callable, Iterator
from typing import Final

from shared.aws import messages
from shared.domain.events import Created, UrlSubmitted
from shared.domain.images import UPLOADS_PREFIX, parse_upload_key, upload_id_of_message
from shared.domain.limits import MAX_RECEIVES
from shared.domain.ports import Uploads
from shared.domain.queue_times import INGEST_QUEUE

FAILED: Final = (
    f"PicTrace failed on this image {MAX_RECEIVES} times, which is not the image's fault. "
    "The operator can have it tried again."
)


def upload_ids(body: str, message_id: str) -> Iterator[str]:
    """Yield the ids of the uploads that a message is about."""
    try:
        events = messages.parse(body)
    except messages.UnknownMessage:
        return
    for index, event in enumerate(events):
        match event:
            case Created() if event.object.key.startswith(UPLOADS_PREFIX):
                if parsed := parse_upload_key(event.object.key):
                    yield parsed[1]
            case UrlSubmitted():
                yield upload_id_of_message(f"{message_id}/{index}")


class UploadEnds:
    """Ends the uploads of a message that is not tried again, even if the function dies in its last attempt."""

    def __init__(self, uploads: Uploads, clock: Callable[[], float] = time.time) -> None:
        self._uploads = uploads
        self._clock = clock

    def expect(self, body: str, message_id: str) -> None:
        """Before the last attempt, store by when it will have ended: the queue hides the message until then."""
        ends_by = int(self._clock()) + INGEST_QUEUE.visibility_seconds
        for upload_id in upload_ids(body, message_id):
            self._uploads.expect_end(upload_id, ends_by)

    def fail(self, body: str, message_id: str) -> None:
        """Reject the uploads that are still pending after the last attempt."""
        for upload_id in upload_ids(body, message_id):
            self._uploads.fail(upload_id, FAILED)
