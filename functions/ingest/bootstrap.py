"""Build the use cases of the ingest function from its settings, once per process."""

import os
from functools import cache
from threading import Lock

from functions.ingest.composition import Adapters, compose
from functions.ingest.dispatcher import Dispatcher
from functions.ingest.message_ends import MessageEnds
from shared.aws.clients import dynamodb_client, events_client, lambda_client, s3_client, sqs_client
from shared.aws.dead_letters import DeadLetters
from shared.aws.dynamodb.active_model import DynamoActiveModel
from shared.aws.dynamodb.album_trash import DynamoAlbumTrash
from shared.aws.dynamodb.catalogue import DynamoCatalogue
from shared.aws.dynamodb.collections import DynamoCollections
from shared.aws.dynamodb.duplicate_scans import DynamoScans
from shared.aws.dynamodb.duplicates import DynamoDuplicates
from shared.aws.dynamodb.ledger import DynamoLedger
from shared.aws.dynamodb.people import DynamoPeople
from shared.aws.dynamodb.refusals import DynamoRefusals
from shared.aws.dynamodb.trash import DynamoTrash
from shared.aws.dynamodb.uploads import DynamoUploads
from shared.aws.event_bus import EventBus
from shared.aws.fetch_client import LambdaFetcher
from shared.aws.ingest_messages import IngestMessages
from shared.aws.objects import S3Objects
from shared.aws.people_tasks import QueuedTasks
from shared.aws.retry_delays import RetryDelays
from shared.domain.people.keeping import FaceKeeper
from shared.domain.people.tasks import task_handler
from shared.settings import IngestSettings
from shared.vision.decode.decoding import SANDBOX
from shared.vision.embedding import Embedder
from shared.vision.faces.finder import FaceFinder

_lock = Lock()


def dispatcher() -> Dispatcher:
    """Return the dispatcher of this process; any thread may call this."""
    with _lock:
        return _dispatcher()


def reset() -> None:
    """Discard everything that was built, because the environment has changed."""
    with _lock:
        for build in (_dispatcher, message_ends, dead_letters, retry_delays, people_retry_delays):
            build.cache_clear()


@cache
def _dispatcher() -> Dispatcher:
    SANDBOX.start()
    settings = IngestSettings.from_environ(os.environ)
    dynamodb = dynamodb_client()
    bus = EventBus(events_client(), settings.bus)
    people, tasks = DynamoPeople(dynamodb, settings.table), QueuedTasks(sqs_client(), settings.people_queue)
    models = [Embedder(folder) for folder in settings.model_dirs]
    adapters = Adapters(
        catalogue=DynamoCatalogue(dynamodb, settings.table),
        collections=DynamoCollections(dynamodb, settings.table),
        duplicates=DynamoDuplicates(dynamodb, settings.table),
        ledger=DynamoLedger(dynamodb, settings.table),
        uploads=DynamoUploads(dynamodb, settings.table),
        objects=S3Objects(s3_client(), settings.bucket),
        scans=DynamoScans(dynamodb, settings.table),
        trash=DynamoTrash(dynamodb, settings.table),
        album_trash=DynamoAlbumTrash(dynamodb, settings.table),
        faces=FaceKeeper(people, tasks),
        people=task_handler(people, tasks, bus.publish_people).handle,
        tasks=tasks,
        messages=IngestMessages(sqs_client(), settings.queue),
        fetcher=LambdaFetcher(lambda_client(), settings.fetch_function),
        refuse=DynamoRefusals(dynamodb, settings.table).put,
        active_model=DynamoActiveModel(dynamodb, settings.table, [model.model_id for model in models]),
        publish=bus.publish,
        trash_days=settings.trash_days,
        pdq=settings.pdq,
        bucket=settings.bucket,
        source_buckets=settings.source_buckets,
    )
    return compose(adapters, models, FaceFinder(settings.faces_dir) if settings.faces_dir else None)


@cache
def message_ends() -> MessageEnds:
    dynamodb, table = dynamodb_client(), IngestSettings.from_environ(os.environ).table
    return MessageEnds(DynamoUploads(dynamodb, table), DynamoScans(dynamodb, table))


@cache
def dead_letters() -> DeadLetters:
    return DeadLetters(sqs_client(), IngestSettings.from_environ(os.environ).dead_letters)


@cache
def retry_delays() -> RetryDelays:
    return RetryDelays(sqs_client(), IngestSettings.from_environ(os.environ).queue)


@cache
def people_retry_delays() -> RetryDelays:
    return RetryDelays(sqs_client(), IngestSettings.from_environ(os.environ).people_queue)
