"""A file of quantised vectors, memory-mapped, and the search for those nearest to a query.

A vector has one byte per component and a scale of its own: the value of the byte 1. Rounding moves a component by up to
half a scale, evenly distributed, so the cosine of two vectors of unit length, with the scales s and t, is off with a
standard deviation of sqrt((s^2 + t^2) / 12). A search returns all rows that may be among the nearest in view of that,
and the caller compares their exact vectors.
"""

import math
import mmap
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeVar

import numkong
import numpy as np
import numpy.typing as npt

from shared.embedded.disk import sync

ROW: Final = np.dtype(
    [("id", "<i8"), ("collection", "<u8"), ("label", "<u8"), ("scale", "<f4"), ("unused", "<u4")], align=True
)
"""What is kept of a vector beside its codes. `collection` and `label` are hashes of the names."""

DEVIATIONS: Final = 4
"""By how many standard deviations a cosine may be off. A row is missed if it and the last of the nearest are off by
twice as many together. docs/decisions/0022-an-index-of-bytes.md has the errors that were measured."""
SHORTLIST: Final = 4_000
"""Maximum number of rows that a search returns, should thousands be equally near."""
LEAST_CAPACITY: Final = 1_024
GROWTH: Final = 1.25

_LARGEST: Final = 127

Codes = npt.NDArray[np.int8]
Vectors = npt.NDArray[np.float32]
Rows = npt.NDArray[np.void]
Ids = npt.NDArray[np.int64]
Products = npt.NDArray[np.int32] | npt.NDArray[np.float64]
"""Whole numbers."""
Scalar = TypeVar("Scalar", np.int8, np.float32)


@dataclass(frozen=True, slots=True)
class Filter:
    """The hashes that a row must have: of its collection, and of its label (None: any)."""

    collection: int
    label: int | None


@dataclass(frozen=True, slots=True)
class _View:
    """The state of a file at one moment; rows from `count` on are not part of it.

    Attributes:
        codes: int8, (capacity, width).
        rows: ROW, (capacity,); the ids ascend.
        removed: bool, (capacity,).
    """

    codes: Codes
    rows: Rows
    removed: npt.NDArray[np.bool_]
    count: int

    @property
    def ids(self) -> Ids:
        ids: Ids = self.rows["id"][: self.count]
        return ids

    def places(self, wanted: Filter) -> npt.NDArray[np.intp]:
        """Return the numbers of the rows that a filter selects, ascending."""
        rows = self.rows[: self.count]
        selected = rows["collection"] == wanted.collection
        selected &= ~self.removed[: self.count]
        if wanted.label is not None:
            selected &= rows["label"] == wanted.label
        return np.flatnonzero(selected)


