"""Made records: vectors and signatures of photographs, mixed so that they lie as the vectors of many photographs do."""

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np

from bench.embedded_scale.mixing import mixture
from bench.speed.images import recompressed
from shared.domain.features import FeatureVector
from shared.domain.images import IndexedImage
from shared.domain.ledger import ImageKey
from shared.search.description import describe
from shared.vision import signature
from shared.vision.embedding import Embedder

COLLECTION: Final = "default"
SHARED: Final = 3
"""Every so many photographs is stored as itself, and another one is never stored: its search finds nothing near."""


@dataclass(frozen=True, slots=True)
class Photograph:
    """A described photograph, with the bytes of its signature and of a recompressed copy of half its size."""

    image: IndexedImage
    signature: bytes
    copy: bytes


@dataclass(frozen=True, slots=True)
class Photographs:
    """Photographs by their use: `stored` as themselves, `unknown` to the collection, and `mixed` into made images."""

    stored: Sequence[Photograph]
    unknown: Sequence[Photograph]
    mixed: Sequence[Photograph]


def described(folder: Path, count: int, model_dir: Path) -> Photographs:
    """Describe the first photographs of a folder."""
    embedder = Embedder(model_dir)
    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(lambda path: _describe(path, embedder), sorted(folder.glob("*.jpg"))[:count]))
    return Photographs(found[::SHARED], found[1::SHARED], found[2::SHARED])


def _describe(path: Path, embedder: Embedder) -> Photograph:
    data = path.read_bytes()
    image_key = ImageKey(COLLECTION, hashlib.sha256(data).hexdigest())
    found = describe(data, image_key, embedder, created_at=_created_at(0), filename=path.name)
    return Photograph(found.indexed(), signature.pack(found.signature), recompressed(data))


def made_images(photographs: Sequence[Photograph], count: int) -> Iterator[tuple[IndexedImage, Photograph]]:
    """Yield made images, each with the photograph whose signature it has."""
    usable = [photograph for photograph in photographs if photograph.image.local_features is not None]
    features = np.stack([photograph.image.features for photograph in usable])
    locals_ = np.stack([_local(photograph.image) for photograph in usable])
    for number in range(count):
        mixed = mixture(number, len(usable))
        parent = usable[mixed.parts[0]]
        record = replace(
            parent.image.record,
            image_id=hashlib.sha256(f"made {number}".encode()).hexdigest(),
            created_at=_created_at(number),
            filename=f"made-{number}.jpg",
        )
        yield IndexedImage(record, mixed.of(features), mixed.of(locals_)), parent


def _local(image: IndexedImage) -> FeatureVector:
    if image.local_features is None:
        raise ValueError("the photograph has no keypoints")
    return image.local_features


def _created_at(number: int) -> str:
    return (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=number)).isoformat(timespec="microseconds")
