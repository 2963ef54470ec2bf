"""Which files of a data folder its database names, and which are there."""

import json
import os
import sqlite3
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shared.domain.images import SIGNATURES_PREFIX, UPLOADS_PREFIX, preview_key, signature_key, thumbnail_key
from shared.domain.ledger import ObjectStatus
from shared.embedded.objects import BUCKET, INCOMPLETE, notification

_IMAGES: Final = "SELECT collection, image_id FROM images UNION ALL SELECT collection, image_id FROM trashed_images"
_KEPT_IN_TRASH: Final = "trashed_images WHERE trashed_at <> ''"
"""Without those whose files are being deleted."""
_DESCRIPTIONS: Final = f"""
SELECT model, image_id FROM descriptions
UNION SELECT model, image_id FROM trashed_descriptions
    WHERE (collection, image_id) IN (SELECT collection, image_id FROM {_KEPT_IN_TRASH})
"""  # noqa: S608
_SHOWN: Final = f"""
SELECT collection, image_id FROM images UNION SELECT collection, image_id FROM {_KEPT_IN_TRASH}
"""  # noqa: S608
_UPLOADS: Final = """
SELECT key FROM objects WHERE bucket = :bucket
UNION SELECT key FROM uploads WHERE bucket = :bucket
UNION SELECT key FROM sources WHERE bucket = :bucket
UNION SELECT key FROM rejected_objects
"""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of an object; `key` is the object's."""

    key: str
    path: Path


def list_files(objects: Path) -> Iterator[StoredFile]:
    """Yield the files below the folder of the objects, without those that are still being written.

    `FolderObjects.path` says where each is.
    """
    for folder, subfolders, names in os.walk(objects):
        subfolders[:] = [name for name in subfolders if name != INCOMPLETE]
        parents = Path(folder).relative_to(objects).parts[:-1]
        for name in names:
            yield StoredFile("/".join([*parents, name]), Path(folder, name))


def required(connection: sqlite3.Connection) -> set[str]:
    """Return the keys of the objects that must be there: what is shown or can be restored."""
    held = "SELECT key FROM objects WHERE bucket = ? AND status = ?"
    keys = {key for (key,) in connection.execute(held, (BUCKET, ObjectStatus.HELD.value))}
    keys |= {signature_key(*row) for row in connection.execute(_DESCRIPTIONS)}
    return keys | {thumbnail_key(*row) for row in connection.execute(_SHOWN)}


def without_removed(connection: sqlite3.Connection, keys: Collection[str]) -> set[str]:
    """Return keys without those of files that were deleted, and whose ledger entry a waiting message will change."""
    removed = {notification("ObjectRemoved:Delete", key): key for key in keys}
    found = connection.execute(
        "SELECT body FROM messages WHERE body IN (SELECT value FROM json_each(?))", (json.dumps(list(removed)),)
    )
    return set(keys) - {removed[body] for (body,) in found}


class Known:
    """What a database has a row for, whether or not the file must be there."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._uploads = {key for (key,) in connection.execute(_UPLOADS, {"bucket": BUCKET})}
        self._images, self._thumbnails = set[str](), set[str]()
        for collection, image_id in connection.execute(_IMAGES):
            self._images.add(image_id)
            self._thumbnails |= {thumbnail_key(collection, image_id), preview_key(collection, image_id)}

    def __contains__(self, key: str) -> bool:
        if key.startswith(UPLOADS_PREFIX):
            return key in self._uploads
        if key.startswith(SIGNATURES_PREFIX):
            return key.rpartition("/")[2] in self._images
        return key in self._thumbnails
