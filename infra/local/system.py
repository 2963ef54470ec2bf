"""The whole system in this process, over the data of one folder."""

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from functions.api import services
from functions.api.app import create_app
from functions.fetch.image_fetcher import ImageFetcher
from functions.ingest import composition
from functions.ingest.dispatcher import Dispatcher
from functions.ingest.message_ends import MessageEnds
from infra.local import memory
from infra.local.data_folder import DataFolder
from infra.local.failed_uploads import FailedUploads
from infra.local.housekeeping import TRASH_DAYS, Housekeeping
from infra.local.model_change import ModelChange
from infra.local.outages import OUTAGES
from infra.local.request_guard import RequestGuard, request_origin
from infra.local.storage_routes import WithStorage
from infra.local.worker_pool import WorkerPool
from shared.aws import messages, own_messages
from shared.aws.ingest_messages import IngestMessages
from shared.domain.access import Access, Scope
from shared.domain.api_keys import ApiKey
from shared.domain.events import IngestEvent, PeopleTask
from shared.domain.limits import CONCURRENT_IMAGES, MAX_KEY_CALLS_PER_MINUTE
from shared.domain.outcomes import Outcome
from shared.domain.people.keeping import FaceKeeper
from shared.domain.people.ports import PeopleEvent, SettleImage, Task
from shared.domain.people.tasks import task_handler
from shared.embedded.album_trash import EmbeddedAlbumTrash
from shared.embedded.albums import EmbeddedAlbums, EmbeddedShares
from shared.embedded.api_keys import EmbeddedApiKeys
from shared.embedded.catalogue import EmbeddedCatalogue
from shared.embedded.collections import EmbeddedCollections
from shared.embedded.duplicate_scans import EmbeddedScans
from shared.embedded.duplicates import EmbeddedDuplicates
from shared.embedded.ledger import EmbeddedLedger
from shared.embedded.links import Links
from shared.embedded.migrations import open_database
from shared.embedded.objects import BUCKET, FolderObjects
from shared.embedded.people import EmbeddedPeople
from shared.embedded.purge_hold import PurgeHold
from shared.embedded.queue import Message, Queue
from shared.embedded.refusals import EmbeddedRefusals
from shared.embedded.trash import EmbeddedTrash
from shared.embedded.uploads import EmbeddedUploads
from shared.embedded.vectors import VectorIndex
from shared.vision.decode.decoding import SANDBOX
from shared.vision.faces.finder import FaceFinder

if TYPE_CHECKING:
    from starlette.types import ASGIApp

logger = logging.getLogger(__name__)

WORKERS: Final = 2 * CONCURRENT_IMAGES
"""Messages that are processed at once: while some compute, others read and write."""


@dataclass(frozen=True, slots=True)
class LocalSystem:
    """A running system."""

    app: "ASGIApp"
    keys: EmbeddedApiKeys
    queue: Queue
    model_change: ModelChange
    failed_uploads: FailedUploads

    def has_admin_key(self) -> bool:
        """Return whether a key with every right can be used."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return any(Scope.ADMIN in key.scopes and key.state(now) == "active" for key in self.keys.list_all())

    def create_admin_key(self, name: str) -> tuple[ApiKey, str]:
        """Create a key with every right to every collection; return it with its text."""
        return self.keys.create(
            name=name, scopes=frozenset({Scope.ADMIN}), collections=None, per_minute=MAX_KEY_CALLS_PER_MINUTE
        )


class QueuedTasks:
    """Tasks on people, in the queue of this process."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    def send(self, task: Task) -> None:
        self._queue.send(own_messages.people_task(task))


class Turns:
    """Lets one worker at a time handle tasks on the people of a collection, as the FIFO queue of a deployment does."""

    def __init__(self) -> None:
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def of(self, event: IngestEvent) -> AbstractContextManager[object]:
        """Return the turn of an event, for which the others of its collection wait."""
        if not isinstance(event, PeopleTask):
            return nullcontext()
        task = event.task
        return self._locks[task.image.collection if isinstance(task, SettleImage) else task.collection]


