"""Build the use cases of the ingest function from its settings, once per process."""

import os
from functools import cache
from threading import Lock

from functions.ingest.dispatcher import Dispatcher
from functions.ingest.duplicate_scanner import DuplicateScanner
from functions.ingest.indexer import Indexer, now
from functions.ingest.purger import Purger
from functions.ingest.reindexer import Reindexer
from functions.ingest.upload_ends import UploadEnds
from shared.aws.clients import dynamodb_client, events_client, lambda_client, s3_client, sqs_client
from shared.aws.dead_letters import DeadLetters
from shared.aws.dynamodb.active_model import DynamoActiveModel
from shared.aws.dynamodb.catalogue import DynamoCatalogue
from shared.aws.dynamodb.duplicate_scans import DynamoScans
from shared.aws.dynamodb.duplicates import DynamoDuplicates
from shared.aws.dynamodb.ledger import DynamoLedger
from shared.aws.dynamodb.refusals import DynamoRefusals
from shared.aws.dynamodb.trash import DynamoTrash
from shared.aws.dynamodb.uploads import DynamoUploads
from shared.aws.event_bus import EventBus
from shared.aws.fetch_client import LambdaFetcher
from shared.aws.ingest_messages import IngestMessages
from shared.aws.objects import S3Objects
from shared.aws.retry_delays import RetryDelays
from shared.domain.removal import Remover
from shared.search.grouping import Grouper
from shared.search.near_duplicates import NearDuplicateFinder
from shared.settings import IngestSettings
from shared.vision.decode.decoding import SANDBOX
from shared.vision.embedding import Embedder

_lock = Lock()


def dispatcher() -> Dispatcher:
    """Return the dispatcher of this process; any thread may call this."""
    with _lock:
        return _dispatcher()


def reset() -> None:
    """Discard everything that was built, because the environment has changed."""
    with _lock:
        for build in (_dispatcher, upload_ends, dead_letters, retry_delays):
            build.cache_clear()


@cache
def _dispatcher() -> Dispatcher:
    SANDBOX.start()
    settings = IngestSettings.from_environ(os.environ)
    dynamodb = dynamodb_client()
    catalogue = DynamoCatalogue(dynamodb, settings.table)
    uploads = DynamoUploads(dynamodb, settings.table)
    objects = S3Objects(s3_client(), settings.bucket)
    by_model = {embedder.model_id: embedder for embedder in map(Embedder, settings.model_dirs)}
    active = DynamoActiveModel(dynamodb, settings.table, list(by_model))

    def embedders() -> list[Embedder]:
        first = active()
        return [by_model[first], *(embedder for model, embedder in by_model.items() if model != first)]

    ledger = DynamoLedger(dynamodb, settings.table)
    trash = DynamoTrash(dynamodb, settings.table)
    messages = IngestMessages(sqs_client(), settings.queue)
    indexer = Indexer(
        catalogue=catalogue, ledger=ledger, uploads=uploads, objects=objects, trash=trash, embedders=embedders
    )
    remover = Remover(
        catalogue=catalogue, ledger=ledger, objects=objects, bucket=settings.bucket, models=list(by_model)
    )
    duplicates = DynamoDuplicates(dynamodb, settings.table)
    grouper = Grouper(
        duplicates=duplicates, finder=NearDuplicateFinder(index=catalogue, signatures=objects, model=active)
    )
    return Dispatcher(
        indexer=indexer,
        grouper=grouper,
        reindexer=Reindexer(
            catalogue=catalogue,
            objects=objects,
            embedders=embedders,
            clean_up=indexer.clean_up,
            refuse=DynamoRefusals(dynamodb, settings.table).put,
        ),
        purger=Purger(trash=trash, remover=remover, messages=messages, days=settings.trash_days, clock=now),
        scanner=DuplicateScanner(
            scans=DynamoScans(dynamodb, settings.table),
            catalogue=catalogue,
            duplicates=duplicates,
            objects=objects,
            grouper=grouper,
            messages=messages,
            now=lambda: now().isoformat(timespec="seconds"),
        ),
        messages=messages,
        catalogue=catalogue,
        uploads=uploads,
        fetcher=LambdaFetcher(lambda_client(), settings.fetch_function),
        bucket=settings.bucket,
        source_buckets=settings.source_buckets,
        publish=EventBus(events_client(), settings.bus).publish,
    )


@cache
def upload_ends() -> UploadEnds:
    return UploadEnds(DynamoUploads(dynamodb_client(), IngestSettings.from_environ(os.environ).table))


@cache
def dead_letters() -> DeadLetters:
    return DeadLetters(sqs_client(), IngestSettings.from_environ(os.environ).dead_letters)


@cache
def retry_delays() -> RetryDelays:
    return RetryDelays(sqs_client(), IngestSettings.from_environ(os.environ).queue)
