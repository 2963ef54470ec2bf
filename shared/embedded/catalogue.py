"""The catalogue in SQLite: records, features and sources of images."""

import heapq
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from shared.domain.cursors import decode_cursor, encode_cursor
from shared.domain.features import FeatureVector, LocalVector
from shared.domain.images import ImageRecord, IndexedImage, ObjectRef, Page, source_id
from shared.domain.ledger import ImageKey
from shared.domain.limits import DEFAULT_COLLECTION, MAX_SOURCES_SHOWN
from shared.domain.ports import Candidates, Occurrences, VectorSearch
from shared.embedded.database import Database
from shared.embedded.records import COLUMNS, to_record, write_labels, write_record
from shared.embedded.vector_table import read_features, write_vectors

_RECORDS: Final = (
    f"SELECT {COLUMNS} FROM images JOIN descriptions"  # noqa: S608
    " ON descriptions.image_id = images.image_id AND descriptions.collection = images.collection"
    " AND descriptions.model = images.model"
)
_OF_IMAGE: Final = "images.image_id = ? AND images.collection = ?"
_AFTER_ALL: Final = ("~", "")
"""A time after all times, which consist of digits and punctuation before the tilde."""


class EmbeddedCatalogue:
    """The catalogue in one database; see `shared.domain.ports.Catalogue`.

    What belongs to a record is deleted with it, so nothing is left of a record but the sources, which the ledger keeps.

    Args:
        search: finds candidates among the vectors of the same database.
    """

    def __init__(self, database: Database, search: VectorSearch) -> None:
        self._database = database
        self._search = search

    def add(self, image: IndexedImage, source: ObjectRef, secondary: Sequence[IndexedImage] = ()) -> bool:
        record = image.record
        with self._database.transaction() as connection:
            held: Any = connection.execute(
                f"SELECT model, first_source FROM images WHERE {_OF_IMAGE}",  # noqa: S608
                (record.image_id, record.collection),
            ).fetchone()
            if held is None or held[0] != record.model:
                if held and held[0] not in {other.record.model for other in secondary}:
                    _delete_description(connection, record, held[0])
                write_record(connection, record, source_id(source))
                _describe(connection, image)
                is_first = True
            else:
                is_first = bool(held[1] == source_id(source))
            for other in secondary:
                _describe(connection, other)
        return is_first

    def add_secondary(self, image: IndexedImage) -> None:
        """Store the vectors of a model other than the record's; nothing is stored of an image without a record."""
        record = image.record
        with self._database.transaction() as connection:
            if _first_source(connection, ImageKey(record.collection, record.image_id)) is not None:
                _describe(connection, image)

    def is_first_source(self, image_key: ImageKey, models: Sequence[str], source: ObjectRef) -> bool | None:
        with self._database.read() as connection:
            first_source = _first_source(connection, image_key)
            described = first_source is not None and _has_all(connection, image_key, models)
        return first_source == source_id(source) if described else None

    def described(self, image_key: ImageKey, models: Sequence[str]) -> bool:
        with self._database.read() as connection:
            return _first_source(connection, image_key) is not None and _has_all(connection, image_key, models)

    def find(self, image_id: str, collection: str | None = None) -> ImageRecord | None:
        """Return the record of an image with up to `MAX_SOURCES_SHOWN` of its sources, or None.

        Without a collection, the default collection is preferred.
        """
        with self._database.read() as connection:
            found: Any = connection.execute(
                f"{_RECORDS} WHERE {_OF_IMAGE}", (image_id, collection or DEFAULT_COLLECTION)
            ).fetchone()
            if found is None and collection is None:
                found = connection.execute(
                    f"{_RECORDS} WHERE images.image_id = ? ORDER BY images.collection LIMIT 1", (image_id,)
                ).fetchone()
            if found is None:
                return None
            record = to_record(found)
            sources = _sources(connection, image_id, record.collection, MAX_SOURCES_SHOWN)
        return replace(record, sources=tuple(source for _, source in sources))

    def features(self, image_id: str, collection: str, model: str) -> FeatureVector | None:
        """Return the stored features, or None if there are none of this model."""
        with self._database.read() as connection:
            return read_features(connection, image_id, collection=collection, model=model)

    def occurrences(self, image_id: str, collection: str | None = None) -> Occurrences:
        with self._database.read() as connection:
            where, values = _where(image_id, collection)
            found = connection.execute(f"SELECT collection FROM images WHERE {where}", values)  # noqa: S608
            return Occurrences([name for (name,) in found], list(_sources(connection, image_id, collection)))

    def delete_record(self, image_key: ImageKey) -> bool:
        """Delete the record, so that no listing or search returns the image; return False if there was none."""
        with self._database.transaction() as connection:
            deleted = connection.execute(
                f"DELETE FROM images WHERE {_OF_IMAGE}",  # noqa: S608
                (image_key.image_id, image_key.collection),
            )
            return deleted.rowcount > 0

    def newest(self, collection: str, *, labels: Collection[str] | None, limit: int, cursor: str | None) -> Page:
        """Return one page of a collection, newest first.

        Raises:
            InvalidCursor: the cursor is malformed or belongs to another collection.
        """
        after = decode_cursor(cursor, collection) if cursor else _AFTER_ALL
        with self._database.read() as connection:
            # One image more than requested shows whether there is a next page.
            if labels is None:
                rows = connection.execute(
                    f"{_RECORDS} WHERE images.collection = ? AND (images.created_at, images.image_id) < (?, ?)"
                    " ORDER BY images.created_at DESC, images.image_id DESC LIMIT ?",
                    (collection, *after, limit + 1),
                ).fetchall()
                records = [to_record(row) for row in rows]
            else:
                records = list(_newest_of(connection, collection, labels, after, limit + 1))
        page = records[:limit]
        more = len(records) > limit
        return Page(page, encode_cursor(collection, page[-1].created_at, page[-1].image_id) if more else None)

    def count(self, collection: str) -> tuple[int, bool]:
        """Return the number of images in a collection, and True because it is exact."""
        with self._database.read() as connection:
            found: Any = connection.execute(
                "SELECT images FROM collection_sizes WHERE collection = ?", (collection,)
            ).fetchone()
        return (found[0] if found else 0), True

    def nearest(
        self, features: FeatureVector, *, collection: str, model: str, label: str | None, limit: int
    ) -> Candidates:
        return self._search.nearest(features, collection=collection, model=model, label=label, limit=limit)

    def nearest_local(self, local: LocalVector, *, collection: str, model: str, limit: int) -> Candidates:
        return self._search.nearest_local(local, collection=collection, model=model, limit=limit)

    def existing(self, image_ids: Collection[str], collection: str) -> set[str]:
        places = ", ".join("?" * len(image_ids))
        with self._database.read() as connection:
            found = connection.execute(
                f"SELECT image_id FROM images WHERE image_id IN ({places}) AND collection = ?",  # noqa: S608
                (*image_ids, collection),
            )
            return {image_id for (image_id,) in found}


