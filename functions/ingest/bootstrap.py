"""Settings to clients to adapters to the use case, once a process, whichever of its threads asks first."""

import os
from functools import cache
from threading import Lock

from functions.ingest.indexing import Indexer
from functions.ingest.intake import Intake
from functions.ingest.neighbours import Neighbours
from functions.ingest.reindexing import Reindexer
from shared.aws.active_model import ActiveModel
from shared.aws.bus import EventBus
from shared.aws.catalogue import DynamoCatalogue
from shared.aws.clients import dynamodb_client, events_client, lambda_client, s3_client, sqs_client
from shared.aws.dead_letters import DeadLetters
from shared.aws.duplicates import DynamoDuplicates
from shared.aws.fetcher import LambdaFetcher
from shared.aws.ledger import DynamoLedger
from shared.aws.objects import S3Objects
from shared.aws.retry_delays import RetryDelays
from shared.aws.uploads import DynamoUploads
from shared.settings import IngestSettings
from shared.vision.decoding import ISOLATION
from shared.vision.embedding import Embedder

_making = Lock()


def intake() -> Intake:
    with _making:
        return _intake()


def forget() -> None:
    """Make everything anew when it is next asked for: the environment is another."""
    with _making:
        for made in (_intake, dead_letters, retry_delays):
            made.cache_clear()


@cache
def _intake() -> Intake:
    ISOLATION.warm()
    settings = IngestSettings.from_environ(os.environ)
    dynamodb = dynamodb_client()
    catalogue = DynamoCatalogue(dynamodb, settings.table)
    uploads = DynamoUploads(dynamodb, settings.table)
    objects = S3Objects(s3_client(), settings.bucket)
    held = {embedder.model_id: embedder for embedder in map(Embedder, settings.model_dirs)}
    active = ActiveModel(dynamodb, settings.table, list(held))

    def embedders() -> list[Embedder]:
        first = active()
        return [held[first], *(embedder for model, embedder in held.items() if model != first)]

    indexer = Indexer(
        catalogue=catalogue,
        ledger=DynamoLedger(dynamodb, settings.table),
        uploads=uploads,
        objects=objects,
        embedders=embedders,
    )
    return Intake(
        indexer=indexer,
        neighbours=Neighbours(catalogue=catalogue, objects=objects, model=active),
        reindexer=Reindexer(catalogue=catalogue, objects=objects, embedders=embedders, tidy=indexer.tidy),
        duplicates=DynamoDuplicates(dynamodb, settings.table),
        catalogue=catalogue,
        uploads=uploads,
        fetcher=LambdaFetcher(lambda_client(), settings.fetch_function),
        bucket=settings.bucket,
        source_buckets=settings.source_buckets,
        tell=EventBus(events_client(), settings.bus).tell,
    )


@cache
def dead_letters() -> DeadLetters:
    return DeadLetters(sqs_client(), IngestSettings.from_environ(os.environ).dead_letters)


@cache
def retry_delays() -> RetryDelays:
    return RetryDelays(sqs_client(), IngestSettings.from_environ(os.environ).queue)
