"""A simulated bucket, queue and workers, which can be switched or killed at any call of the
store or the bucket.

For tests of events that are repeated or out of order.
"""

import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import numpy as np
from greenlet import greenlet

from functions.ingest import reindexer, stored_images
from functions.ingest.indexer import Indexer
from functions.ingest.reindexer import Reindexer
from functions.ingest.stored_images import StoredImages
from shared.aws.objects import S3Objects
from shared.domain.capture import Capture
from shared.domain.errors import PictureRefused
from shared.domain.events import Created, Reindex, Removed
from shared.domain.images import ImageRecord, ObjectRef
from shared.domain.ledger import ConflictError, ImageKey
from shared.domain.people.faces import DetectedFace
from shared.domain.removal import Remover
from shared.search.description import Description
from shared.vision.signature import Signature, extract
from tests.faults.fakes import MemoryBucket
from tests.faults.stores import DynamoStore, MakeStore

BUCKET: Final = "images"
MODEL: Final = "m"
NO_IMAGE: Final = b"no image"

Event = Created | Removed | Reindex


class WorkerDied(BaseException):
    """A worker was killed."""


def play_histories(count: int, play: Callable[[random.Random], None]) -> None:
    """Play random histories, numbered from 0; a failure states the number of its history.

    Hypothesis adds nothing to a random seed, and takes 1.5 times as long as the history itself.
    """
    for number in range(count):
        try:
            play(random.Random(number))
        except BaseException as error:
            error.add_note(f"in history {number}")
            raise


def stub_description(
    data: bytes, image_key: ImageKey, embedder: Any, *, created_at: str, filename: str | None, with_pdq: bool = False
) -> Description:
    """A replacement for `describe` that does not decode the bytes."""
    assert not with_pdq
    if data == NO_IMAGE:
        raise PictureRefused("unsupported_type", "no image")
    record = ImageRecord(
        image_key.collection,
        image_key.image_id,
        embedder.model_id,
        1,
        1,
        "png",
        len(data),
        "0" * 16,
        created_at,
        filename=filename,
        capture=Capture(),
        things=(),
    )
    pixels = np.zeros((1, 1, 3), np.uint8)
    return Description(record, np.ones(4, np.float32), BLANK, pixels, pixels)


BLANK: Final[Signature] = extract(np.zeros((8, 8, 3), np.uint8))


@dataclass(frozen=True)
class _Embedder:
    model_id: str


