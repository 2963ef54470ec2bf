"""Settings to clients to adapters to the use case, once a process."""

import os
from functools import cache

from functions.ingest.indexing import Indexer
from shared.aws.catalogue import DynamoCatalogue
from shared.aws.clients import dynamodb_client, s3_client
from shared.aws.objects import S3Objects
from shared.aws.uploads import DynamoUploads
from shared.settings import IngestSettings
from shared.vision.embedding import Embedder


@cache
def indexer() -> Indexer:
    settings = IngestSettings.from_environ(os.environ)
    dynamodb = dynamodb_client()
    return Indexer(
        catalogue=DynamoCatalogue(dynamodb, settings.table),
        uploads=DynamoUploads(dynamodb, settings.table),
        objects=S3Objects(s3_client(), settings.bucket),
        embedder=Embedder(settings.model_dir),
    )