def _describe(connection: sqlite3.Connection, image: IndexedImage) -> None:
    write_labels(connection, image.record)
    write_vectors(connection, image)


def _delete_description(connection: sqlite3.Connection, record: ImageRecord, model: str) -> None:
    connection.execute(
        "DELETE FROM descriptions WHERE image_id = ? AND collection = ? AND model = ?",
        (record.image_id, record.collection, model),
    )


def _first_source(connection: sqlite3.Connection, image_key: ImageKey) -> str | None:
    """Return the id of the source that brought an image, or None without a record."""
    found: Any = connection.execute(
        f"SELECT first_source FROM images WHERE {_OF_IMAGE}",  # noqa: S608
        (image_key.image_id, image_key.collection),
    ).fetchone()
    return str(found[0]) if found else None


def _has_all(connection: sqlite3.Connection, image_key: ImageKey, models: Sequence[str]) -> bool:
    found = connection.execute(
        "SELECT model FROM descriptions WHERE image_id = ? AND collection = ?",
        (image_key.image_id, image_key.collection),
    )
    return {model for (model,) in found}.issuperset(models)


def _where(image_id: str, collection: str | None) -> tuple[str, tuple[str, ...]]:
    """Return the condition for an image in one collection, or in all."""
    if collection is None:
        return "image_id = ?", (image_id,)
    return "image_id = ? AND collection = ?", (image_id, collection)


def _sources(
    connection: sqlite3.Connection, image_id: str, collection: str | None, limit: int = -1
) -> Iterator[tuple[str, ObjectRef]]:
    """Yield the objects that hold an image, with their collections."""
    where, values = _where(image_id, collection)
    for owner, *source in connection.execute(
        f"SELECT collection, bucket, key, version FROM sources WHERE {where}"  # noqa: S608
        " ORDER BY collection, source_id LIMIT ?",
        (*values, limit),
    ):
        yield owner, ObjectRef(*source)


def _newest_of(
    connection: sqlite3.Connection, collection: str, labels: Collection[str], after: tuple[str, str], limit: int
) -> Iterator[ImageRecord]:
    """Yield the newest images that have one of the labels; each label's images are read in the order of an index."""
    found = set[tuple[str, str]]()
    for label in labels:
        found.update(
            connection.execute(
                "SELECT created_at, image_id FROM image_labels WHERE collection = ? AND label = ?"
                " AND (created_at, image_id) < (?, ?) ORDER BY created_at DESC, image_id DESC LIMIT ?",
                (collection, label, *after, limit),
            )
        )
    for _, image_id in heapq.nlargest(limit, found):
        yield to_record(connection.execute(f"{_RECORDS} WHERE {_OF_IMAGE}", (image_id, collection)).fetchone())
