"""boto3 clients with the timeouts, retries and addressing that Lambda and the local cloud need."""

import os
from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config

from shared.aws.dynamodb.vector_serializer import install_vector_serializer
from shared.domain.limits import FETCH_WAIT_SECONDS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

MAX_CONNECTIONS: Final = 32
"""As many signatures as are read at once."""


def _config(**settings: object) -> Config:
    """A service that hangs is given up after 25 seconds: API Gateway waits for 29, and the caller is to hear why."""
    return Config(
        connect_timeout=2,
        read_timeout=8,
        retries={"mode": "standard", "total_max_attempts": 3},
        max_pool_connections=MAX_CONNECTIONS,
        **settings,  # type: ignore[arg-type]
    )


def dynamodb_client() -> "DynamoDBClient":
    return install_vector_serializer(boto3.client("dynamodb", config=_config()))


def events_client() -> "EventBridgeClient":
    return boto3.client("events", config=_config())


def sqs_client() -> "SQSClient":
    return boto3.client("sqs", config=_config())


def s3_client() -> "S3Client":
    """An S3 client whose presigned URLs name the bucket's own region.

    botocore signs for the global endpoint unless addressing is virtual, and that one redirects a POST for a
    new bucket in any region but us-east-1. An emulator at an address has no virtual hosts.
    """
    emulated = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    style = "path" if emulated else "virtual"
    return boto3.client("s3", config=_config(signature_version="s3v4", s3={"addressing_style": style}))


def lambda_client() -> "LambdaClient":
    """A client that waits for the fetch function, its cold start included, and never asks it twice."""
    config = Config(
        connect_timeout=3,
        read_timeout=FETCH_WAIT_SECONDS,
        retries={"mode": "standard", "total_max_attempts": 1},
    )
    return boto3.client("lambda", config=config)
