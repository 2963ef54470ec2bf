"""Remove for good what has been in the trash long enough."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from shared.domain.events import PurgeTrash
from shared.domain.outcomes import Outcome, OutcomeStatus
from shared.domain.ports.collections import Trash
from shared.domain.ports.services import Messages
from shared.domain.removal import Remover

BATCH: Final = 50
"""Images that one message removes, at a few requests each; a further message removes the next ones."""


class Purger:
    """Empties the trash.

    Args:
        days: how long an image stays in the trash.
    """

    def __init__(
        self, *, trash: Trash, remover: Remover, messages: Messages, days: int, clock: Callable[[], datetime]
    ) -> None:
        self._trash = trash
        self._remover = remover
        self._messages = messages
        self._days = days
        self._clock = clock

    def purge(self, event: PurgeTrash) -> Outcome:
        """Remove the images that the event is about: those deleted long enough ago, or all of one collection."""
        before = event.before or (self._clock() - timedelta(days=self._days)).isoformat(timespec="microseconds")
        due = self._trash.due(before, BATCH, event.collection)
        for image in due:
            self._remover.purge(image, self._trash, before)
        if len(due) == BATCH:
            self._messages.purge(event.collection, event.before)
        return Outcome(status=OutcomeStatus.IGNORED, collection=event.collection, reason=f"purged {len(due)} images")
