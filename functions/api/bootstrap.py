"""Build the application of the api function from its settings, once per process."""

import os
from functools import cache
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError
from fastapi import FastAPI

from functions.api.app import create_app
from functions.api.face_networks import FaceNetworks
from functions.api.outages import Outages
from functions.api.services import Adapters, Model, Services
from shared.aws.clients import dynamodb_client, lambda_client, s3_client, sqs_client
from shared.aws.dynamodb.active_model import DynamoActiveModel
from shared.aws.dynamodb.album_trash import DynamoAlbumTrash
from shared.aws.dynamodb.albums import DynamoAlbums
from shared.aws.dynamodb.api_keys import DynamoApiKeys
from shared.aws.dynamodb.catalogue import DynamoCatalogue
from shared.aws.dynamodb.collections import DynamoCollections
from shared.aws.dynamodb.duplicate_scans import DynamoScans
from shared.aws.dynamodb.duplicates import DynamoDuplicates
from shared.aws.dynamodb.ledger import DynamoLedger
from shared.aws.dynamodb.people import DynamoPeople
from shared.aws.dynamodb.shares import DynamoShares
from shared.aws.dynamodb.trash import DynamoTrash
from shared.aws.dynamodb.uploads import DynamoUploads
from shared.aws.fetch_client import LambdaFetcher
from shared.aws.ingest_messages import IngestMessages
from shared.aws.objects import S3Objects
from shared.aws.people_tasks import QueuedTasks
from shared.aws.transient_errors import is_transient
from shared.settings import ApiSettings

AWS_OUTAGES: Final = Outages((ClientError, BotoCoreError), is_transient, "An AWS service is not responding.")


@cache
def application() -> FastAPI:
    return create_app(deployed_services(ApiSettings.from_environ(os.environ)))


def deployed_services(settings: ApiSettings) -> Services:
    """Return the services of a deployment, over its bucket and its table."""
    dynamodb = dynamodb_client()
    objects = S3Objects(s3_client(), settings.bucket)
    models = [Model.read(folder) for folder in settings.model_dirs]
    adapters = Adapters(
        catalogue=DynamoCatalogue(dynamodb, settings.table),
        collections=DynamoCollections(dynamodb, settings.table),
        duplicates=DynamoDuplicates(dynamodb, settings.table),
        scans=DynamoScans(dynamodb, settings.table),
        trash=DynamoTrash(dynamodb, settings.table),
        albums=DynamoAlbums(dynamodb, settings.table),
        album_trash=DynamoAlbumTrash(dynamodb, settings.table),
        shares=DynamoShares(dynamodb, settings.table),
        people=DynamoPeople(dynamodb, settings.table),
        tasks=QueuedTasks(sqs_client(), settings.people_queue),
        messages=IngestMessages(sqs_client(), settings.queue),
        keys=DynamoApiKeys(dynamodb, settings.table),
        ledger=DynamoLedger(dynamodb, settings.table),
        uploads=DynamoUploads(dynamodb, settings.table),
        objects=objects,
        fetcher=LambdaFetcher(lambda_client(), settings.fetch_function),
        active_model=DynamoActiveModel(dynamodb, settings.table, [model.id for model in models]),
        face_finder=FaceNetworks(settings.faces_dir) if settings.faces_dir else None,
        outages=AWS_OUTAGES,
        trash_days=settings.trash_days,
        show_location=settings.show_location,
        bucket=settings.bucket,
        source_addresses=[address for name in settings.source_buckets for address in objects.addresses(name)],
    )
    return Services(adapters, models, settings.access)
