"""The vectors of images in SQLite, the source from which a vector index is built and kept up to date.

A row never changes: a new vector of the same image gets a new id, and the ids of deleted rows are kept. So an index
that has seen all rows up to an id, and all deletions, follows by reading what is newer. Ids are never used again.
"""

import sqlite3
from typing import Any, Final

import numpy as np

from shared.domain.features import FeatureVector, require_finite
from shared.domain.images import IndexedImage
from shared.domain.labels import canonical

SCHEMA: Final = """
CREATE TABLE vectors (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    collection TEXT NOT NULL,
    image_id TEXT NOT NULL,
    model TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('features', 'local')),
    label TEXT,
    vector BLOB NOT NULL,
    UNIQUE (image_id, collection, model, kind),
    FOREIGN KEY (image_id, collection, model) REFERENCES descriptions ON DELETE CASCADE
);

CREATE TABLE vector_deletions (
    id INTEGER PRIMARY KEY
);

CREATE TRIGGER vectors_deleted AFTER DELETE ON vectors BEGIN
    INSERT INTO vector_deletions (id) VALUES (old.id);
END;

CREATE TRIGGER vectors_never_change BEFORE UPDATE ON vectors BEGIN
    SELECT RAISE(ABORT, 'a vector is replaced under a new id, never changed');
END;
"""
"""The tables as of format 1. `vector` is float32, little-endian; `label` the most probable class in canonical form."""

_OF_IMAGE: Final = "image_id = ? AND collection = ? AND model = ? AND kind = ?"


def write_vectors(connection: sqlite3.Connection, image: IndexedImage) -> None:
    """Store the vectors of one model in place of those that it has of the image; equal ones stay.

    Raises:
        PictureRefused: see `shared.domain.features.require_finite`.
    """
    record = image.record
    label = canonical(record.label) if record.label else None
    for kind, vector in (("features", image.features), ("local", image.local_features)):
        key = (record.image_id, record.collection, record.model, kind)
        new = None if vector is None else (label, require_finite(vector).astype("<f4").tobytes())
        held: Any = connection.execute(f"SELECT label, vector FROM vectors WHERE {_OF_IMAGE}", key).fetchone()  # noqa: S608
        if held == new:
            continue
        if held:
            connection.execute(f"DELETE FROM vectors WHERE {_OF_IMAGE}", key)  # noqa: S608
        if new:
            connection.execute(
                "INSERT INTO vectors (image_id, collection, model, kind, label, vector) VALUES (?, ?, ?, ?, ?, ?)",
                (*key, *new),
            )


def read_features(
    connection: sqlite3.Connection, image_id: str, *, collection: str, model: str
) -> FeatureVector | None:
    """Return the features of an image by a model, or None."""
    found: Any = connection.execute(
        f"SELECT vector FROM vectors WHERE {_OF_IMAGE}",  # noqa: S608
        (image_id, collection, model, "features"),
    ).fetchone()
    return None if found is None else np.frombuffer(found[0], "<f4").astype(np.float32)
