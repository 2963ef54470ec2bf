"""The catalogue in SQLite: records, descriptions and vectors of images."""

from typing import Final

SCHEMA: Final = """
CREATE TABLE images (
    collection TEXT NOT NULL,
    image_id TEXT NOT NULL,
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

CREATE INDEX images_newest ON images (collection, created_at DESC, image_id DESC);

CREATE TABLE descriptions (
    image_id TEXT NOT NULL,
    collection TEXT NOT NULL,
    model TEXT NOT NULL,
    labels TEXT NOT NULL,
    PRIMARY KEY (image_id, collection, model),
    FOREIGN KEY (image_id, collection) REFERENCES images ON DELETE CASCADE
) WITHOUT ROWID;

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

CREATE TABLE collection_counts (
    collection TEXT PRIMARY KEY,
    images INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TRIGGER images_added AFTER INSERT ON images BEGIN
    INSERT INTO collection_counts (collection, images) VALUES (new.collection, 1)
        ON CONFLICT (collection) DO UPDATE SET images = images + 1;
END;

CREATE TRIGGER images_deleted AFTER DELETE ON images BEGIN
    UPDATE collection_counts SET images = images - 1 WHERE collection = old.collection;
    DELETE FROM collection_counts WHERE collection = old.collection AND images = 0;
END;
"""
