"""The images that stand for albums."""

from collections.abc import Iterator, Sequence

from shared.domain.albums import Album
from shared.domain.filters import ImageFilter
from shared.domain.images import ImageRecord
from shared.domain.ports.catalogue import Catalogue


def with_covers(albums: Sequence[Album], catalogue: Catalogue) -> Iterator[tuple[Album, ImageRecord | None]]:
    """Yield albums with their covers: the chosen one if it can be seen, else the newest image."""
    for album in albums:
        cover = catalogue.find(album.cover, album.key.collection) if album.cover else None
        if cover is None and album.images:
            wanted = ImageFilter(album=album.key.album_id)
            cover = next(iter(catalogue.page(album.key.collection, wanted=wanted, limit=1, cursor=None).records), None)
        yield album, cover
