"""One message purges a bounded number of images and albums; further messages purge the rest."""

from collections.abc import Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from functions.ingest.purger import ALBUM_STEP, ALBUMS, BATCH, Purger
from shared.domain.albums import AlbumKey
from shared.domain.events import PurgeTrash
from shared.domain.ledger import ImageKey

NOW = datetime(2026, 12, 31, 12, tzinfo=UTC)


class FullTrash:
    """A trash with images, and with albums of so many entries."""

    def __init__(self, images: int = 0, albums: Sequence[int] = ()) -> None:
        self.images = [ImageKey("c", f"{number:064x}") for number in range(images)]
        self.albums = {AlbumKey("c", f"{number:032x}"): entries for number, entries in enumerate(albums)}
        self.asked: set[tuple[str, str | None]] = set()
        self.waiting: list[PurgeTrash] = []

    def due(self, before: str, limit: int, collection: str | None = None) -> Sequence[Any]:
        self.asked.add((before, collection))
        return (self.images if limit == BATCH else list(self.albums))[:limit]

    def purge_message(self, collection: str | None, before: str | None) -> None:
        self.waiting.append(PurgeTrash(collection, before))

    def purge_image(self, image: ImageKey, _: object, before: str) -> None:
        assert (before, "c") in self.asked or (before, None) in self.asked
        self.images.remove(image)

    def purge_album(self, key: AlbumKey, _: str, limit: int) -> bool:
        self.albums[key] -= limit
        if self.albums[key] >= 0:
            return False
        del self.albums[key]
        return True


def purged(trash: FullTrash, event: PurgeTrash) -> int:
    """The number of messages until nothing is left to do."""
    images: Any = SimpleNamespace(due=trash.due)
    albums: Any = SimpleNamespace(due=trash.due, purge=trash.purge_album)
    remover: Any = SimpleNamespace(purge=trash.purge_image)
    messages: Any = SimpleNamespace(purge=trash.purge_message)
    purger = Purger(trash=images, albums=albums, remover=remover, messages=messages, days=30, clock=lambda: NOW)
    trash.waiting.append(event)
    count = 0
    while trash.waiting:
        purger.purge(trash.waiting.pop())
        count += 1
        assert count < 99
    return count


@pytest.mark.parametrize(
    ("images", "albums", "messages"),
    [
        (0, (), 1),
        (BATCH - 1, (ALBUM_STEP - 1,), 1),
        (BATCH, (), 2),
        (0, (0,) * ALBUMS, 2),
        (0, (10_000, 3), 10_000 // ALBUM_STEP + 1),
        (2 * BATCH, (ALBUM_STEP,), 4),
    ],
)
def test_messages_go_on_until_nothing_is_left(images: int, albums: tuple[int, ...], messages: int) -> None:
    for event in (PurgeTrash(), PurgeTrash("c", "2026-12-01T00:00:00.000000+00:00")):
        trash = FullTrash(images, albums)
        assert purged(trash, event) == messages
        assert (trash.images, trash.albums) == ([], {})
        assert trash.asked == {(event.before or "2026-12-01T12:00:00.000000+00:00", event.collection)}
