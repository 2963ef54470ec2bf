"""What the vector index reads from the tables of `shared.embedded.vector_table`."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from shared.embedded.vector_file import ROW, Filter, Ids, Rows, Vectors
from shared.embedded.vector_folder import Space

READ_ROWS: Final = 1_024
"""Rows that are read at once: at most 8 MB."""


@dataclass(frozen=True, slots=True)
class NewRows:
    """Rows of one space, ids ascending.

    Attributes:
        vectors: float32, (N, D), each of unit length or zero.
    """

    space: Space
    rows: Rows
    vectors: Vectors


def newest_id(connection: sqlite3.Connection) -> int:
    """Return the largest id that any row has ever had."""
    found: Any = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'vectors'").fetchone()
    return int(found[0]) if found else 0


def read_after(connection: sqlite3.Connection, last_id: int) -> Iterator[tuple[int, Sequence[NewRows]]]:
    """Yield the rows after an id in parts, each with its last id; vectors with NaN or infinity are left out."""
    cursor = connection.execute(
        "SELECT kind, model, id, collection, label, vector FROM vectors WHERE id > ? ORDER BY id", (last_id,)
    )
    while part := cursor.fetchmany(READ_ROWS):
        by_space = sorted(part, key=itemgetter(0, 1))  # a stable sort: ids still ascend
        yield part[-1][2], [_new_rows(Space(*space), rows) for space, rows in groupby(by_space, itemgetter(0, 1))]


def read_vectors(connection: sqlite3.Connection, ids: Ids) -> list[tuple[int, str, bytes]]:
    """Return the id, image id and vector of those of the rows that exist, ids ascending."""
    return connection.execute(
        "SELECT id, image_id, vector FROM vectors WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id",
        (json.dumps(ids.tolist()),),
    ).fetchall()


def read_rows(connection: sqlite3.Connection, ids: Ids) -> Sequence[NewRows]:
    """Return those of the rows that exist, by space."""
    found = connection.execute(
        "SELECT kind, model, id, collection, label, vector FROM vectors"
        " WHERE id IN (SELECT value FROM json_each(?)) ORDER BY kind, model, id",
        (json.dumps(ids.tolist()),),
    )
    return [_new_rows(Space(*space), rows) for space, rows in groupby(found, itemgetter(0, 1))]


def read_deletions(connection: sqlite3.Connection) -> Ids:
    """Return the ids of deleted rows that have not been forgotten."""
    return np.array([row[0] for row in connection.execute("SELECT id FROM vector_deletions ORDER BY id")], np.int64)


def forget_deletions(connection: sqlite3.Connection, ids: Ids) -> None:
    """Delete the entries of deleted rows that are no longer in any file."""
    connection.execute(
        "DELETE FROM vector_deletions WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(ids.tolist()),)
    )


def filter_of(collection: str, label: str | None) -> Filter:
    """Return the filter for the rows of a collection, and of a label unless that is None."""
    return Filter(_hash(collection), None if label is None else _hash(label))


def stack(blobs: Sequence[bytes]) -> Vectors:
    """Return vectors, float32 in little-endian order, as one array, filled up with zeros to the longest."""
    width = max((len(blob) // 4 for blob in blobs), default=0)
    if all(len(blob) == 4 * width for blob in blobs):
        return np.frombuffer(b"".join(blobs), "<f4").reshape(len(blobs), width)
    out = np.zeros((len(blobs), width), np.float32)
    for row, blob in zip(out, blobs, strict=True):
        row[: len(blob) // 4] = np.frombuffer(blob, "<f4")
    return out


def to_unit(vectors: npt.NDArray[np.floating]) -> Vectors:
    """Return vectors (N, D) scaled to unit length; zero vectors stay zero."""
    norms = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    units: npt.NDArray[np.float64] = np.divide(vectors, norms, out=np.zeros(vectors.shape), where=norms > 0)
    return units.astype(np.float32)


def _new_rows(space: Space, found: Iterable[Any]) -> NewRows:
    _, _, ids, collections, labels, blobs = zip(*found, strict=True)
    rows = np.zeros(len(ids), ROW)
    rows["id"] = ids
    rows["collection"] = [_hash(name) for name in collections]
    rows["label"] = [0 if name is None else _hash(name) for name in labels]
    vectors = stack(blobs)
    usable = np.isfinite(vectors).all(axis=1)
    return NewRows(space, rows[usable], to_unit(vectors[usable]))


def _hash(name: str) -> int:
    """Return 64 bits by which a name is recognised; the database has the last word on which rows belong to it."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "little")
