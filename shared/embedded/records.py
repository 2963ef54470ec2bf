"""The tables of images, with their records, and how rows become records."""

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

from shared.domain.annotations import Annotations
from shared.domain.capture import Capture
from shared.domain.images import ImageRecord, Label, ObjectRef
from shared.domain.labels import canonical
from shared.domain.ledger import ImageKey
from shared.domain.perceptual_hashes import Pdq
from shared.embedded.album_tables import read_albums_of
from shared.embedded.captures import write_capture
from shared.embedded.tags import DECISIONS, to_decisions, write_decisions

RECORDS_KEPT: Final = 2_048
"""Maximum number of records that are cached, of 3 KB each: twice what the searches of one query find."""

IMAGE_COLUMNS: Final = """
    image_id TEXT NOT NULL,
    collection TEXT NOT NULL,
    model TEXT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    format TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    phash TEXT NOT NULL,
    created_at TEXT NOT NULL,
    filename TEXT,
    folded_filename TEXT NOT NULL,
    low_information INTEGER NOT NULL,
    sharpness REAL NOT NULL,
    first_source TEXT NOT NULL,
    external_id TEXT,
    note TEXT,
    fields TEXT NOT NULL DEFAULT '{}',
    intact REAL,
    pages INTEGER NOT NULL DEFAULT 1,
    pixels_hash TEXT
"""
"""The columns of a record in format 1, which the trash has too."""
DESCRIPTION_COLUMNS: Final = """
    image_id TEXT NOT NULL,
    collection TEXT NOT NULL,
    model TEXT NOT NULL,
    labels TEXT NOT NULL
"""
"""The columns of a description by a model in format 1, which the trash has too."""

SCHEMA: Final = f"""
CREATE TABLE images (
    {IMAGE_COLUMNS.strip()},
    PRIMARY KEY (image_id, collection)
) WITHOUT ROWID;

CREATE INDEX images_by_pixels ON images (pixels_hash, collection) WHERE pixels_hash IS NOT NULL;

CREATE INDEX images_by_time ON images (
    collection, created_at, image_id, format, bytes, width, height, folded_filename
);

CREATE TABLE descriptions (
    {DESCRIPTION_COLUMNS.strip()},
    PRIMARY KEY (image_id, collection, model),
    FOREIGN KEY (image_id, collection) REFERENCES images ON DELETE CASCADE
) WITHOUT ROWID;

CREATE TABLE terms (
    image_id TEXT NOT NULL,
    collection TEXT NOT NULL,
    term TEXT NOT NULL,
    created_at TEXT NOT NULL,
    PRIMARY KEY (image_id, collection, term),
    FOREIGN KEY (image_id, collection) REFERENCES images ON DELETE CASCADE
) WITHOUT ROWID;

CREATE INDEX terms_by_time ON terms (collection, term, created_at, image_id);

CREATE TABLE collection_sizes (
    collection TEXT NOT NULL PRIMARY KEY,
    images INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TRIGGER images_added AFTER INSERT ON images BEGIN
    INSERT INTO collection_sizes (collection, images) VALUES (new.collection, 1)
        ON CONFLICT (collection) DO UPDATE SET images = images + 1;
END;

CREATE TRIGGER images_deleted AFTER DELETE ON images BEGIN
    UPDATE collection_sizes SET images = images - 1 WHERE collection = old.collection;
    DELETE FROM collection_sizes WHERE collection = old.collection AND images = 0;
END;

CREATE TABLE sources (
    image_id TEXT NOT NULL,
    collection TEXT NOT NULL,
    source_id TEXT NOT NULL,
    bucket TEXT NOT NULL,
    key TEXT NOT NULL,
    version TEXT,
    PRIMARY KEY (image_id, collection, source_id)
) WITHOUT ROWID;
"""  # noqa: S608
"""The tables as of format 1.

`images` has one row for each image and collection, `descriptions` one for each model that has described it, with its
labels as JSON. `images_by_time` has all that a listing filters by, so that images are only read if they are shown.
`terms` has the strings by which a listing finds an image, see `terms_of`. `sources`, which the ledger
writes, may have rows of an image that has no record yet, or no longer.
"""

