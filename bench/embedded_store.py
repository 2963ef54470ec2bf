"""What the embedded store costs: writes of an image, reads among many, memory and disk. Run with `--help`."""

import argparse
import hashlib
import os
import resource
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import numpy as np

from shared.domain.features import FEATURE_DIMENSIONS, LOCAL_DIMENSIONS, normalise
from shared.domain.filters import EVERYTHING, ImageFilter
from shared.domain.images import ImageRecord, IndexedImage, Label, ObjectRef, Upload, UploadStatus, upload_key
from shared.domain.ledger import ImageKey, ObjectState, ObjectStatus
from shared.embedded.catalogue import EmbeddedCatalogue
from shared.embedded.database import Database
from shared.embedded.ledger import EmbeddedLedger
from shared.embedded.migrations import MIGRATIONS
from shared.embedded.uploads import EmbeddedUploads

COLLECTION: Final = "album"
LABELS: Final = [f"class {number}" for number in range(1000)]
READS: Final = 500


class Store:
    """The adapters over one database, and what ingest does to it for one image."""

    def __init__(self, path: Path) -> None:
        self.database = Database(path, MIGRATIONS)
        search: Any = None  # nothing is searched for
        self.catalogue = EmbeddedCatalogue(self.database, search)
        self.ledger = EmbeddedLedger(self.database)
        self.uploads = EmbeddedUploads(self.database)

    def ingest(self, image: IndexedImage, number: int) -> None:
        """Read and write what storing one uploaded image reads and writes, in the order of the use cases."""
        upload_id = f"{number:032x}"
        source = ObjectRef("local", upload_key(COLLECTION, upload_id))
        key = ImageKey(COLLECTION, image.record.image_id)
        self.uploads.open(Upload(upload_id, COLLECTION, UploadStatus.PENDING, filename=image.record.filename), source)
        before = self.ledger.find(source)
        self.uploads.find(upload_id)
        self.catalogue.is_first_source(key, ["m"], source)
        self.ledger.change(before, ObjectState(source, ObjectStatus.HELD, key, etag="0" * 32))
        self.catalogue.add(image, source)
        self.ledger.find(source)
        self.uploads.finish(Upload(upload_id, COLLECTION, UploadStatus.INDEXED, image_id=key.image_id))

    def delete(self, key: ImageKey) -> None:
        self.catalogue.delete_record(key)
        for _, source in self.catalogue.occurrences(key.image_id).sources:
            state = self.ledger.find(source)
            if state:
                self.ledger.change(state, ObjectState(source, ObjectStatus.REMOVED, key))


def made_images(rng: np.random.Generator, start: int, count: int) -> Iterator[IndexedImage]:
    """Yield made images: random vectors, one to three of a thousand labels."""
    for number in range(start, start + count):
        labels = rng.choice(len(LABELS), rng.integers(1, 4), replace=False)
        record = ImageRecord(
            collection=COLLECTION,
            image_id=hashlib.sha256(str(number).encode()).hexdigest(),
            model="m",
            width=4000,
            height=3000,
            format="jpeg",
            bytes=int(rng.integers(100_000, 10_000_000)),
            phash=f"{number:016x}",
            created_at=f"2026-01-01T00:00:00.{number:06}+00:00",
            labels=tuple(Label(LABELS[label], 0.5) for label in labels),
            filename=f"IMG_{number:06}.jpg",
        )
        yield IndexedImage(
            record,
            normalise(np.abs(rng.standard_normal(FEATURE_DIMENSIONS, np.float32))),
            normalise(rng.standard_normal(LOCAL_DIMENSIONS, np.float32)),
        )


def timed(call: Callable[[], object], repeat: int) -> list[float]:
    """Return the wall-clock times of a call in milliseconds, shortest first."""
    times = []
    for _ in range(repeat):
        begun = time.perf_counter()
        call()
        times.append((time.perf_counter() - begun) * 1000)
    return sorted(times)


def row(name: str, times: Sequence[float]) -> str:
    return f"| {name} | {statistics.median(times):.2f} | {times[int(0.95 * len(times))]:.2f} |"


