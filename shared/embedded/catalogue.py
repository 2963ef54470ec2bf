"""The catalogue in SQLite: records, features and sources of images."""

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from shared.domain.annotations import Annotations
from shared.domain.capture import Capture
from shared.domain.features import FeatureVector, LocalVector
from shared.domain.filters import ImageFilter, Order, Sort
from shared.domain.images import ImageRecord, IndexedImage, ObjectRef, Page, source_id
from shared.domain.ledger import ConflictError, ImageKey
from shared.domain.limits import DEFAULT_COLLECTION, MAX_SOURCES_SHOWN
from shared.domain.perceptual_hashes import HashKind, HashPage, Pdq
from shared.domain.ports.catalogue import Occurrences
from shared.domain.ports.indexes import Candidates, VectorSearch
from shared.domain.tags import TagCounts
from shared.embedded.album_tables import forget_in_albums
from shared.embedded.captures import write_capture
from shared.embedded.collections import register_collection
from shared.embedded.database import Database
from shared.embedded.duplicates import write_quality
from shared.embedded.hashes import read_hashes, write_pdq
from shared.embedded.listing import read_page
from shared.embedded.records import (
    read_record,
    read_same_pixels,
    read_shown,
    read_tag_counts,
    write_annotations,
    write_labels,
    write_record,
    write_things,
)
from shared.embedded.tags import DECISIONS, to_decisions
from shared.embedded.trash import first_source_in_trash, forget, reclaim
from shared.embedded.vector_table import read_features, write_vectors

_OF_IMAGE: Final = "image_id = ? AND collection = ?"