COLUMNS: Final = (
    "images.image_id, images.collection, descriptions.model, width, height, format, bytes, phash, images.created_at,"
    " filename, low_information, sharpness, labels, external_id, note, fields, intact, pages, taken_at, camera,"
    f" latitude, longitude, capture_read, things, favourite, {DECISIONS}, pdq, pdq_quality"
)
"""The columns that `to_record` takes, of `images` joined with `descriptions`."""
DESCRIBED: Final = (
    "descriptions ON descriptions.image_id = images.image_id AND descriptions.collection = images.collection"
    " AND descriptions.model = images.model"
)
"""Joins each row of `images` with the description by the record's model."""


def to_record(row: Sequence[Any], sources: Sequence[ObjectRef] = ()) -> ImageRecord:
    """Return a row of `COLUMNS` as a record."""
    record = _described(tuple(row))
    return replace(record, sources=sources) if sources else record


@lru_cache(RECORDS_KEPT)
def _described(row: tuple[Any, ...]) -> ImageRecord:
    """Return a row as a record; cached, since the searches of one query mostly find the same images."""
    return ImageRecord(
        image_id=row[0],
        collection=row[1],
        model=row[2],
        width=row[3],
        height=row[4],
        format=row[5],
        bytes=row[6],
        phash=row[7],
        created_at=row[8],
        filename=row[9],
        low_information=bool(row[10]),
        sharpness=row[11],
        labels=tuple(Label(name, probability) for name, probability in json.loads(row[12])),
        annotations=Annotations(
            row[13], row[14], json.loads(row[15]), favourite=bool(row[24]), tags=to_decisions(row[25])
        ),
        damaged=row[16] is not None,
        intact=1.0 if row[16] is None else row[16],
        pages=row[17],
        capture=Capture(*row[18:22]) if row[22] else None,
        things=None if row[23] is None else tuple(json.loads(row[23])),
        pdq=None if row[26] is None else Pdq(*row[26:28]),
    )


def read_record(connection: sqlite3.Connection, image_key: ImageKey) -> ImageRecord | None:
    """Return the record of an image, without its sources."""
    found: Any = connection.execute(
        f"SELECT {COLUMNS} FROM images JOIN {DESCRIBED} WHERE images.image_id = ? AND images.collection = ?",  # noqa: S608
        (image_key.image_id, image_key.collection),
    ).fetchone()
    return to_record(found) if found else None


def read_shown(
    connection: sqlite3.Connection, image_ids: Collection[str], collection: str
) -> Mapping[str, ImageRecord]:
    """Return the records of those of the images that the collection holds."""
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM images JOIN {DESCRIBED}"  # noqa: S608
        " WHERE images.image_id IN (SELECT value FROM json_each(?)) AND images.collection = ?",
        (json.dumps(list(image_ids)), collection),
    )
    return {row[0]: to_record(row) for row in rows}


def read_records(
    connection: sqlite3.Connection, image_ids: Collection[str], *, collection: str, model: str
) -> Mapping[str, ImageRecord]:
    """Return the records of those of the images that a model has described, with that model's labels."""
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM images JOIN descriptions ON descriptions.image_id = images.image_id"  # noqa: S608
        " AND descriptions.collection = images.collection"
        " WHERE images.image_id IN (SELECT value FROM json_each(?)) AND images.collection = ?"
        " AND descriptions.model = ?",
        (json.dumps(list(image_ids)), collection, model),
    )
    return {row[0]: to_record(row) for row in rows}


def read_same_pixels(
    connection: sqlite3.Connection, pixels_hash: str, *, collection: str, limit: int
) -> list[ImageRecord]:
    """Return the records of images whose decoded pixels have this hash."""
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM images JOIN {DESCRIBED}"  # noqa: S608
        " WHERE images.pixels_hash = ? AND images.collection = ? LIMIT ?",
        (pixels_hash, collection, limit),
    )
    return [to_record(row) for row in rows]


def write_record(
    connection: sqlite3.Connection, record: ImageRecord, first_source: str, pixels_hash: str | None
) -> None:
    """Store a record in place of the one that the collection may have of the image, whose annotations stay."""
    connection.execute(
        "INSERT INTO images (image_id, collection, model, width, height, format, bytes, phash, created_at, filename,"
        " folded_filename, low_information, sharpness, first_source, intact, pages, pixels_hash, things, pdq,"
        " pdq_quality)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (image_id, collection) DO UPDATE SET model = excluded.model, width = excluded.width,"
        " height = excluded.height, format = excluded.format, bytes = excluded.bytes, phash = excluded.phash,"
        " created_at = excluded.created_at, filename = excluded.filename, folded_filename = excluded.folded_filename,"
        " low_information = excluded.low_information, sharpness = excluded.sharpness,"
        " first_source = excluded.first_source, intact = excluded.intact, pages = excluded.pages,"
        " pixels_hash = excluded.pixels_hash, things = excluded.things, pdq = excluded.pdq,"
        " pdq_quality = excluded.pdq_quality",
        (
            record.image_id,
            record.collection,
            record.model,
            record.width,
            record.height,
            record.format,
            record.bytes,
            record.phash,
            record.created_at,
            record.filename,
            (record.filename or "").casefold(),
            record.low_information,
            record.sharpness,
            first_source,
            record.intact if record.damaged else None,
            record.pages,
            pixels_hash,
            None if record.things is None else json.dumps(record.things),
            record.pdq.value if record.pdq else None,
            record.pdq.quality if record.pdq else None,
        ),
    )
    write_capture(connection, record)
    write_labels(connection, record)
    write_terms(connection, ImageKey(record.collection, record.image_id))


