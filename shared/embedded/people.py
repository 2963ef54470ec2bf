"""Faces and persons in SQLite."""

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from uuid import uuid4

import numpy as np

from shared.domain.ledger import ConflictError, ImageKey
from shared.domain.people.codec import decode_faces, decode_person, encode_faces, encode_person
from shared.domain.people.faces import FaceVector
from shared.domain.people.ports import FacesOn, ImageState, Near, Required
from shared.domain.people.records import Change, Face, FaceState, ImageFaces, Person
from shared.embedded.database import Database
from shared.embedded.people_vectors import FaceSearch

MIGRATION: Final = """
CREATE TABLE image_faces (
    collection TEXT NOT NULL,
    image_id TEXT NOT NULL,
    version TEXT NOT NULL,
    faces TEXT NOT NULL,
    PRIMARY KEY (collection, image_id)
) WITHOUT ROWID;

CREATE TABLE persons (
    collection TEXT NOT NULL,
    person_id TEXT NOT NULL,
    version TEXT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (collection, person_id)
) WITHOUT ROWID;

CREATE TABLE person_faces (
    collection TEXT NOT NULL,
    person_id TEXT NOT NULL,
    face_id TEXT NOT NULL,
    PRIMARY KEY (collection, person_id, face_id)
) WITHOUT ROWID;

CREATE TABLE face_vectors (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    collection TEXT NOT NULL,
    face_id TEXT NOT NULL,
    face_model TEXT NOT NULL,
    live INTEGER NOT NULL,
    vector BLOB NOT NULL,
    UNIQUE (collection, face_id)
);

CREATE INDEX live_face_vectors ON face_vectors (collection, face_model, id) WHERE live = 1;

ALTER TABLE collections ADD COLUMN faces INTEGER NOT NULL DEFAULT 0;
"""
"""From format 4 to format 5. `faces` and `record` are JSON (`shared.domain.people.codec`). `person_faces` has the live
faces of each person, and under no person those without one. The live row of a vector never changes."""

NOBODY: Final = ""
_OF_IMAGE: Final = "collection = ? AND image_id = ?"
_OF_FACE: Final = "collection = ? AND face_id = ?"


