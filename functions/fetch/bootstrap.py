"""Settings to client to the use case, once a process."""

import os
from functools import cache

from functions.fetch.pictures import PictureFetcher
from shared.aws.clients import s3_client
from shared.aws.objects import S3Objects
from shared.settings import FetchSettings


@cache
def picture_fetcher() -> PictureFetcher:
    settings = FetchSettings.from_environ(os.environ)
    return PictureFetcher(S3Objects(s3_client(), settings.bucket))
