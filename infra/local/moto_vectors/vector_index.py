"""An exact in-memory nearest-neighbour index with partitions, inline filters and f32 vectors.

It is independent of DynamoDB's wire format and of moto; `patches` connects them.
"""

import threading
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from infra.local.moto_vectors.conditions import Column, Condition, Value

Vector = npt.NDArray[np.float32]
"""Shape (dimensions,), float32: the precision in which the service stores and compares vectors."""

_FIRST_CAPACITY: Final = 64
_ABSENT: Final = -1
_BLOCK: Final = 1024
_MAX_SCORE: Final = float(np.finfo(np.float32).max)
_MARGIN: Final = 32
"""How many more than `top_k` candidates are scored again in f64, so that f32 rounding does not change the order."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What an index stores of one item.

    Attributes:
        vector: shape (dimensions,), float32, finite.
        partition: the HASH value; the same for all items if the index has no HASH.
        filters: one value for each inline filter of the index, in its order; None if the item has no value.
        item: what a search returns.
    """

    vector: Vector
    partition: Hashable
    filters: Sequence[Value | None]
    item: Any


@dataclass(frozen=True, slots=True)
class Hit:
    """An item found, the index's copy of its vector, and its score (see `VectorIndex.search`)."""

    item: Any
    vector: Vector
    score: float


@dataclass
class _Partition:
    """The rows of one matrix, which grows by doubling; the last row replaces a deleted one."""

    vectors: npt.NDArray[np.float32]
    norms: npt.NDArray[np.float64]
    codes: npt.NDArray[np.int32]
    keys: list[Hashable] = field(default_factory=list)
    items: list[Any] = field(default_factory=list)
    rows: dict[Hashable, int] = field(default_factory=dict)

    @classmethod
    def empty(cls, dimensions: int, filters: int) -> "_Partition":
        return cls(
            np.zeros((_FIRST_CAPACITY, dimensions), np.float32),
            np.zeros(_FIRST_CAPACITY),
            np.full((_FIRST_CAPACITY, filters), _ABSENT, np.int32),
        )

    def append(self, key: Hashable, entry: Entry, codes: Sequence[int]) -> None:
        row = len(self.keys)
        if row == len(self.vectors):
            self.vectors, self.norms, self.codes = (
                np.concatenate([array, np.zeros_like(array)]) for array in (self.vectors, self.norms, self.codes)
            )
        self.vectors[row], self.codes[row] = entry.vector, codes
        self.norms[row] = np.linalg.norm(entry.vector.astype(np.float64))
        self.keys.append(key)
        self.items.append(entry.item)
        self.rows[key] = row

    def remove(self, key: Hashable) -> None:
        row, last = self.rows.pop(key), len(self.keys) - 1
        if row != last:
            for array in (self.vectors, self.norms, self.codes):
                array[row] = array[last]
            self.keys[row], self.items[row] = self.keys[last], self.items[last]
            self.rows[self.keys[row]] = row
        self.keys.pop()
        self.items.pop()


