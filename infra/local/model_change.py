"""What happens when the folder's images were described by another model than the one of this run."""

from typing import Final

from shared.domain.errors import NotFound
from shared.domain.images import SIGNATURES_PREFIX
from shared.embedded.database import Database
from shared.embedded.objects import FolderObjects

_QUEUE_MISSING: Final = """
INSERT INTO messages (body, visible_at, background)
SELECT json_object('image_id', image_id, 'collection', collection, 'model', :model), 0, 1
FROM images WHERE capture_read = 0 OR things IS NULL OR NOT EXISTS (
    SELECT 1 FROM descriptions
    WHERE descriptions.image_id = images.image_id
        AND descriptions.collection = images.collection AND descriptions.model = :model
)
"""
_QUEUE_UNREAD: Final = """
INSERT INTO messages (body, visible_at, background)
SELECT json_object('image_id', image_id, 'collection', collection, 'model', :model), 0, 1
FROM images WHERE capture_read = 0 OR things IS NULL
"""
_OR_WITHOUT_PDQ: Final = "OR pdq IS NULL"
"""The messages are those of `shared.aws.messages.ReindexRequest`."""


class ModelChange:
    """Has every image that the current model has not described yet described by it, in the background.

    Until then a search finds only those that are done. What other models have computed is kept, so that going back to
    one of them takes no time.

    Args:
        pdq: whether each image shall have a PDQ hash.
    """

    def __init__(self, database: Database, objects: FolderObjects, model: str, *, pdq: bool = False) -> None:
        self._database = database
        self._objects = objects
        self._model = model
        self._pdq = pdq

    def begin(self) -> None:
        """Queue the images; what was queued for another model is given up. May be repeated at each start.

        If the model has described them all, those are queued that an earlier version stored without reading when they
        were taken, or telling what they show, and those without the PDQ hash that they shall have.
        """
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM messages WHERE background = 1")
            queue = _QUEUE_MISSING if self.missing() else _QUEUE_UNREAD
            connection.execute(queue + (_OR_WITHOUT_PDQ if self._pdq else ""), {"model": self._model})

    def missing(self) -> int:
        """Return the number of images that the current model has not described."""
        with self._database.read() as connection:
            (images,) = connection.execute("SELECT coalesce(sum(images), 0) FROM collection_sizes").fetchone()
            (described,) = connection.execute(
                "SELECT count(*) FROM descriptions WHERE model = ?", (self._model,)
            ).fetchone()
        return int(images - described)

    def sweep(self) -> None:
        """Delete the signatures that other models have computed of images that were removed since."""
        with self._database.read() as connection:
            models = [name for (name,) in connection.execute("SELECT DISTINCT model FROM descriptions")]
        for model in models:
            if model != self._model:
                self._sweep(model)

    def _sweep(self, model: str) -> None:
        try:
            folder = self._objects.path(f"{SIGNATURES_PREFIX}{model}/any").parents[1]
        except NotFound:
            return
        files = {file.name: file for file in folder.glob("*/*")}
        with self._database.read() as connection:
            held = "SELECT image_id FROM images UNION SELECT image_id FROM trashed_images"
            kept = {image_id for (image_id,) in connection.execute(held)}
        for image_id in files.keys() - kept:
            files[image_id].unlink(missing_ok=True)