class EmbeddedPeople:
    """The people of one database; see `shared.domain.people.ports.PeopleStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._search = FaceSearch(database)

    def state(self, image: ImageKey) -> ImageState:
        with self._database.read() as connection:
            return _state(connection, image)

    def accepts(self, collection: str) -> bool:
        with self._database.read() as connection:
            return _accepts(connection, collection)

    def image(self, image: ImageKey) -> ImageFaces:
        found = self.images(image.collection, [image.image_id])
        return found.get(image.image_id, ImageFaces(image))

    def images(self, collection: str, image_ids: Collection[str]) -> Mapping[str, ImageFaces]:
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT image_id, faces, version FROM image_faces WHERE collection = ?"
                " AND image_id IN (SELECT value FROM json_each(?))",
                (collection, json.dumps(list(image_ids))),
            )
            return {
                image_id: ImageFaces(ImageKey(collection, image_id), decode_faces(faces), version)
                for image_id, faces, version in rows
            }

    def stored_faces(
        self, collection: str, *, limit: int, after: str | None = None
    ) -> tuple[Sequence[ImageFaces], bool]:
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT image_id, faces, version FROM image_faces WHERE collection = ? AND image_id > ?"
                " ORDER BY image_id LIMIT ?",
                (collection, after or "", limit),
            )
            found = [
                ImageFaces(ImageKey(collection, image_id), decode_faces(faces), version)
                for image_id, faces, version in rows
            ]
        return found, len(found) == limit

    def person(self, collection: str, person_id: str) -> Person | None:
        with self._database.read() as connection:
            row: Any = connection.execute(
                "SELECT version, record FROM persons WHERE collection = ? AND person_id = ?", (collection, person_id)
            ).fetchone()
        return decode_person(collection, person_id, *row) if row else None

    def find_people(self, collection: str, person_ids: Collection[str]) -> Mapping[str, Person]:
        found = (self.person(collection, person_id) for person_id in set(person_ids))
        return {person.person_id: person for person in found if person}

    def people(self, collection: str) -> Sequence[Person]:
        with self._database.read() as connection:
            rows: Any = connection.execute(
                "SELECT person_id, version, record FROM persons WHERE collection = ?", (collection,)
            ).fetchall()
        return [decode_person(collection, *row) for row in rows]

    def faces_of(
        self, collection: str, person_id: str | None, *, limit: int, after: str | None = None
    ) -> Sequence[str]:
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT face_id FROM person_faces WHERE collection = ? AND person_id = ? AND face_id > ?"
                " ORDER BY face_id LIMIT ?",
                (collection, person_id or NOBODY, after or "", limit),
            )
            return [face_id for (face_id,) in rows]

    def vectors(self, collection: str, face_ids: Collection[str]) -> Mapping[str, FaceVector]:
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT face_id, vector FROM face_vectors WHERE collection = ?"
                " AND face_id IN (SELECT value FROM json_each(?))",
                (collection, json.dumps(list(face_ids))),
            )
            return {face_id: np.frombuffer(vector, "<f4").astype(np.float32) for face_id, vector in rows}

    def near(self, collection: str, face_model: str, vector: FaceVector, limit: int) -> Sequence[Near]:
        return self._search.near(collection, face_model, vector, limit)

    def commit(
        self,
        changes: Sequence[Change],
        *,
        vectors: Mapping[str, FaceVector] | None = None,
        required: Required | FacesOn | None = None,
    ) -> None:
        with self._database.transaction() as connection:
            if required and not _is_met(connection, required):
                raise ConflictError
            for change in changes:
                match change.before:
                    case ImageFaces():
                        _write_faces(connection, change.before, change.after, vectors or {})
                    case Person():
                        _write_person(connection, change.before, change.after)

    def erase(self, collection: str, limit: int) -> tuple[int, bool]:
        with self._database.transaction() as connection:
            rows: Any = connection.execute(
                "SELECT image_id, faces, version FROM image_faces WHERE collection = ? LIMIT ?", (collection, limit)
            ).fetchall()
            erased = 0
            for image_id, text, version in rows:
                before = ImageFaces(ImageKey(collection, image_id), decode_faces(text), version)
                erased += sum(1 for _ in before.live())
                _write_faces(connection, before, None, {})
            if len(rows) == limit:
                return erased, True
            for table in ("persons", "person_faces"):
                connection.execute(f"DELETE FROM {table} WHERE collection = ?", (collection,))  # noqa: S608
        self._database.empty_log()
        return erased, False


def _state(connection: sqlite3.Connection, image: ImageKey) -> ImageState:
    for table, state in (("images", ImageState.SHOWN), ("trashed_images", ImageState.TRASHED)):
        found = connection.execute(
            f"SELECT 1 FROM {table} WHERE {_OF_IMAGE}",  # noqa: S608
            (image.collection, image.image_id),
        )
        if found.fetchone():
            return state
    return ImageState.ABSENT


def _accepts(connection: sqlite3.Connection, collection: str) -> bool:
    found: Any = connection.execute("SELECT faces FROM collections WHERE name = ?", (collection,)).fetchone()
    return bool(found and found[0])


def _is_met(connection: sqlite3.Connection, required: Required | FacesOn) -> bool:
    if isinstance(required, FacesOn):
        return _accepts(connection, required.collection)
    image = required.image
    return _state(connection, image) is required.state and (
        not required.faces_on or _accepts(connection, image.collection)
    )


def _write_person(connection: sqlite3.Connection, before: Person, after: object) -> None:
    key = (before.collection, before.person_id)
    if not before.version:
        changed = connection.execute("INSERT OR IGNORE INTO persons VALUES (?, ?, '', '{}')", key)
        if not changed.rowcount:
            raise ConflictError
    held = (*key, before.version)
    if isinstance(after, Person):
        changed = connection.execute(
            "UPDATE persons SET version = ?, record = ? WHERE collection = ? AND person_id = ? AND version = ?",
            (uuid4().hex, encode_person(after), *held),
        )
    else:
        changed = connection.execute("DELETE FROM persons WHERE collection = ? AND person_id = ? AND version = ?", held)
    if not changed.rowcount:
        raise ConflictError


def _write_faces(
    connection: sqlite3.Connection, before: ImageFaces, after: object, vectors: Mapping[str, FaceVector]
) -> None:
    key = (before.image.collection, before.image.image_id)
    faces = after.faces if isinstance(after, ImageFaces) else ()
    if not before.version:
        changed = connection.execute("INSERT OR IGNORE INTO image_faces VALUES (?, ?, '', '[]')", key)
        if not changed.rowcount:
            raise ConflictError
    if faces:
        changed = connection.execute(
            f"UPDATE image_faces SET version = ?, faces = ? WHERE {_OF_IMAGE} AND version = ?",  # noqa: S608
            (uuid4().hex, encode_faces(faces), *key, before.version),
        )
    else:
        changed = connection.execute(
            f"DELETE FROM image_faces WHERE {_OF_IMAGE} AND version = ?",  # noqa: S608
            (*key, before.version),
        )
    if not changed.rowcount:
        raise ConflictError
    _write_links(connection, before.image.collection, before.faces, faces)
    _write_vectors(connection, before, {face.face_id: face for face in faces}, vectors)


def _write_links(
    connection: sqlite3.Connection, collection: str, before: Sequence[Face], after: Sequence[Face]
) -> None:
    old = {(collection, face.person or NOBODY, face.face_id) for face in before if face.is_live}
    new = {(collection, face.person or NOBODY, face.face_id) for face in after if face.is_live}
    connection.executemany(
        "DELETE FROM person_faces WHERE collection = ? AND person_id = ? AND face_id = ?", sorted(old - new)
    )
    connection.executemany("INSERT INTO person_faces VALUES (?, ?, ?)", sorted(new - old))


def _write_vectors(
    connection: sqlite3.Connection, before: ImageFaces, after: Mapping[str, Face], vectors: Mapping[str, FaceVector]
) -> None:
    collection = before.image.collection
    states = {face.face_id: face.state for face in before.faces}
    for face_id in states.keys() | after.keys():
        state = after[face_id].state if face_id in after else FaceState.GONE
        if state is states.get(face_id, FaceState.GONE):
            continue
        vector = vectors.get(face_id)
        held: Any = connection.execute(
            f"SELECT vector FROM face_vectors WHERE {_OF_FACE}",  # noqa: S608
            (collection, face_id),
        ).fetchone()
        connection.execute(f"DELETE FROM face_vectors WHERE {_OF_FACE}", (collection, face_id))  # noqa: S608
        blob = held[0] if vector is None and held else None if vector is None else vector.astype("<f4").tobytes()
        if state is not FaceState.GONE and blob is not None:
            connection.execute(
                "INSERT INTO face_vectors (collection, face_id, face_model, live, vector) VALUES (?, ?, ?, ?, ?)",
                (collection, face_id, after[face_id].face_model, state is FaceState.LIVE, blob),
            )