class VectorFile:
    """Two files, `<stem>.codes` and `<stem>.rows`, to which one thread appends while others search.

    Args:
        stem: the path of the files, without suffix; they are created if missing.
        width: number of components; all others of every vector are zero.
        count: number of rows that the files hold. Whatever follows them is overwritten.

    Raises:
        ValueError: the files hold fewer rows, or their ids do not ascend.
    """

    def __init__(self, stem: Path, width: int, count: int = 0) -> None:
        self.stem = stem
        self.width = width
        self.paths = stem.with_name(f"{stem.name}.codes"), stem.with_name(f"{stem.name}.rows")
        self._codes, self._rows = (os.open(path, os.O_RDWR | os.O_CREAT, 0o600) for path in self.paths)
        try:
            self._view = self._load(count)
        except BaseException:
            self.close()
            raise

    def __len__(self) -> int:
        """Return the number of rows, removed ones included."""
        return self._view.count

    @property
    def removed(self) -> int:
        """Return the number of removed rows."""
        return int(np.count_nonzero(self._view.removed))

    @property
    def ids(self) -> Ids:
        """Return the ids of all rows, ascending, removed ones included."""
        return self._view.ids

    @property
    def last_id(self) -> int:
        """Return the largest id, 0 if there are no rows."""
        return int(self._view.ids[-1]) if len(self) else 0

    def holds(self, rows: Rows, vectors: Vectors) -> bool:
        """Return whether rows whose ids the file has are in it as `append` would write them."""
        view = self._view
        places = np.searchsorted(view.ids, rows["id"])
        codes, _ = quantise(fit(vectors, self.width))
        same = [view.rows[name][places] == rows[name] for name in ("id", "collection", "label")]
        apart = np.abs(codes.astype(np.int16) - view.codes[places])
        return bool(np.all(same)) and int(apart.max(initial=0)) <= 1

    def append(self, rows: Rows, vectors: Vectors) -> None:
        """Append vectors; their ids must ascend and be larger than all before.

        Args:
            rows: ROW, (N,); `scale` is set here.
            vectors: float32, (N, D), each of unit length or zero, with zeros only from `width` on.
        """
        codes, rows["scale"] = quantise(vectors)
        self._append(rows, fit(codes, self.width))

    def remove(self, ids: Ids) -> None:
        """Leave these rows out of searches as long as the file is open; unknown ids are ignored."""
        view = self._view
        places = np.searchsorted(view.ids, ids)
        known = places < view.count
        places, ids = places[known], ids[known]
        view.removed[places[view.ids[places] == ids]] = True

    def nearest(self, queries: Vectors, wanted: Filter, limit: int) -> list[Ids]:
        """Return for each query the ids of some rows, in any order, that include the `limit` nearest ones.

        Args:
            queries: float32, (N, D), each of unit length or zero.
        """
        view = self._view
        places = view.places(wanted)
        if len(places) <= limit:
            return [view.ids[places]] * len(queries)
        codes, scales = quantise(fit(queries, self.width))
        products = _products(view.codes, places, codes)
        own_scales = view.rows["scale"][places]
        return [
            view.ids[places[_shortlist(products[:, number], own_scales, scale, limit)]]
            for number, scale in enumerate(scales)
        ]

    def compacted(self, stem: Path, width: int) -> "VectorFile":
        """Return a new file of the given width, at least this one's, without the removed rows."""
        view = self._view
        new = VectorFile(stem, width)
        kept = np.flatnonzero(~view.removed[: view.count])
        try:
            for start in range(0, len(kept), LEAST_CAPACITY):
                places = kept[start : start + LEAST_CAPACITY]
                new._append(view.rows[places], fit(view.codes[places], width))
        except BaseException:  # such as a full disk: what was written would take up the rest of it
            new.close()
            for path in new.paths:
                path.unlink(missing_ok=True)
            raise
        return new

    def sync(self) -> None:
        """Return when all rows are on the disk."""
        sync(self._codes)
        sync(self._rows)

    def close(self) -> None:
        """Close the files; searches that are under way still end."""
        os.close(self._codes)
        os.close(self._rows)

    def _load(self, count: int) -> _View:
        size = count * ROW.itemsize
        stored = os.pread(self._rows, size, 0)
        if len(stored) < size or os.fstat(self._codes).st_size < count * self.width:
            raise ValueError("a file of the vector index is truncated")
        capacity = max(LEAST_CAPACITY, count)
        rows = np.zeros(capacity, ROW)
        rows[:count] = np.frombuffer(stored, ROW)
        if (np.diff(rows["id"][:count]) <= 0).any():
            raise ValueError("the ids in a file of the vector index do not ascend")
        return _View(self._map(capacity), rows, np.zeros(capacity, np.bool_), count)

    def _append(self, rows: Rows, codes: Codes) -> None:
        view = self._with_capacity(self._view.count + len(rows))
        end = view.count + len(rows)
        _write(self._codes, codes.tobytes(), view.count * self.width)
        _write(self._rows, rows.tobytes(), view.count * ROW.itemsize)
        view.rows[view.count : end] = rows
        self._view = replace(view, count=end)

    def _with_capacity(self, needed: int) -> _View:
        view = self._view
        if needed <= len(view.rows):
            return view
        more = int(needed * GROWTH) - len(view.rows)
        rows = np.concatenate([view.rows, np.zeros(more, ROW)])
        removed = np.concatenate([view.removed, np.zeros(more, np.bool_)])
        return _View(self._map(len(rows)), rows, removed, view.count)

    def _map(self, capacity: int) -> Codes:
        """Return the codes as a read-only map, in which appear those that are written to the file later.

        The file is enlarged first, with a hole: what is beyond the end of a file cannot be mapped. Rows are not written
        through the map, because a full disk would then end the process by SIGBUS instead of raising OSError.
        """
        size = capacity * self.width
        if os.fstat(self._codes).st_size < size:
            os.ftruncate(self._codes, size)
        mapped = mmap.mmap(self._codes, size, access=mmap.ACCESS_READ)
        return np.frombuffer(mapped, np.int8).reshape(capacity, self.width)


