"""Compose the use cases of ingest from adapters."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from functions.ingest.dispatcher import Dispatcher
from functions.ingest.duplicate_scanner import DuplicateScanner
from functions.ingest.face_indexer import FaceIndexer
from functions.ingest.indexer import Indexer
from functions.ingest.purger import Purger
from functions.ingest.reindexer import Reindexer
from functions.ingest.stored_images import StoredImages, now
from functions.ingest.trash_follower import TrashFollower
from shared.domain.errors import PictureRefused
from shared.domain.ledger import ImageKey
from shared.domain.outcomes import Outcome
from shared.domain.people.faces import Faces
from shared.domain.people.ports import Task, Tasks
from shared.domain.ports.albums import AlbumTrash
from shared.domain.ports.catalogue import Catalogue
from shared.domain.ports.collections import Collections, Trash
from shared.domain.ports.duplicates import Duplicates, Scans
from shared.domain.ports.objects import Objects
from shared.domain.ports.services import Fetcher, Messages
from shared.domain.ports.uploads import Ledger, Uploads
from shared.domain.removal import Remover
from shared.search.grouping import Grouper
from shared.search.near_duplicates import NearDuplicateFinder
from shared.vision.embedding import Embedder
from shared.vision.faces.finder import FaceFinder


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapters:
    """The adapters through which ingest reaches storage and other services.

    Attributes:
        people: handles a task on faces and persons.
        tasks: has such tasks handled.
        refuse: stores why an image cannot be described by a model.
        active_model: returns the id of the model that searches use.
        publish: publishes an outcome; if it raises, the message is retried.
        trash_days: how long a deleted image or album can be restored.
        pdq: whether the PDQ hash of each image is stored.
        bucket: the bucket of uploads.
        source_buckets: other buckets, of which every object is indexed.
    """

    catalogue: Catalogue
    collections: Collections
    duplicates: Duplicates
    ledger: Ledger
    uploads: Uploads
    objects: Objects
    scans: Scans
    trash: Trash
    album_trash: AlbumTrash
    people: Callable[[Task], None]
    faces: Faces
    tasks: Tasks
    messages: Messages
    fetcher: Fetcher
    refuse: Callable[[ImageKey, str, PictureRefused], None]
    active_model: Callable[[], str]
    publish: Callable[[Outcome], None]
    trash_days: int
    pdq: bool
    bucket: str
    source_buckets: Collection[str] = ()


def compose(adapters: Adapters, models: Sequence[Embedder], finder: FaceFinder | None) -> Dispatcher:
    """Return the dispatcher that describes images by each of `models`, and finds faces if there is a finder."""
    by_id = {embedder.model_id: embedder for embedder in models}

    def embedders() -> list[Embedder]:
        active = adapters.active_model()
        return [by_id[active], *(embedder for model, embedder in by_id.items() if model != active)]

    face_indexer = FaceIndexer(
        finder=finder,
        embedder=lambda: by_id[adapters.active_model()],
        faces=adapters.faces,
        collections=adapters.collections,
        catalogue=adapters.catalogue,
        objects=adapters.objects,
        messages=adapters.messages,
    )
    images = StoredImages(
        catalogue=adapters.catalogue,
        ledger=adapters.ledger,
        objects=adapters.objects,
        trash=adapters.trash,
        faces=adapters.faces,
        find_faces=face_indexer.index,
        embedders=embedders,
        pdq=adapters.pdq,
    )
    indexer = Indexer(
        images=images,
        ledger=adapters.ledger,
        uploads=adapters.uploads,
        objects=adapters.objects,
        trash=adapters.trash,
        find_faces=face_indexer.index,
    )
    remover = Remover(
        catalogue=adapters.catalogue,
        ledger=adapters.ledger,
        objects=adapters.objects,
        faces=adapters.faces,
        bucket=adapters.bucket,
        models=list(by_id),
        messages=adapters.messages,
    )
    grouper = Grouper(
        duplicates=adapters.duplicates,
        finder=NearDuplicateFinder(index=adapters.catalogue, signatures=adapters.objects, model=adapters.active_model),
    )
    return Dispatcher(
        indexer=indexer,
        grouper=grouper,
        reindexer=Reindexer(
            catalogue=adapters.catalogue,
            objects=adapters.objects,
            embedders=embedders,
            clean_up=images.clean_up,
            refuse=adapters.refuse,
            pdq=adapters.pdq,
        ),
        purger=Purger(
            trash=adapters.trash,
            albums=adapters.album_trash,
            remover=remover,
            messages=adapters.messages,
            days=adapters.trash_days,
            clock=now,
        ),
        trash=TrashFollower(
            catalogue=adapters.catalogue,
            duplicates=adapters.duplicates,
            tasks=adapters.tasks,
            messages=adapters.messages,
            models=list(by_id),
            clock=now,
        ),
        scanner=DuplicateScanner(
            scans=adapters.scans,
            catalogue=adapters.catalogue,
            duplicates=adapters.duplicates,
            objects=adapters.objects,
            grouper=grouper,
            messages=adapters.messages,
            now=lambda: now().isoformat(timespec="seconds"),
        ),
        people=adapters.people,
        tasks=adapters.tasks,
        faces=face_indexer,
        messages=adapters.messages,
        catalogue=adapters.catalogue,
        uploads=adapters.uploads,
        fetcher=adapters.fetcher,
        bucket=adapters.bucket,
        source_buckets=adapters.source_buckets,
        publish=adapters.publish,
    )
