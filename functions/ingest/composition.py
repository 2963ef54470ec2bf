"""Compose the use cases of ingest from adapters."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from functions.ingest.dispatcher import Dispatcher
from functions.ingest.indexer import Indexer
from functions.ingest.reindexer import Reindexer
from shared.domain.errors import PictureRefused
from shared.domain.ledger import ImageKey
from shared.domain.outcomes import Outcome
from shared.domain.ports import Catalogue, DuplicateChecks, Duplicates, Fetcher, Ledger, Objects, Uploads
from shared.search.grouping import Grouper
from shared.search.near_duplicates import NearDuplicateFinder
from shared.vision.embedding import Embedder


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapters:
    """The adapters through which ingest reaches storage and other services.

    Attributes:
        refuse: stores why an image cannot be described by a model.
        active_model: returns the id of the model that searches use.
        publish: publishes an outcome; if it raises, the message is retried.
        bucket: the bucket of uploads.
        source_buckets: other buckets, of which every object is indexed.
    """

    catalogue: Catalogue
    duplicates: Duplicates
    ledger: Ledger
    uploads: Uploads
    objects: Objects
    checks: DuplicateChecks
    fetcher: Fetcher
    refuse: Callable[[ImageKey, str, PictureRefused], None]
    active_model: Callable[[], str]
    publish: Callable[[Outcome], None]
    bucket: str
    source_buckets: Collection[str] = ()


def compose(adapters: Adapters, models: Sequence[Embedder]) -> Dispatcher:
    """Return the dispatcher that describes images by each of `models`."""
    by_id = {embedder.model_id: embedder for embedder in models}

    def embedders() -> list[Embedder]:
        active = adapters.active_model()
        return [by_id[active], *(embedder for model, embedder in by_id.items() if model != active)]

    indexer = Indexer(
        catalogue=adapters.catalogue,
        ledger=adapters.ledger,
        uploads=adapters.uploads,
        objects=adapters.objects,
        embedders=embedders,
    )
    return Dispatcher(
        indexer=indexer,
        grouper=Grouper(
            duplicates=adapters.duplicates,
            finder=NearDuplicateFinder(
                index=adapters.catalogue, signatures=adapters.objects, model=adapters.active_model
            ),
        ),
        reindexer=Reindexer(
            catalogue=adapters.catalogue,
            objects=adapters.objects,
            embedders=embedders,
            clean_up=indexer.clean_up,
            refuse=adapters.refuse,
        ),
        checks=adapters.checks,
        catalogue=adapters.catalogue,
        uploads=adapters.uploads,
        fetcher=adapters.fetcher,
        bucket=adapters.bucket,
        source_buckets=adapters.source_buckets,
        publish=adapters.publish,
    )
