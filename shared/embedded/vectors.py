"""Vector search over the table `vectors`, by an index in files that follow the table.

The index only proposes rows. Whether they exist, which image they belong to and how near they are is read from the
database. So an index that a crash has damaged may miss an image, but never returns a wrong one.
"""

import logging
import sqlite3
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from shared.domain.errors import IndexNotReady
from shared.domain.features import FeatureVector, LocalVector, normalise
from shared.domain.ports.indexes import Candidate, Candidates
from shared.embedded.batching import Batches
from shared.embedded.database import Database
from shared.embedded.records import read_records
from shared.embedded.vector_compaction import Compaction
from shared.embedded.vector_file import Filter, Ids, Vectors, fit
from shared.embedded.vector_folder import Space, VectorFolder
from shared.embedded.vector_rows import (
    filter_of,
    newest_id,
    read_after,
    read_deletions,
    read_rows,
    read_vectors,
    stack,
)

SAVE_ROWS: Final = 4_096
"""Rows after which the files are saved. After a crash, at most as many are read again."""
WIDTH_STEP: Final = 64
"""The width of a file is a multiple of it, so that every row begins at a cache line."""
WAIT_SECONDS: Final = 2.0
"""How long a search waits for the index to be opened."""
SAMPLE: Final = 64
"""Rows of each file that are compared with the database when the index is opened."""

