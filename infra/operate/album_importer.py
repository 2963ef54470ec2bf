"""Restore the albums of an exported collection, after its images."""

from collections.abc import Collection, Iterator, Sequence

from infra.operate.collection_client import ChangeRefused, CollectionClient
from infra.operate.manifest_lines import AlbumLine
from shared.domain.limits import MAX_ALBUM_CHANGES


class AlbumImporter:
    """Imports albums, under the ids that they had.

    Args:
        overwrite: replace titles, descriptions and covers that the target has.
    """

    def __init__(self, client: CollectionClient, *, overwrite: bool) -> None:
        self._client = client
        self._overwrite = overwrite

    def restore(self, albums: Sequence[AlbumLine], held: Collection[str]) -> Iterator[str]:
        """Create albums, and add those images that the target has; yield a sentence for each that is not complete.

        Args:
            held: the ids of those images.
        """
        for album in albums:
            present = [one for one in album.images if one in held]
            if len(present) < len(album.images):
                yield f"album {album.title}: {len(album.images) - len(present):,} of its images were not imported."
            try:
                self._restore(album, present)
            except ChangeRefused as refused:
                yield f"album {album.title}: it cannot be restored: {refused}"

    def _restore(self, album: AlbumLine, present: Sequence[str]) -> None:
        before = self._client.put_album(album.album_id, album.title, album.description)
        # An album without a cover is shown by the image that was added first.
        ordered = sorted(present, key=lambda one: one != album.cover)
        for at in range(0, len(ordered), MAX_ALBUM_CHANGES):
            self._client.add_to_album(album.album_id, ordered[at : at + MAX_ALBUM_CHANGES])
        if self._overwrite:
            wanted = {"title": album.title, "description": album.description}
            wanted |= {"cover": album.cover} if album.cover in present else {}
            change = {name: value for name, value in wanted.items() if before[name] != value}
            if change:
                self._client.change_album(album.album_id, change)
