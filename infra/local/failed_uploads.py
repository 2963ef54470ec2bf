"""The uploads that could not be indexed because of a fault, and whose files wait to be tried again."""

from collections.abc import Iterator

from shared.aws import messages
from shared.domain.events import Created
from shared.domain.images import parse_upload_key
from shared.embedded.objects import FolderObjects
from shared.embedded.queue import Queue
from shared.embedded.uploads import EmbeddedUploads


class FailedUploads:
    """Keeps what it takes to have them tried again: nothing else tells of their files."""

    def __init__(self, queue: Queue, objects: FolderObjects, uploads: EmbeddedUploads) -> None:
        self._queue = queue
        self._objects = objects
        self._uploads = uploads

    def count(self) -> int:
        """Return their number."""
        return len(dict(self._find()))

    def expire_others(self) -> None:
        """Delete the other messages that failed for good, once they are old, and keep the states of these uploads."""
        found = list(self._find())
        self._queue.expire(keep={letter_id for _, letter_id in found})
        self._uploads.keep(upload_id for upload_id, _ in found)

    def _find(self) -> Iterator[tuple[str, int]]:
        """Yield the ids of uploads, each with that of its dead letter."""
        for letter in self._queue.dead_letters():
            try:
                events = list(messages.parse(letter.body))
            except messages.UnknownMessage:
                continue
            for event in events:
                if isinstance(event, Created) and self._objects.present(event.object):
                    parsed = parse_upload_key(event.object.key)
                    if parsed:
                        yield parsed[1], letter.id
