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
"""Connections for the signatures that are read at the same time."""


def _config(**settings: object) -> Config:
    """Return a configuration that abandons a hanging service after 25 seconds.

    API Gateway waits for 29 seconds, which leaves time to tell the caller what went wrong.
    """
    return Config(
        connect_timeout=2,
        read_timeout=8,
        retries={"mode": "standard", "total_max_attempts": 3},
        max_pool_connections=MAX_CONNECTIONS,
        **settings,  # type: ignore[arg-type]
    )


def dynamodb_client() -> "DynamoDBClient":
    """Return a client with its exception classes, which the stores catch.

    Botocore makes them when they are first needed, without a lock, so that each of two threads would have its own.
    """
    client = install_vector_serializer(boto3.client("dynamodb", config=_config()))
    _ = client.exceptions
    return client


def events_client() -> "EventBridgeClient":
    return boto3.client("events", config=_config())


def sqs_client() -> "SQSClient":
    return boto3.client("sqs", config=_config())


def s3_client() -> "S3Client":
    """Return an S3 client whose presigned URLs use the endpoint of the bucket's region.

    Unless addressing is virtual, botocore signs for the global endpoint, which redirects a POST to a new bucket in any
    region other than us-east-1. An emulator with an endpoint of its own has no virtual hosts.
    """
    emulated = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    style = "path" if emulated else "virtual"
    return boto3.client("s3", config=_config(signature_version="s3v4", s3={"addressing_style": style}))


def lambda_client() -> "LambdaClient":
    """Return a client that waits for the fetch function, cold start included, and never invokes it twice."""
    config = Config(
        connect_timeout=3,
        read_timeout=FETCH_WAIT_SECONDS,
        retries={"mode": "standard", "total_max_attempts": 1},
    )
    return boto3.client("lambda", config=config)