@dataclass
class Simulation:
    """One bucket with its queue and index.

    Attributes:
        sequenced: whether events carry sequencers, as those of S3 do and those of some emulators do not.
        waiting: events that are not yet handled.
        atomic: whether calls are part of a transaction of the store, which no other worker interrupts.
        moved: the number of images that were put into the trash, or taken out.
        last_call: the call that a worker is about to make.
        deaths: the number of workers that may still die.
        models: the models that describe images; if there are several, any can be active at any moment.
        make_store: makes the store that is written to.
        own_bucket: the deployment's own bucket, which is not the simulated one if that is another one.
    """

    rng: random.Random
    sequenced: bool
    deaths: int
    models: tuple[str, ...] = (MODEL,)
    make_store: MakeStore = DynamoStore
    own_bucket: str = BUCKET
    waiting: list[Event] = field(default_factory=list)
    last_call: str = ""
    clock: int = 0
    moved: int = 0
    atomic: bool = False

    def __post_init__(self) -> None:
        self.store = self.make_store(self._call)
        self.bucket = MemoryBucket(self._call, self._changed)
        bucket: Any = self.bucket
        objects = S3Objects(bucket, BUCKET)
        self.faces = MemoryFaces(self)
        images = StoredImages(
            catalogue=self.store.catalogue,
            ledger=self.store.ledger,
            objects=objects,
            trash=self.store.trash,
            faces=self.faces,
            find_faces=self._find_faces,
            embedders=self._embedders,
        )
        self.indexer = Indexer(
            images=images,
            ledger=self.store.ledger,
            uploads=self.store.uploads,
            objects=objects,
            trash=self.store.trash,
            find_faces=self._find_faces,
            pause=lambda _: None,
        )
        messages: Any = self
        self.remover = Remover(
            catalogue=self.store.catalogue,
            ledger=self.store.ledger,
            objects=objects,
            faces=self.faces,
            bucket=self.own_bucket,
            models=self.models,
            messages=messages,
        )
        self.reindexer = Reindexer(
            catalogue=self.store.catalogue,
            objects=objects,
            embedders=self._embedders,
            clean_up=images.clean_up,
            refuse=self.store.refuse,
        )

    def index(self, event: Created) -> None:
        """Send a message by which an object is indexed."""
        self.waiting.append(event)

    def _find_faces(self, image: ImageKey, _: object) -> None:
        self.faces.add(image.collection, image.image_id, "", ())

    def _embedders(self) -> list[Any]:
        return [_Embedder(model) for model in self.rng.sample(self.models, len(self.models))]

    def _call(self, name: str) -> None:
        """Possibly kill the current worker, or switch to another one, before a call."""
        here = greenlet.getcurrent()
        if here.parent is None or self.atomic:
            return
        self.last_call = name
        if self.deaths and self.rng.random() < 0.08:
            self.deaths -= 1
            raise WorkerDied
        here.parent.switch()
        if self.deaths and self.rng.random() < 0.04:
            self.deaths -= 1
            raise WorkerDied

    def _changed(self, what: str, bucket: str, key: str) -> None:
        if not key.startswith("uploads/"):
            return
        self.clock += 1
        sequencer = f"{self.clock:016X}" if self.sequenced else None
        kind = Created if what == "created" else Removed
        self.waiting.append(kind(ObjectRef(bucket, key), sequencer))

    def play(self, changes: int, change: Callable[["Simulation"], Callable[[], None]], repeat: float) -> None:
        """Change the bucket and handle its events, all concurrently, until no event is waiting.

        A worker that died is started again, as a message is redelivered and a person repeats a request.

        Args:
            changes: number of changes to the bucket.
            change: makes one change.
            repeat: probability that an event is delivered again after it was handled.
        """
        running: list[Worker] = []
        while changes or self.waiting or running:
            if changes and self.rng.random() < 0.15:
                changes -= 1
                running.append(Worker(change(self), None))
            elif self.waiting and len(running) < 4 and self.rng.random() < 0.2:
                event = self.waiting.pop(self.rng.randrange(len(self.waiting)))
                running.append(Worker(partial(self.handle, event), event))
            elif running:
                one = self.rng.choice(running)
                for _ in range(self.rng.choice((1, 1, 2, 5, 20))):  # one worker is often much faster than another
                    if not one.dead:
                        one.switch()
            finished = [one for one in running if one.dead]
            running = [one for one in running if not one.dead]
            for one in finished:
                if one.event is None:
                    if not one.done:
                        running.append(Worker(one.job, None))
                elif not one.done or self.rng.random() < repeat:
                    self.waiting.append(one.event)
            if not changes and self.rng.random() < 0.05:
                repeat = self.deaths = 0

    def handle(self, event: Event) -> None:
        match event:
            case Created():
                self.indexer.index(event)
            case Removed():
                self.indexer.remove(event)
            case Reindex():
                self.reindexer.reindex(event)

    def reindex(self, image_id: str) -> Callable[[], None]:
        def job() -> None:
            self.waiting += [Reindex(ImageKey("c", image_id), model) for model in self.models]

        return job

    def put(self, key: str, data: bytes) -> Callable[[], None]:
        def job() -> None:
            self.bucket.put_object(Bucket=BUCKET, Key=key, Body=data)

        return job

    def delete(self, key: str) -> Callable[[], None]:
        def job() -> None:
            self.bucket.delete_object(Bucket=BUCKET, Key=key)

        return job

    def archive(self, key: str) -> Callable[[], None]:
        """Archive an object, which sends no event."""

        def job() -> None:
            if (BUCKET, key) in self.bucket.objects:
                self.bucket.archived.add((BUCKET, key))

        return job

    def restore(self, key: str) -> Callable[[], None]:
        """Restore an object and submit it by key, as the `index` command does."""

        def job() -> None:
            if (BUCKET, key) in self.bucket.archived:
                self.bucket.archived.remove((BUCKET, key))
                self.waiting.append(Created(ObjectRef(BUCKET, key)))

        return job

    def remove_through_api(self, image_id: str) -> Callable[[], None]:
        def job() -> None:
            self.remover.remove(image_id, None)

        return job

    def trash(self, image_id: str) -> Callable[[], None]:
        self.clock += 1
        at = f"2026-11-28T12:00:00.{self.clock:06}+00:00"
        return lambda: self._in_trash(self.store.trash.put(ImageKey("c", image_id), at))

    def take_out(self, image_id: str) -> Callable[[], None]:
        return lambda: self._in_trash(self.store.trash.take_out(ImageKey("c", image_id)))

    def purge(self, image_id: str) -> Callable[[], None]:
        def job() -> None:
            self.remover.purge(ImageKey("c", image_id), self.store.trash, "9999")

        return job

    def _in_trash(self, moved: bool) -> None:
        self.moved += moved


class MemoryFaces:
    """The images whose faces are stored. As in the stores, the record decides in the same transaction."""

    def __init__(self, simulation: Simulation) -> None:
        self.images: set[ImageKey] = set()
        self._simulation = simulation

    def add(self, collection: str, image_id: str, face_model: str, faces: Sequence[DetectedFace]) -> None:
        if self._has_record(ImageKey(collection, image_id)):
            self.images.add(ImageKey(collection, image_id))

    def remove(self, collection: str, image_id: str) -> None:
        if not self._has_record(ImageKey(collection, image_id)):
            self.images.discard(ImageKey(collection, image_id))

    def erase(self, collection: str) -> int:
        raise NotImplementedError

    def _has_record(self, image: ImageKey) -> bool:
        self._simulation._call("faces")
        self._simulation.atomic = True
        try:
            return self._simulation.store.catalogue.find(image.image_id, image.collection) is not None
        finally:
            self._simulation.atomic = False


class Worker(greenlet):
    """A worker that runs a job until it is done or the worker dies."""

    def __init__(self, job: Callable[[], None], event: Event | None) -> None:
        super().__init__()
        self.job = job
        self.event = event
        self.done = False

    def run(self) -> None:
        with suppress(WorkerDied, ConflictError, LookupError):
            self.job()
            self.done = True


def stub_descriptions(monkeypatch: Any) -> None:
    monkeypatch.setattr(stored_images, "describe", stub_description)
    monkeypatch.setattr(reindexer, "describe", stub_description)
