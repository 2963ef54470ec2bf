"""A folder of images as a collection in memory, searched by the same code as in the cloud."""

import hashlib
from collections.abc import Collection as Ids
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from shared.domain.annotations import Annotations
from shared.domain.errors import PictureRefused
from shared.domain.features import LOCAL_SCALE, FeatureVector, LocalVector, normalise
from shared.domain.images import ImageRecord, signature_key
from shared.domain.ledger import ImageKey
from shared.domain.ports.indexes import Candidate, Candidates
from shared.search.description import Description, describe
from shared.search.searcher import Searcher
from shared.vision import signature
from shared.vision.embedding import Embedder

SEED: Final = 20261121
NAME: Final = "bench"
BYTES: Final = 4
"""Bytes per vector component, as the service counts them."""


@dataclass(frozen=True, slots=True)
class Original:
    """A stored image. Images of one group show the same thing; each is a correct answer to copies of the others."""

    path: Path
    group: str
    described: Description

    @property
    def image_id(self) -> str:
        return self.described.record.image_id


@dataclass
class Memory:
    """An in-memory catalogue, with the signatures that a search needs."""

    originals: Sequence[Original]
    model: str
    _kept: dict[str, bytes] = field(init=False)
    _features: npt.NDArray[np.float32] = field(init=False)
    _local: npt.NDArray[np.float32] = field(init=False)
    _with_local: list[Original] = field(init=False)

    def __post_init__(self) -> None:
        self._kept = {self._key(one): signature.pack(one.described.signature) for one in self.originals}
        self._features = np.array([one.described.features for one in self.originals])
        local = [(one, one.described.local_features) for one in self.originals]
        self._with_local = [one for one, vector in local if vector is not None]
        self._local = np.array([_as_stored(vector) for _, vector in local if vector is not None])

    def add(self, one: Original) -> None:
        """Add an image, which every later search can find."""
        self._kept[self._key(one)] = signature.pack(one.described.signature)
        self.originals = [*self.originals, one]
        self._features = np.vstack([self._features, one.described.features])
        if one.described.local_features is not None:
            self._with_local.append(one)
            self._local = np.vstack([self._local, _as_stored(one.described.local_features)])

    def _key(self, one: Original) -> str:
        return signature_key(self.model, one.image_id)

    def nearest(self, features: FeatureVector, *, limit: int, **_: Any) -> Candidates:
        return self._first(self._features, features, self.originals, limit)

    def nearest_local(self, local: LocalVector, *, limit: int, **_: Any) -> Candidates:
        return self._first(self._local, local, self._with_local, limit)

    def features(self, image_id: str, *_: Any) -> FeatureVector:
        return next(one.described.features for one in self.originals if one.image_id == image_id)

    def find(self, image_id: str, _: str | None = None) -> ImageRecord | None:
        return next((one.described.record for one in self.originals if one.image_id == image_id), None)

    def with_pixels(self, pixels_hash: str, *, limit: int, **_: Any) -> list[ImageRecord]:
        same = [one for one in self.originals if one.described.signature.pixels_hash.hex() == pixels_hash]
        return [one.described.record for one in same[:limit]]

    def existing(self, image_ids: Ids[str], collection: str) -> dict[str, Annotations]:  # noqa: ARG002 - the port's
        return dict.fromkeys(image_ids, Annotations())

    def get(self, key: str) -> bytes | None:
        return self._kept.get(key)

    def searcher(self, embedder: Embedder) -> Searcher:
        return Searcher(index=self, signatures=self, embedder=lambda: embedder, model=self.model)

    @staticmethod
    def _first(
        stored: npt.NDArray[np.float32], query: npt.NDArray[np.float32], of: Sequence[Original], limit: int
    ) -> Candidates:
        scores = stored @ query
        order = np.argsort(-scores, kind="stable")[:limit]
        found = [Candidate(of[place].described.record, float(scores[place])) for place in order]
        return Candidates(found, bytes_examined=stored.size * BYTES)


def _as_stored(local: LocalVector) -> LocalVector:
    """Return the vector rounded to integers, as the table stores it."""
    return normalise(np.rint(local * LOCAL_SCALE))


def images(folder: Path) -> list[tuple[Path, str]]:
    """Return files with their groups, in an order drawn from `SEED`: the first are queries, the last are for fits.

    Each sub-folder is a group; so is each image that lies in `folder` itself.
    """
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    found = [(path, path.stem if path.parent == folder else str(path.parent.relative_to(folder))) for path in paths]
    return [found[place] for place in np.random.default_rng(SEED).permutation(len(found))]


def key_of(data: bytes) -> ImageKey:
    """Return the key of an image in the benchmark's collection."""
    return ImageKey(NAME, hashlib.sha256(data).hexdigest())


def described(path: Path, group: str, embedder: Embedder) -> Original:
    """Describe the image in a file.

    Raises:
        PictureRefused: the file is not an image.
    """
    data = path.read_bytes()
    return Original(path, group, describe(data, key_of(data), embedder, created_at="", filename=path.name))


def indexed(chosen: Sequence[tuple[Path, str]], embedder: Embedder) -> list[Original]:
    """Describe the files in their order, without repeated bytes and files that are refused."""
    found: dict[str, Original] = {}
    for path, group in tqdm(chosen, desc="indexing", unit="image"):
        try:
            one = described(path, group, embedder)
        except PictureRefused:
            continue
        found.setdefault(one.image_id, one)
    return list(found.values())