class QueuedMessages(IngestMessages):
    """Messages to the ingest use cases, in the queue of this process."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    def _send(self, body: str, delay: int) -> None:
        self._queue.send(body, delay_seconds=delay)


@contextmanager
def local_system(
    folder: DataFolder, model_dir: Path, *, faces_dir: Path | None = None, closed: bool = False, pdq: bool = False
) -> Iterator[LocalSystem]:
    """Run the system over a folder's data until the end of the context.

    Args:
        faces_dir: the networks for faces; None for a system that cannot find any.
        closed: require keys, as in AWS.
        pdq: store the PDQ hash of each image.

    Raises:
        FileNotFoundError: there is no model in `model_dir`.
        UnusableDatabase: the folder was written by a newer version, or is damaged.
    """
    model = services.Model.read(model_dir)
    database = open_database(folder.database)
    queue = Queue(database)
    links = Links(database, request_origin)
    objects = FolderObjects(folder.objects, database, queue, links)

    index = VectorIndex(folder.vectors, database)
    catalogue = EmbeddedCatalogue(database, index)
    collections, ledger, uploads = EmbeddedCollections(database), EmbeddedLedger(database), EmbeddedUploads(database)
    duplicates, keys = EmbeddedDuplicates(database), EmbeddedApiKeys(database)
    scans, trash, queued = EmbeddedScans(database), EmbeddedTrash(database), QueuedMessages(queue)
    album_trash = EmbeddedAlbumTrash(database)
    people, tasks = EmbeddedPeople(database), QueuedTasks(queue)
    fetcher = ImageFetcher(objects)
    finder = FaceFinder(faces_dir) if faces_dir else None
    change = ModelChange(database, objects, model.id, pdq=pdq)
    failed = FailedUploads(queue, objects, uploads)

    api = services.Services(
        services.Adapters(
            catalogue=catalogue,
            collections=collections,
            duplicates=duplicates,
            scans=scans,
            trash=trash,
            albums=EmbeddedAlbums(database),
            album_trash=album_trash,
            shares=EmbeddedShares(database),
            people=people,
            tasks=tasks,
            messages=queued,
            keys=keys,
            ledger=ledger,
            uploads=uploads,
            objects=objects,
            fetcher=fetcher,
            active_model=lambda: model.id,
            face_finder=finder,
            outages=OUTAGES,
            trash_days=TRASH_DAYS,
            show_location=False,
            bucket=BUCKET,
            signatures_kept=0,  # reading one from the file cache takes a quarter of a millisecond
        ),
        [model],
        Access.KEYS if closed else Access.OPEN,
    )

    @cache
    def dispatcher() -> Dispatcher:
        SANDBOX.start()
        adapters = composition.Adapters(
            catalogue=catalogue,
            collections=collections,
            duplicates=duplicates,
            ledger=ledger,
            uploads=uploads,
            objects=objects,
            scans=scans,
            trash=trash,
            album_trash=album_trash,
            faces=FaceKeeper(people, tasks),
            people=task_handler(people, tasks, _tell).handle,
            tasks=tasks,
            messages=queued,
            fetcher=fetcher,
            refuse=EmbeddedRefusals(database).put,
            active_model=lambda: model.id,
            publish=_publish,
            trash_days=TRASH_DAYS,
            pdq=pdq,
            bucket=BUCKET,
        )
        return composition.compose(adapters, [model.embedder()], finder)

    def give_up(message: Message) -> None:
        MessageEnds(uploads, scans).fail(message.body, str(message.id))

    stopped = threading.Event()
    housekeeping = Housekeeping(objects, queue, failed, queued, PurgeHold(database), change)
    workers = WorkerPool(queue, _processor(dispatcher), give_up, workers=WORKERS)
    housekeepers = [
        threading.Thread(target=work, args=(stopped,), name=name, daemon=True)
        for name, work in (("housekeeping", housekeeping.run), ("memory", memory.keep_trimmed))
    ]
    try:
        objects.announce_pending()
        change.begin()
        workers.start()
        for thread in housekeepers:
            thread.start()
        app = RequestGuard(WithStorage(create_app(api), objects, links))
        yield LocalSystem(app, keys, queue, change, failed)
    finally:
        stopped.set()
        workers.stop()
        for thread in housekeepers:
            if thread.ident is not None:
                thread.join(timeout=10)
        index.close()
        database.close()


def _processor(dispatcher: Callable[[], Dispatcher]) -> Callable[[Message], None]:
    turns = Turns()

    def process(message: Message) -> None:
        for position, event in enumerate(messages.parse(message.body)):
            with turns.of(event):
                dispatcher().dispatch(event, f"{message.id}/{position}")

    return process


def _publish(outcome: Outcome) -> None:
    logger.info("%s %s %s", outcome.status, outcome.object and outcome.object.key, outcome.reason or "")


def _tell(event: PeopleEvent) -> None:
    logger.info("%s", event)
