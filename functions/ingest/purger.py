"""Remove for good what has been in the trash long enough."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from shared.domain.events import PurgeTrash
from shared.domain.outcomes import Outcome, OutcomeStatus
from shared.domain.ports.albums import AlbumTrash
from shared.domain.ports.collections import Trash
from shared.domain.ports.services import Messages
from shared.domain.removal import Remover

BATCH: Final = 50
"""Images that one message removes, at a few requests each; a further message removes the next ones."""
ALBUMS: Final = 10
"""Albums that one message removes after the images."""
ALBUM_STEP: Final = 490
"""Links and entries of an album that one message deletes, in ten transactions."""


class Purger:
    """Empties the trash.

    Args:
        days: how long an image or album stays in the trash.
    """

    def __init__(
        self,
        *,
        trash: Trash,
        albums: AlbumTrash,
        remover: Remover,
        messages: Messages,
        days: int,
        clock: Callable[[], datetime],
    ) -> None:
        self._trash = trash
        self._albums = albums
        self._remover = remover
        self._messages = messages
        self._days = days
        self._clock = clock

    def purge(self, event: PurgeTrash) -> Outcome:
        """Remove the images and albums that the event is about, of which a further message removes what is left."""
        before = event.before or (self._clock() - timedelta(days=self._days)).isoformat(timespec="microseconds")
        due = self._trash.due(before, BATCH, event.collection)
        for image in due:
            self._remover.purge(image, self._trash, before)
        if len(due) == BATCH or not self._purge_albums(before, event.collection):
            self._messages.purge(event.collection, event.before)
        return Outcome(status=OutcomeStatus.IGNORED, collection=event.collection, reason=f"purged {len(due)} images")

    def _purge_albums(self, before: str, collection: str | None) -> bool:
        """Remove albums; return whether none is left."""
        due = self._albums.due(before, ALBUMS, collection)
        purged = [self._albums.purge(album, before, ALBUM_STEP) for album in due]
        return all(purged) and len(due) < ALBUMS