def read_rows(store: Store, count: int, rng: np.random.Generator) -> Iterator[str]:
    catalogue = store.catalogue

    def image_id() -> str:
        return hashlib.sha256(str(rng.integers(count)).encode()).hexdigest()

    def page(wanted: ImageFilter) -> Callable[[], object]:
        return lambda: catalogue.page(COLLECTION, wanted=wanted, limit=24, cursor=None)

    dogs = frozenset(LABELS[:118])
    for name, call in (
        ("record with its sources", lambda: catalogue.find(image_id(), COLLECTION)),
        ("features", lambda: catalogue.features(image_id(), COLLECTION, "m")),
        ("which of 50 images exist", lambda: catalogue.existing([image_id() for _ in range(50)], COLLECTION)),
        ("count", lambda: catalogue.count(COLLECTION)),
        ("page of 24", page(EVERYTHING)),
        ("page of one label", page(ImageFilter(labels=frozenset(LABELS[:1])))),
        ("page of 118 labels", page(ImageFilter(labels=dogs))),
    ):
        yield row(name, timed(call, READS))
    yield row("page by a file name that no image has", timed(page(ImageFilter(filename="absent")), 10))


@contextmanager
def no_waits() -> Iterator[None]:
    """Do not wait for the disk, so that a store is filled in minutes."""
    with patch("shared.embedded.database.sync", lambda _: None):
        yield


def write(store: Store, images: Iterable[IndexedImage], start: int, threads: int) -> tuple[list[float], float, float]:
    """Write images; return the times of each, sorted, of all, and of the processor for all, in milliseconds."""

    def ingest(numbered: tuple[int, IndexedImage]) -> tuple[float, float]:
        begun, busy = time.perf_counter(), time.thread_time()
        store.ingest(numbered[1], numbered[0])
        return (time.perf_counter() - begun) * 1000, (time.thread_time() - busy) * 1000

    numbered = enumerate(images, start)
    if threads == 1:
        each = [ingest(one) for one in numbered]
        return sorted(wall for wall, _ in each), sum(wall for wall, _ in each), sum(busy for _, busy in each)
    held = list(numbered)
    begun = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        each = list(pool.map(ingest, held))
    return sorted(wall for wall, _ in each), (time.perf_counter() - begun) * 1000, sum(busy for _, busy in each)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.embedded_store", description=__doc__)
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--durable", type=int, default=1_000, help="images more that are written durably, as always")
    parser.add_argument("--threads", type=int, default=8)
    arguments = parser.parse_args()
    rng = np.random.default_rng(7)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pictrace.sqlite"
        store = Store(path)
        count = 0
        print("| written | images | images/s | processor time an image, ms | p50, ms | p95, ms |")
        print("|---|---|---|---|---|---|")
        for name, threads, more, context in (
            ("without waits for the disk", 1, arguments.images, no_waits()),
            ("durably, by one thread", 1, arguments.durable, nullcontext()),
            (f"durably, by {arguments.threads} threads", arguments.threads, arguments.durable, nullcontext()),
        ):
            with context:
                times, wall, busy = write(store, made_images(rng, count, more), count, threads)
            count += more
            print(
                f"| {name} | {more:,} | {more / wall * 1000:,.0f} | {busy / more:.2f} | {statistics.median(times):.2f}"
                f" | {times[int(0.95 * more)]:.2f} |",
                flush=True,
            )
        store.database.close()
        size = path.stat().st_size
        opening = statistics.median(timed(lambda: Database(path, MIGRATIONS).close(), 5))
        store = Store(path)
        print(f"\n{size / 1e9:.2f} GB, {size / count / 1000:.1f} kB an image; opened in {opening:.0f} ms")
        print("\n| read or deleted among them | p50, ms | p95, ms |\n|---|---|---|")
        for line in read_rows(store, count, rng):
            print(line, flush=True)
        ids = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(0, count, count // 200)]
        print(
            row("deletion of an image, durably", timed(lambda: store.delete(ImageKey(COLLECTION, ids.pop())), len(ids)))
        )
        store.database.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\npeak of resident memory {peak:.0f} MB; {os.cpu_count()} processors, SQLite {sqlite3.sqlite_version}")


if __name__ == "__main__":
    main()