Nearest = tuple[str, float]
"""An image's id and its cosine."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Query:
    vector: FeatureVector
    collection: str
    label: str | None
    limit: int

    @property
    def wanted(self) -> Filter:
        return filter_of(self.collection, self.label)


class VectorIndex:
    """Finds candidates among the vectors of a database; see `shared.domain.ports.indexes.VectorSearch`.

    A search sees every image that was committed before it began. It must not be called inside a transaction, whose rows
    may never be committed.

    Args:
        folder: the folder of the index's files, which nothing else may use. Created if missing.

    Attributes:
        opened: done once the index has read what it lacked, in a thread of its own. If that failed, as on a full disk,
            the next search has it tried again.
    """

    def __init__(self, folder: Path, database: Database) -> None:
        self._path = folder
        self._database = database
        self._changing = threading.Lock()
        self._compaction = Compaction(database, self._changing)
        self._batches: dict[Space, Batches[_Query, Candidates]] = {}
        self._closing = False
        self._unsaved = 0
        self._progress = 0.0
        self._opening = threading.Lock()
        self._begin_opening()

    def nearest(
        self, features: FeatureVector, *, collection: str, model: str, label: str | None, limit: int
    ) -> Candidates:
        """Return the nearest images by the cosine of their features.

        Raises:
            IndexNotReady: the index is being built.
            PictureRefused: see `shared.domain.features.require_finite`.
        """
        return self._search(Space("features", model), features, collection, label, limit)

    def nearest_local(self, local: LocalVector, *, collection: str, model: str, limit: int) -> Candidates:
        """Return the nearest images by the cosine of their local features.

        Raises:
            IndexNotReady, PictureRefused: see `nearest`.
        """
        return self._search(Space("local", model), local, collection, None, limit)

    def close(self) -> None:
        """Save and close the files. No search may follow."""
        self._closing = True
        self._opener.join()
        if self.opened.exception() is None:
            with self._changing:
                self._save(self.opened.result())
                self.opened.result().close()

    def _search(
        self, space: Space, vector: FeatureVector, collection: str, label: str | None, limit: int
    ) -> Candidates:
        folder = self._folder()
        batches = self._batches.setdefault(space, Batches(lambda queries: self._answer(folder, space, queries)))
        return batches.answer(_Query(normalise(vector), collection, label, limit))

    def _answer(self, folder: VectorFolder, space: Space, queries: Sequence[_Query]) -> Sequence[Candidates]:
        """Answer queries together: the parts of one image mostly find the same rows, which are then read once."""
        while True:
            proposed = self._propose(folder, space, queries)
            wanted = np.unique(np.concatenate(proposed))
            with self._database.read() as connection:
                rows = _Stored.read(connection, wanted)
                if len(rows.ids) == len(wanted):
                    nearest = [rows.nearest(ids, query) for ids, query in zip(proposed, queries, strict=True)]
                    return _with_records(connection, queries, nearest, space.model)
            self._compaction.forget(folder, np.setdiff1d(wanted, rows.ids))

    def _folder(self) -> VectorFolder:
        with self._opening:
            if self.opened.done() and self.opened.exception() is not None:
                self._begin_opening()
            opened = self.opened
        try:
            return opened.result(WAIT_SECONDS)
        except TimeoutError as error:
            raise IndexNotReady(f"The vector index is still being built: {self._progress:.0%} is done.") from error

    def _propose(self, folder: VectorFolder, space: Space, queries: Sequence[_Query]) -> Sequence[Ids]:
        """Return for each query the ids of rows among which are the nearest."""
        self._follow(folder)
        file = folder.find(space)
        proposed = [np.empty(0, np.int64)] * len(queries)
        if file is None:
            return proposed
        alike: dict[tuple[Filter, int], list[int]] = {}
        for number, query in enumerate(queries):
            alike.setdefault((query.wanted, query.limit), []).append(number)
        for (wanted, limit), numbers in alike.items():
            vectors = np.stack([queries[number].vector for number in numbers])
            for number, ids in zip(numbers, file.nearest(vectors, wanted, limit), strict=True):
                proposed[number] = ids
        return proposed

    def _follow(self, folder: VectorFolder) -> None:
        """Add the rows that the table has and the files lack, and save the files now and then."""
        with self._changing, self._database.read() as connection:
            first, newest = folder.last_id, newest_id(connection)
            if newest == first:
                return
            for last_id, parts in read_after(connection, first):
                for part in parts:
                    file = folder.provide(part.space, _width(part.vectors))
                    added = part.rows["id"] > file.last_id  # unless an earlier attempt failed half-way
                    file.append(part.rows[added], part.vectors[added])
                    self._unsaved += int(added.sum())
                folder.last_id = last_id
                self._progress = (last_id - first) / (newest - first)
                if self._unsaved >= SAVE_ROWS:
                    self._save(folder)
                if self._closing:
                    return
            folder.last_id = newest

    def _save(self, folder: VectorFolder) -> None:
        self._unsaved = 0
        try:
            folder.save()
        except OSError as error:
            _log.warning("The vector index was not saved: %s. The next start reads what it lacks.", error)

    def _begin_opening(self) -> None:
        self.opened: Future[VectorFolder] = Future()
        self._opener = threading.Thread(target=self._open, args=(self.opened,), name="vector-index", daemon=True)
        self._opener.start()

    def _open(self, opened: Future[VectorFolder]) -> None:
        try:
            with ExitStack() as on_failure:
                folder = VectorFolder(self._path)
                on_failure.callback(folder.close)
                if not self._is_consistent(folder):
                    _log.warning("The vector index does not match the database and will be rebuilt.")
                    folder.clear()
                self._follow(folder)
                self._compaction.forget_all(folder)
                on_failure.pop_all()
            opened.set_result(folder)
        except (OSError, sqlite3.Error) as outage:
            _log.warning("The vector index cannot be opened, which the next search tries again: %s", outage)
            opened.set_exception(outage.with_traceback(None))  # which would keep the files open
        except BaseException as error:
            _log.exception("The vector index cannot be opened.")
            opened.set_exception(error)

    def _is_consistent(self, folder: VectorFolder) -> bool:
        """Return whether the files can have been written from this database, judging by some rows of each."""
        with self._database.read() as connection:
            if newest_id(connection) < folder.last_id:
                return False
            deleted = read_deletions(connection)
            for space, file in folder.items():
                places = np.linspace(0, len(file) - 1, min(SAMPLE, len(file)), dtype=int)
                ids = np.setdiff1d(file.ids[places], deleted)
                match read_rows(connection, ids):
                    case [found] if found.space == space and len(found.rows) == len(ids):
                        if not file.holds(found.rows, found.vectors):
                            return False
                    case _ if len(ids):
                        return False
        return True


def _width(vectors: Vectors) -> int:
    """Return the least width of a file that loses nothing of these vectors."""
    used = np.flatnonzero(vectors.any(axis=0))
    components = int(used[-1]) + 1 if len(used) else 1
    return -(-components // WIDTH_STEP) * WIDTH_STEP


@dataclass(frozen=True, slots=True)
class _Stored:
    """Rows of the table.

    Attributes:
        ids: ascending.
        vectors: float32, (N, D).
        lengths: float32, (N,), of the vectors.
    """

    ids: Ids
    image_ids: Sequence[str]
    vectors: Vectors
    lengths: Vectors

    @classmethod
    def read(cls, connection: sqlite3.Connection, ids: Ids) -> "_Stored":
        """Read those of the rows that exist; `ids` ascend."""
        rows = read_vectors(connection, ids)
        vectors = stack([blob for _, _, blob in rows])
        lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
        return cls(np.array([row[0] for row in rows], np.int64), [row[1] for row in rows], vectors, lengths)

    def nearest(self, ids: Ids, query: _Query) -> list[Nearest]:
        """Return the nearest of some rows; of equally near images, the oldest is the first."""
        at = np.searchsorted(self.ids, np.sort(ids))
        products = self.vectors[at] @ fit(query.vector[np.newaxis], self.vectors.shape[1])[0]
        lengths = self.lengths[at]
        cosines = np.clip(np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0), -1, 1)
        order = np.argsort(-cosines, kind="stable")[: query.limit]
        return [(self.image_ids[at[place]], float(cosines[place])) for place in order]


def _with_records(
    connection: sqlite3.Connection, queries: Sequence[_Query], nearest: Sequence[list[Nearest]], model: str
) -> list[Candidates]:
    """Return what each query found, with the records of the images that the model has described."""
    wanted: dict[str, set[str]] = {}
    for query, found in zip(queries, nearest, strict=True):
        wanted.setdefault(query.collection, set()).update(image_id for image_id, _ in found)
    records = {name: read_records(connection, ids, collection=name, model=model) for name, ids in wanted.items()}
    return [
        Candidates(
            [Candidate(held[image_id], cosine) for image_id, cosine in found if image_id in held], bytes_examined=None
        )
        for held, found in ((records[query.collection], found) for query, found in zip(queries, nearest, strict=True))
    ]
