"""Build the use cases of the ingest function from its settings, once per process."""

import os
from functools import cache
from threading import Lock

from functions.ingest.dispatcher import Dispatcher
from functions.ingest.indexer import Indexer
from functions.ingest.reindexer import Reindexer
from functions.ingest.upload_ends import UploadEnds
from shared.aws.clients import dynamodb_client, events_client, lambda_client, s3_client, sqs_client
from shared.aws.dead_letters import DeadLetters
from shared.aws.duplicate_checks import QueuedChecks
from shared.aws.dynamodb.active_model import DynamoActiveModel
from shared.aws.dynamodb.catalogue import DynamoCatalogue
from shared.aws.dynamodb.duplicates import DynamoDuplicates
from shared.aws.dynamodb.ledger import DynamoLedger
from shared.aws.dynamodb.refusals import DynamoRefusals
from shared.aws.dynamodb.uploads import DynamoUploads
from shared.aws.event_bus import EventBus
from shared.aws.fetch_client import LambdaFetcher
from shared.aws.objects import S3Objects
from shared.aws.retry_delays import RetryDelays
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

    indexer = Indexer(
        catalogue=catalogue,
        ledger=DynamoLedger(dynamodb, settings.table),
        uploads=uploads,
        objects=objects,
        embedders=embedders,
    )
    return Dispatcher(
        indexer=indexer,
        neighbours=NearDuplicateFinder(index=catalogue, signatures=objects, model=active),
        reindexer=Reindexer(
            catalogue=catalogue,
            objects=objects,
            embedders=embedders,
            clean_up=indexer.clean_up,
            refuse=DynamoRefusals(dynamodb, settings.table).put,
        ),
        duplicates=DynamoDuplicates(dynamodb, settings.table),
        checks=QueuedChecks(sqs_client(), settings.queue),
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
