"""Data folders of the local run, filled with photographs and made images without describing those."""

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from bench.embedded_scale.made import COLLECTION, Photograph, Photographs, made_images
from infra.local.data_folder import DataFolder
from shared.domain.images import ImageRecord, IndexedImage, ObjectRef, signature_key
from shared.embedded.catalogue import EmbeddedCatalogue
from shared.embedded.database import Database
from shared.embedded.migrations import open_database
from shared.embedded.vectors import VectorIndex

AT_ONCE: Final = 100
"""Records in a transaction, after each of which there is a search, as ingest looks for near-duplicates."""


@contextmanager
def opened(folder: DataFolder) -> Iterator[tuple[Database, VectorIndex]]:
    """Yield the database and the index of a folder, once the index is open."""
    database = open_database(folder.database)
    index = VectorIndex(folder.vectors, database)
    try:
        index.opened.result()
        yield database, index
    finally:
        index.close()
        database.close()


def fill(folder: DataFolder, photographs: Photographs, size: int) -> float:
    """Store the photographs that are to be stored, and made images up to `size`; return the seconds that this took.

    The signature of a made image is a link to that of a photograph. Neither this nor mixing vectors is counted.
    """
    folder.path.mkdir(parents=True)
    taken = 0.0
    stored = ((photograph.image, photograph) for photograph in photographs.stored)
    images = chain(stored, made_images(photographs.mixed, size - len(photographs.stored)))
    with opened(folder) as (database, index):
        while part := list(islice(images, AT_ONCE)):
            started = time.perf_counter()
            _store(database, index, [image for image, _ in part])
            taken += time.perf_counter() - started
            _link_signatures(folder, part)
    return taken


def _store(database: Database, index: VectorIndex, images: list[IndexedImage]) -> None:
    catalogue = EmbeddedCatalogue(database, index)
    with database.transaction():
        for image in images:
            catalogue.add(image, ObjectRef("local", f"made/{image.record.image_id}"))
    last = images[-1]
    found = index.nearest(last.features, collection=COLLECTION, model=last.record.model, label=None, limit=7)
    if not found.found:
        raise SystemExit("an image was not found right after it was stored")


def _link_signatures(folder: DataFolder, part: Iterable[tuple[IndexedImage, Photograph]]) -> None:
    for image, photograph in part:
        own = signature_file(folder, photograph.image.record)
        if not own.exists():
            own.parent.mkdir(parents=True, exist_ok=True)
            own.write_bytes(photograph.signature)
        path = signature_file(folder, image.record)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            os.link(own, path)


def signature_file(folder: DataFolder, record: ImageRecord) -> Path:
    """Return the file of a signature, where `shared.embedded.objects` keeps it."""
    *folders, name = signature_key(record.model, record.image_id).split("/")
    return folder.objects.joinpath(*folders, name[:2], name)


def stored_vectors(folder: DataFolder, kind: str) -> tuple[list[str], npt.NDArray[np.float32]]:
    """Return the image ids and the vectors of a kind, float32 (N, D), as the database has them."""
    database = open_database(folder.database)
    with database.read() as connection:
        rows = connection.execute("SELECT image_id, vector FROM vectors WHERE kind = ? ORDER BY id", (kind,))
        ids, blobs = zip(*rows, strict=True)
    database.close()
    return list(ids), np.frombuffer(b"".join(blobs), "<f4").reshape(len(ids), -1)
