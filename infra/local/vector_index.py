"""An exact vector index in memory, as DynamoDB describes its own: partitions, equality filters, f32 vectors."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

AttributeValue = Mapping[str, Any]
"""DynamoDB's notation, `{"S": "text"}`."""

Item = Mapping[str, AttributeValue]
Vectors = npt.NDArray[np.float32]

MAX_DIMENSIONS: Final = 4096
_FIRST_CAPACITY: Final = 64
_ABSENT: Final = -1


def vector_of(value: AttributeValue | None) -> Vectors | None:
    """The numbers of a list attribute as float32, or None if it is no list of numbers."""
    entries = value.get("L") if value else None
    if not isinstance(entries, list):
        return None
    try:
        return np.array([float(entry["N"]) for entry in entries], dtype=np.float32)
    except (KeyError, TypeError, ValueError):
        return None


def scalar_of(value: AttributeValue | None) -> tuple[str, str] | None:
    """A string, number or binary attribute as something that can be compared, or None."""
    if not value:
        return None
    kind, content = next(iter(value.items()))
    return (kind, str(content)) if kind in {"S", "N", "B"} else None


@dataclass(frozen=True, slots=True)
class Definition:
    """A vector index as CreateTable gives it."""

    name: str
    attribute: str
    dimensions: int
    distance: str
    hash_key: str | None
    filters: Sequence[str]
    projection: Mapping[str, Any]
    described: Mapping[str, Any]

    def projected(self, table_keys: Sequence[str]) -> set[str] | None:
        """The attributes that the index holds; None for all of them."""
        kind = self.projection.get("ProjectionType", "ALL")
        if kind == "ALL":
            return None
        schema = {*table_keys, *self.filters, *([self.hash_key] if self.hash_key else [])}
        return schema | set(self.projection.get("NonKeyAttributes") or []) if kind == "INCLUDE" else schema


@dataclass
class _Partition:
    """The vectors of one HASH value: rows of one matrix, a code a row for every filter."""

    vectors: Vectors
    norms: npt.NDArray[np.float32]
    codes: npt.NDArray[np.int32]
    keys: list[Any] = field(default_factory=list)
    rows: dict[Any, int] = field(default_factory=dict)

    def reserve(self, count: int) -> None:
        have = len(self.vectors)
        if count <= have:
            return
        more = max(count, 2 * have) - have
        self.vectors = np.concatenate([self.vectors, np.zeros((more, self.vectors.shape[1]), np.float32)])
        self.norms = np.concatenate([self.norms, np.zeros(more, np.float32)])
        self.codes = np.concatenate([self.codes, np.full((more, self.codes.shape[1]), _ABSENT, np.int32)])


@dataclass(frozen=True, slots=True)
class Hit:
    """A found item's key and its score, whose meaning depends on the distance function."""

    key: Any
    score: float


class VectorIndex:
    """One vector index. Writers and searchers may come from many threads.

    Items without a vector of the right dimensions, or without the HASH attribute, are left out.
    """

    def __init__(self, definition: Definition) -> None:
        self.definition = definition
        self._partitions: dict[Any, _Partition] = {}
        self._home: dict[Any, Any] = {}
        self._codes: dict[tuple[int, tuple[str, str]], int] = {}
        self._lock = threading.Lock()

    def __deepcopy__(self, memo: dict[int, Any]) -> "VectorIndex":
        """A lock cannot be copied; the numbers are, so that a transaction can be rolled back."""
        import copy

        twin = VectorIndex(self.definition)
        with self._lock:
            twin._partitions = copy.deepcopy(self._partitions, memo)
            twin._home, twin._codes = dict(self._home), dict(self._codes)
        return twin

    def __len__(self) -> int:
        return len(self._home)

    @property
    def size_bytes(self) -> int:
        return len(self) * self.definition.dimensions * 4

    def put(self, key: Any, item: Item) -> None:
        """Index an item under its table key, replacing what was there."""
        wanted = self.definition
        vector = vector_of(item.get(wanted.attribute))
        hash_value = scalar_of(item.get(wanted.hash_key)) if wanted.hash_key else ()
        with self._lock:
            self._remove(key)
            if vector is None or len(vector) != wanted.dimensions or hash_value is None:
                return
            partition = self._partitions.get(hash_value)
            if partition is None:
                partition = self._partitions[hash_value] = _Partition(
                    np.zeros((_FIRST_CAPACITY, wanted.dimensions), np.float32),
                    np.zeros(_FIRST_CAPACITY, np.float32),
                    np.full((_FIRST_CAPACITY, len(wanted.filters)), _ABSENT, np.int32),
                )
            row = len(partition.keys)
            partition.reserve(row + 1)
            partition.vectors[row] = vector
            partition.norms[row] = np.linalg.norm(vector)
            for column, name in enumerate(wanted.filters):
                value = scalar_of(item.get(name))
                partition.codes[row, column] = _ABSENT if value is None else self._code(column, value)
            partition.keys.append(key)
            partition.rows[key] = row
            self._home[key] = hash_value

    def delete(self, key: Any) -> None:
        with self._lock:
            self._remove(key)

    def _code(self, column: int, value: tuple[str, str]) -> int:
        return self._codes.setdefault((column, value), len(self._codes))

    def _remove(self, key: Any) -> None:
        if key not in self._home:
            return
        partition = self._partitions[self._home.pop(key)]
        row, last = partition.rows.pop(key), len(partition.keys) - 1
        if row != last:
            for array in (partition.vectors, partition.norms, partition.codes):
                array[row] = array[last]
            partition.keys[row] = partition.keys[last]
            partition.rows[partition.keys[row]] = row
        partition.keys.pop()

    def search(
        self, query: Vectors, hash_value: Any, filters: Mapping[str, tuple[str, str]], top_k: int
    ) -> tuple[list[Hit], int]:
        """The nearest items, most similar first, and the bytes of vectors that were examined."""
        wanted = self.definition
        with self._lock:
            partition = self._partitions.get(hash_value if wanted.hash_key else ())
            if partition is None or not partition.keys:
                return [], 0
            count = len(partition.keys)
            chosen = np.ones(count, dtype=bool)
            for name, value in filters.items():
                column = list(wanted.filters).index(name)
                chosen &= partition.codes[:count, column] == self._codes.get((column, value), _ABSENT - 1)
            rows = np.flatnonzero(chosen)
            vectors = partition.vectors[:count] if len(rows) == count else partition.vectors[rows]
            scores = _scores(wanted.distance, vectors, partition.norms[rows], query)
            order = scores if wanted.distance != "DOT_PRODUCT" else -scores
            if len(rows) > top_k:
                nearest = np.argpartition(order, top_k - 1)[:top_k]
                nearest = nearest[np.argsort(order[nearest], kind="stable")]
            else:
                nearest = np.argsort(order, kind="stable")
            hits = [Hit(partition.keys[rows[at]], float(scores[at])) for at in nearest]
        return hits, len(rows) * wanted.dimensions * 4


def _scores(distance: str, vectors: Vectors, norms: npt.NDArray[np.float32], query: Vectors) -> Vectors:
    if distance == "EUCLIDEAN":
        lengths_apart: Vectors = np.linalg.norm(vectors - query, axis=1).astype(np.float32)
        return lengths_apart
    products: Vectors = vectors @ query
    if distance == "DOT_PRODUCT":
        return products
    lengths = norms * np.linalg.norm(query)
    cosines = np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0)
    distances: Vectors = np.clip(1 - cosines, 0, 2).astype(np.float32)
    return distances