class VectorIndex:
    """One vector index, safe to write and search from many threads."""

    def __init__(self, *, dimensions: int, distance: str, filters: Sequence[str]) -> None:
        """
        Args:
            distance: COSINE, EUCLIDEAN or DOT_PRODUCT.
            filters: names of the inline filters.
        """
        self._dimensions = dimensions
        self._distance = distance
        self._columns = {name: column for column, name in enumerate(filters)}
        self._partitions: dict[Hashable, _Partition] = {}
        self._partition_of: dict[Hashable, Hashable] = {}
        self._codes: dict[Value, int] = {}
        self._values: list[Value] = []
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._partition_of)

    @property
    def size_bytes(self) -> int:
        """Size of all vectors in bytes."""
        return len(self) * self._dimensions * 4

    def put(self, key: Hashable, entry: Entry | None) -> None:
        """Set the entry of a key; None removes the key from the index."""
        with self._lock:
            self._remove(key)
            if entry is None:
                return
            partition = self._partitions.get(entry.partition)
            if partition is None:
                partition = _Partition.empty(self._dimensions, len(self._columns))
                self._partitions[entry.partition] = partition
            partition.append(key, entry, [_ABSENT if value is None else self._code(value) for value in entry.filters])
            self._partition_of[key] = entry.partition

    def _code(self, value: Value) -> int:
        if value not in self._codes:
            self._codes[value] = len(self._values)
            self._values.append(value)
        return self._codes[value]

    def _remove(self, key: Hashable) -> None:
        if key not in self._partition_of:
            return
        name = self._partition_of.pop(key)
        partition = self._partitions[name]
        partition.remove(key)
        if not partition.keys:
            del self._partitions[name]

    def search(
        self, query: Vector, partition: Hashable, condition: Condition | None, top_k: int
    ) -> tuple[list[Hit], int]:
        """Search a partition for the items most similar to a query that fulfil a condition on the inline filters.

        Scores are cosine distances (0 to 2; 1 where a vector is zero), Euclidean distances, or dot products (higher is
        more similar): computed in f64 from f32 vectors, rounded to f32 and kept in its range.

        Returns:
            The hits, most similar first, and the size in bytes of the vectors that were compared.
        """
        with self._lock:
            found = self._partitions.get(partition)
            if found is None:
                return [], 0
            rows = self._matching(found, condition)
            whole = len(rows) == len(found.keys)
            vectors = found.vectors[: len(rows)] if whole else found.vectors[rows]
            rank = _rank(self._distance, vectors, found.norms[rows], query)
            if len(rows) > top_k + _MARGIN:
                near = np.argpartition(rank, top_k + _MARGIN)[: top_k + _MARGIN]
            else:
                near = np.arange(len(rows))
            scores = _scores(self._distance, vectors[near], query)
            best = np.argsort(-scores if self._distance == "DOT_PRODUCT" else scores, kind="stable")[:top_k]
            narrow = np.clip(scores[best], -_MAX_SCORE, _MAX_SCORE).astype(np.float32)
            hits = [
                Hit(found.items[rows[near[at]]], vectors[near[at]].copy(), float(score))
                for at, score in zip(best, narrow, strict=True)
            ]
        return hits, len(rows) * self._dimensions * 4

    def _matching(self, found: _Partition, condition: Condition | None) -> npt.NDArray[np.intp]:
        count = len(found.keys)
        if condition is None:
            return np.arange(count)

        def column(name: str) -> Column:
            return Column(found.codes[:count, self._columns[name]], self._values)

        return np.flatnonzero(condition.mask(column))


def _rank(
    distance: str, vectors: npt.NDArray[np.float32], norms: npt.NDArray[np.float64], query: Vector
) -> npt.NDArray[np.floating]:
    """Return a number for each row of `vectors`, lower for more similar: fast, with the rounding of f32."""
    compare = _squared_distances if distance == "EUCLIDEAN" else np.matmul
    with np.errstate(over="ignore", invalid="ignore"):
        compared: npt.NDArray[np.floating] = compare(vectors, query)
    if not np.isfinite(compared).all():
        compared = compare(vectors.astype(np.float64), query.astype(np.float64))
    if distance == "EUCLIDEAN":
        return compared
    if distance == "DOT_PRODUCT":
        return -compared
    cosines: npt.NDArray[np.float64] = np.divide(compared, norms, out=np.zeros(len(compared)), where=norms > 0)
    return -cosines


def _squared_distances(vectors: npt.NDArray[Any], query: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return squared distances, in blocks: a difference array as large as the index would take longer to create."""
    squares = np.empty(len(vectors), vectors.dtype)
    for start in range(0, len(vectors), _BLOCK):
        apart = vectors[start : start + _BLOCK] - query
        np.einsum("ij,ij->i", apart, apart, out=squares[start : start + _BLOCK])
    return squares


def _scores(distance: str, vectors: npt.NDArray[np.float32], query: Vector) -> npt.NDArray[np.float64]:
    wide, wide_query = vectors.astype(np.float64), query.astype(np.float64)
    scores: npt.NDArray[np.float64]
    if distance == "EUCLIDEAN":
        scores = np.linalg.norm(wide - wide_query, axis=1)
    elif distance == "DOT_PRODUCT":
        scores = wide @ wide_query
    else:
        lengths = np.linalg.norm(wide, axis=1) * np.linalg.norm(wide_query)
        scores = 1 - np.divide(wide @ wide_query, lengths, out=np.zeros(len(wide)), where=lengths > 0)
        scores[(lengths > 0) & (vectors == query).all(axis=1)] = 0
        scores = np.clip(scores, 0, 2)
    return scores