def quantise(vectors: Vectors) -> tuple[Codes, Vectors]:
    """Return vectors (N, D) as int8 (N, D) and the float32 (N,) by which to multiply those, 0 for a zero vector."""
    largest = np.abs(vectors).max(axis=1, initial=0)
    scales = largest / np.float32(_LARGEST)
    inverse = np.divide(1, scales, out=np.zeros_like(scales), where=scales > 0)
    return np.rint(vectors * inverse[:, np.newaxis]).astype(np.int8), scales


def fit(values: npt.NDArray[Scalar], width: int) -> npt.NDArray[Scalar]:
    """Return values (N, D) as C-contiguous (N, width): cut, or filled up with zeros."""
    out = np.zeros((len(values), width), values.dtype)
    common = min(width, values.shape[1])
    out[:, :common] = values[:, :common]
    return out


def _write(file: int, data: bytes, offset: int) -> None:
    rest = memoryview(data)
    while rest:
        written = os.pwrite(file, rest, offset)
        offset, rest = offset + written, rest[written:]


def _products(stored: Codes, places: npt.NDArray[np.intp], queries: Codes) -> Products:
    """Return the dot products (places, queries), in one pass over the rows.

    Rows between the first and the last place are multiplied where they are, even if up to half of them are not wanted,
    because copying rows takes about as long as multiplying them.
    """
    first, end = int(places[0]), int(places[-1]) + 1
    if end - first > 2 * len(places):
        return _dots(stored[places], queries)
    products = _dots(stored[first:end], queries)
    return products if len(places) == end - first else products[places - first]


def _dots(stored: Codes, queries: Codes) -> Products:
    """Return the dot products (rows, queries). Of one query, `cdist` takes 0.6 times as long as `dots_packed`."""
    if len(queries) == 1:
        return np.asarray(numkong.cdist(stored, queries, "dot"))
    return np.asarray(numkong.dots_packed(stored, numkong.dots_pack(queries)))


def _shortlist(products: Products, scales: Vectors, query_scale: np.float32, limit: int) -> npt.NDArray[np.intp]:
    """Return the places of all products that may be among the `limit` largest cosines, at most `SHORTLIST`.

    Most rows are dismissed by the largest error of any row, the others by their own.
    """
    cosines = products.astype(np.float32) * (scales * query_scale)
    least = float(np.partition(cosines, -limit)[-limit]) - 2 * float(_errors(scales.max(keepdims=True), query_scale)[0])
    places = np.flatnonzero(cosines >= least)
    cosines, errors = cosines[places], _errors(scales[places], query_scale)
    near = cosines + errors >= np.partition(cosines - errors, -limit)[-limit]
    cosines, places = cosines[near], places[near]
    most = max(SHORTLIST, limit)
    if len(places) > most:
        places = places[np.argpartition(cosines, -most)[-most:]]
    return np.asarray(places)


def _errors(scales: Vectors, query_scale: np.float32) -> Vectors:
    """Return by how much cosines may be off."""
    errors: Vectors = np.sqrt(scales**2 + query_scale**2) * np.float32(DEVIATIONS / math.sqrt(12))
    return errors
