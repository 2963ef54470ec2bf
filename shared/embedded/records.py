"""The tables of images, with their records, and how rows become records."""

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from shared.domain.images import ImageRecord, Label, ObjectRef
from shared.domain.labels import canonical

SCHEMA: Final = """
CREATE TABLE images (
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
    low_information INTEGER NOT NULL,
    sharpness REAL NOT NULL,
    first_source TEXT NOT NULL,
    PRIMARY KEY (image_id, collection)
) WITHOUT ROWID;

CREATE INDEX images_newest ON images (collection, created_at, image_id);

CREATE TABLE descriptions (
    image_id TEXT NOT NULL,
    collection TEXT NOT NULL,
    model TEXT NOT NULL,
    labels TEXT NOT NULL,
    PRIMARY KEY (image_id, collection, model),
    FOREIGN KEY (image_id, collection) REFERENCES images ON DELETE CASCADE
) WITHOUT ROWID;

CREATE TABLE image_labels (
    image_id TEXT NOT NULL,
    collection TEXT NOT NULL,
    label TEXT NOT NULL,
    created_at TEXT NOT NULL,
    PRIMARY KEY (image_id, collection, label),
    FOREIGN KEY (image_id, collection) REFERENCES images ON DELETE CASCADE
) WITHOUT ROWID;

CREATE INDEX image_labels_newest ON image_labels (collection, label, created_at, image_id);

CREATE TABLE collection_sizes (
    collection TEXT PRIMARY KEY,
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
"""
"""The tables as of format 1.

`images` has one row for each image and collection, `descriptions` one for each model that has described it, with its
labels as JSON. `image_labels` has the labels of the record's model in canonical form, for listings. `sources`, which
the ledger writes, may have rows of an image that has no record yet, or no longer.
"""

COLUMNS: Final = (
    "images.image_id, images.collection, descriptions.model, width, height, format, bytes, phash, created_at, filename,"
    " low_information, sharpness, labels"
)
"""The columns that `to_record` takes, of `images` joined with `descriptions`."""


def to_record(row: Sequence[Any], sources: Sequence[ObjectRef] = ()) -> ImageRecord:
    """Return a row of `COLUMNS` as a record."""
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
        sources=sources,
    )


def read_records(
    connection: sqlite3.Connection, image_ids: Collection[str], *, collection: str, model: str
) -> Mapping[str, ImageRecord]:
    """Return the records of those of the images, at most 100, that a model has described, with that model's labels."""
    places = ", ".join("?" * len(image_ids))
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM images JOIN descriptions USING (image_id, collection)"  # noqa: S608
        f" WHERE images.image_id IN ({places}) AND images.collection = ? AND descriptions.model = ?",
        (*image_ids, collection, model),
    )
    return {row[0]: to_record(row) for row in rows}


def write_record(connection: sqlite3.Connection, record: ImageRecord, first_source: str) -> None:
    """Store a record in place of the one that the collection may have of the image."""
    connection.execute(
        "INSERT INTO images (image_id, collection, model, width, height, format, bytes, phash, created_at, filename,"
        " low_information, sharpness, first_source) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (image_id, collection) DO UPDATE SET model = excluded.model, width = excluded.width,"
        " height = excluded.height, format = excluded.format, bytes = excluded.bytes, phash = excluded.phash,"
        " created_at = excluded.created_at, filename = excluded.filename, low_information = excluded.low_information,"
        " sharpness = excluded.sharpness, first_source = excluded.first_source",
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
            record.low_information,
            record.sharpness,
            first_source,
        ),
    )
    connection.execute(
        "DELETE FROM image_labels WHERE image_id = ? AND collection = ?", (record.image_id, record.collection)
    )
    connection.executemany(
        "INSERT INTO image_labels (image_id, collection, label, created_at) VALUES (?, ?, ?, ?)",
        [
            (record.image_id, record.collection, label, record.created_at)
            for label in {canonical(label.name) for label in record.labels}
        ],
    )


def write_labels(connection: sqlite3.Connection, record: ImageRecord) -> None:
    """Store that `record.model` has described the image, and its labels."""
    labels = json.dumps([(label.name, label.probability) for label in record.labels], separators=(",", ":"))
    connection.execute(
        "INSERT INTO descriptions (image_id, collection, model, labels) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (image_id, collection, model) DO UPDATE SET labels = excluded.labels",
        (record.image_id, record.collection, record.model, labels),
    )
