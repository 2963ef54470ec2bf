"""Composition of the fetch function from its settings, once per process."""

import os
from functools import cache

from functions.fetch.image_fetcher import ImageFetcher
from shared.aws.clients import s3_client
from shared.aws.objects import S3Objects
from shared.settings import FetchSettings


@cache
def image_fetcher() -> ImageFetcher:
    settings = FetchSettings.from_environ(os.environ)
    return ImageFetcher(S3Objects(s3_client(), settings.bucket))