class EmbeddedCatalogue:
    """The catalogue in one database; see `shared.domain.ports.catalogue.Catalogue`.

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
                register_collection(connection, record.collection)
                if held is None:
                    reclaim(connection, ImageKey(record.collection, record.image_id))
                write_record(connection, record, source_id(source), image.pixels_hash)
                write_quality(connection, ImageKey(record.collection, record.image_id), record.quality)
                write_vectors(connection, image)
                is_first = True
            else:
                is_first = bool(held[1] == source_id(source))
            for other in secondary:
                write_labels(connection, other.record)
                write_vectors(connection, other)
        return is_first

    def add_secondary(self, image: IndexedImage) -> None:
        """Store the vectors of a model other than the record's; nothing is stored of an image without a record."""
        record = image.record
        with self._database.transaction() as connection:
            if _first_source(connection, ImageKey(record.collection, record.image_id)) is not None:
                write_labels(connection, record)
                write_vectors(connection, image)

    def is_first_source(self, image_key: ImageKey, models: Sequence[str], source: ObjectRef) -> bool | None:
        with self._database.read() as connection:
            first_source = _first_source(connection, image_key)
            described = first_source is not None and _has_all(connection, image_key, models)
            if first_source is None and (first_source := first_source_in_trash(connection, image_key)) is not None:
                described = True
        return first_source == source_id(source) if described else None

    def described(self, image_key: ImageKey, models: Sequence[str]) -> bool:
        with self._database.read() as connection:
            if first_source_in_trash(connection, image_key) is not None:
                return True
            return _first_source(connection, image_key) is not None and _has_all(connection, image_key, models)

    def find(self, image_id: str, collection: str | None = None) -> ImageRecord | None:
        """Return the record of an image with up to `MAX_SOURCES_SHOWN` of its sources, or None.

        Without a collection, the default collection is preferred.
        """
        with self._database.read() as connection:
            record = read_record(connection, ImageKey(collection or DEFAULT_COLLECTION, image_id))
            if record is None and collection is None:
                held: Any = connection.execute(
                    "SELECT min(collection) FROM images WHERE image_id = ?", (image_id,)
                ).fetchone()
                record = read_record(connection, ImageKey(held[0], image_id)) if held[0] else None
            if record is None:
                return None
            sources = _sources(connection, image_id, record.collection, MAX_SOURCES_SHOWN)
            return replace(record, sources=tuple(source for _, source in sources))

    def features(self, image_id: str, collection: str, model: str) -> FeatureVector | None:
        """Return the stored features, or None if there are none of this model."""
        with self._database.read() as connection:
            return read_features(connection, image_id, collection=collection, model=model)

    def occurrences(self, image_id: str, collection: str | None = None) -> Occurrences:
        with self._database.read() as connection:
            where, values = _where(image_id, collection)
            found = connection.execute(
                f"SELECT collection FROM images WHERE {where} UNION ALL"  # noqa: S608
                f" SELECT collection FROM trashed_images WHERE {where}",
                (*values, *values),
            )
            return Occurrences([name for (name,) in found], list(_sources(connection, image_id, collection)))

    def delete_record(self, image_key: ImageKey) -> None:
        """Delete the record, so that no listing or search returns the image, and what belongs to it."""
        with self._database.transaction() as connection:
            connection.execute(
                f"DELETE FROM images WHERE {_OF_IMAGE}",  # noqa: S608
                (image_key.image_id, image_key.collection),
            )
            forget_in_albums(connection, image_key)
            forget(connection, image_key)

    def page(
        self,
        collection: str,
        *,
        wanted: ImageFilter,
        sort: Sort = Sort.ADDED,
        order: Order = Order.NEWEST,
        limit: int,
        cursor: str | None,
    ) -> Page:
        """Return one page of a collection; see `read_page`."""
        with self._database.read() as connection:
            return read_page(connection, collection, wanted=wanted, sort=sort, order=order, limit=limit, cursor=cursor)

    def shown(self, collection: str, image_ids: Sequence[str]) -> Mapping[str, ImageRecord]:
        with self._database.read() as connection:
            return read_shown(connection, image_ids, collection)

    def hashes(self, collection: str, kind: HashKind, *, limit: int, after: tuple[str, str] | None) -> HashPage:
        with self._database.read() as connection:
            return read_hashes(connection, collection, kind, limit=limit, after=after)

    def set_capture(self, image_key: ImageKey, capture: Capture) -> None:
        with self._database.transaction() as connection:
            record = read_record(connection, image_key)
            if record is not None:
                write_capture(connection, replace(record, capture=capture))

    def set_pdq(self, image_key: ImageKey, pdq: Pdq) -> None:
        with self._database.transaction() as connection:
            write_pdq(connection, image_key, pdq)

    def set_things(self, image_key: ImageKey, things: Sequence[str]) -> None:
        with self._database.transaction() as connection:
            write_things(connection, image_key, things)

    def annotate(self, image_key: ImageKey, before: Annotations, after: Annotations) -> None:
        with self._database.transaction() as connection:
            record = read_record(connection, image_key)
            if record is None or record.annotations != before:
                raise ConflictError
            write_annotations(connection, image_key, after)

    def count(self, collection: str) -> tuple[int, bool]:
        """Return the number of images in a collection, and True because it is exact."""
        with self._database.read() as connection:
            found: Any = connection.execute(
                "SELECT images FROM collection_sizes WHERE collection = ?", (collection,)
            ).fetchone()
        return (found[0] if found else 0), True

    def tag_counts(self, collection: str) -> TagCounts:
        """Return how many images have each tag; exact."""
        with self._database.read() as connection:
            counts = read_tag_counts(connection, collection)
        return TagCounts(counts, self.count(collection)[0], exact=True)

    def nearest(
        self, features: FeatureVector, *, collection: str, model: str, label: str | None, limit: int
    ) -> Candidates:
        return self._search.nearest(features, collection=collection, model=model, label=label, limit=limit)

    def nearest_local(self, local: LocalVector, *, collection: str, model: str, limit: int) -> Candidates:
        return self._search.nearest_local(local, collection=collection, model=model, limit=limit)

    def with_pixels(self, pixels_hash: str, *, collection: str, limit: int) -> list[ImageRecord]:
        """Return the images whose decoded pixels have this hash; see `shared.domain.ports.indexes.PixelSearch`."""
        with self._database.read() as connection:
            return read_same_pixels(connection, pixels_hash, collection=collection, limit=limit)

    def existing(self, image_ids: Collection[str], collection: str) -> Mapping[str, Annotations]:
        with self._database.read() as connection:
            found = connection.execute(
                f"SELECT image_id, external_id, note, fields, favourite, {DECISIONS} FROM images"  # noqa: S608
                " WHERE image_id IN (SELECT value FROM json_each(?)) AND collection = ?",
                (json.dumps(list(image_ids)), collection),
            )
            return {
                image_id: Annotations(
                    external_id, note, json.loads(fields), favourite=bool(favourite), tags=to_decisions(decisions)
                )
                for image_id, external_id, note, fields, favourite, decisions in found
            }


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