def write_labels(connection: sqlite3.Connection, record: ImageRecord) -> None:
    """Store that `record.model` has described the image, and its labels."""
    labels = json.dumps([(label.name, label.probability) for label in record.labels], separators=(",", ":"))
    connection.execute(
        "INSERT INTO descriptions (image_id, collection, model, labels) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (image_id, collection, model) DO UPDATE SET labels = excluded.labels",
        (record.image_id, record.collection, record.model, labels),
    )


def write_things(connection: sqlite3.Connection, image_key: ImageKey, things: Sequence[str]) -> None:
    """Store words for what a network sees in an image."""
    connection.execute(
        "UPDATE images SET things = ? WHERE image_id = ? AND collection = ?",
        (json.dumps(list(things)), image_key.image_id, image_key.collection),
    )
    write_terms(connection, image_key)


def write_annotations(connection: sqlite3.Connection, image_key: ImageKey, annotations: Annotations) -> None:
    """Store annotations in place of those that an image has."""
    connection.execute(
        "UPDATE images SET external_id = ?, note = ?, fields = ?, favourite = ? WHERE image_id = ? AND collection = ?",
        (
            annotations.external_id,
            annotations.note,
            json.dumps(dict(annotations.fields)),
            annotations.favourite,
            image_key.image_id,
            image_key.collection,
        ),
    )
    write_decisions(connection, image_key, annotations.tags)
    write_terms(connection, image_key)


def write_terms(connection: sqlite3.Connection, image_key: ImageKey) -> None:
    """Store the terms of a record as it is now."""
    record = read_record(connection, image_key)
    key = (image_key.image_id, image_key.collection)
    albums = [album_term(album_id) for album_id in read_albums_of(connection, image_key)]
    connection.execute("DELETE FROM terms WHERE image_id = ? AND collection = ?", key)
    if record:
        connection.executemany(
            "INSERT INTO terms (image_id, collection, term, created_at) VALUES (?, ?, ?, ?)",
            [(*key, term, record.created_at) for term in (*terms_of(record), *albums)],
        )


def terms_of(record: ImageRecord) -> set[str]:
    """Return the terms by which an image is listed: of its labels in canonical form, its tags and its annotations."""
    return (
        {label_term(canonical(label.name)) for label in record.labels}
        | {tag_term(tag) for tag in record.tags}
        | set(annotation_terms(record.annotations))
    )


def tag_term(tag: str) -> str:
    return f"{_TAG}{tag}"


def read_tag_counts(connection: sqlite3.Connection, collection: str) -> Mapping[str, int]:
    """Return how many images of a collection have each tag."""
    rows = connection.execute(
        "SELECT term, count(*) FROM terms WHERE collection = ? AND term >= ? AND term < ? GROUP BY term",
        (collection, _TAG, _AFTER_TAGS),
    )
    return {term.removeprefix(_TAG): count for term, count in rows}


def album_term(album_id: str) -> str:
    return f"album {album_id}"


FAVOURITE_TERM: Final = "favourite"
_TAG: Final = "tag "
_AFTER_TAGS: Final = "tag!"
"""Sorts behind the terms of all tags."""


def label_term(label: str) -> str:
    return f"label {label}"


def annotation_terms(annotations: Annotations) -> Sequence[str]:
    """Return a term for the caller's id, one for favourites, and one for each field."""
    ids = [f"id {annotations.external_id}"] if annotations.external_id is not None else []
    favourite = [FAVOURITE_TERM] if annotations.favourite else []
    return [*ids, *favourite, *(f"field {json.dumps(entry)}" for entry in sorted(annotations.fields.items()))]
