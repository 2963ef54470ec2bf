"""What the local run does every hour, where a deployment has schedules and lifecycle rules."""

import logging
import sqlite3
import threading
from datetime import timedelta
from typing import Final

from infra.local.failed_uploads import FailedUploads
from infra.local.model_change import ModelChange
from shared.domain.ports.services import Messages
from shared.embedded.objects import FolderObjects
from shared.embedded.purge_hold import PurgeHold
from shared.embedded.queue import Queue

TRASH_DAYS: Final = 30
"""How long a deleted image can be restored."""
REJECTED_DAYS: Final = 7
"""How long the file of a refused upload is kept, as in a deployment."""
SECONDS: Final = 3600

logger = logging.getLogger(__name__)


class Housekeeping:
    """Removes what is no longer needed."""

    def __init__(
        self,
        objects: FolderObjects,
        queue: Queue,
        failed: FailedUploads,
        messages: Messages,
        hold: PurgeHold,
        change: ModelChange,
    ) -> None:
        self._objects = objects
        self._queue = queue
        self._failed = failed
        self._messages = messages
        self._hold = hold
        self._change = change

    def run(self, stopped: threading.Event) -> None:
        """Do all of it now and every hour, until stopped."""
        while not stopped.is_set():
            try:
                self.once()
                stopped.wait(SECONDS)
                self._hold.note_time()
            except (sqlite3.Error, OSError) as outage:
                logger.warning("housekeeping failed, and is tried again in an hour: %s", outage)
                stopped.wait(SECONDS)

    def once(self) -> None:
        """Do all of it now."""
        self._queue.correct_delays()
        self._objects.expire(REJECTED_DAYS)
        self._failed.expire_others()
        if before := self._hold.purge_before(timedelta(days=TRASH_DAYS)):
            self._messages.purge(None, before.isoformat(timespec="microseconds"))
        self._change.sweep()
