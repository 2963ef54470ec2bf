"""Clients of AWS are ready to be shared between threads."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.client import BaseClient

from shared.aws import clients


@pytest.mark.parametrize(
    "create",
    [clients.dynamodb_client, clients.events_client, clients.sqs_client, clients.s3_client, clients.lambda_client],
)
def test_exception_classes_are_made_before_a_client_is_shared(
    create: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Botocore makes them when they are first needed, and without a lock."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    client = create()
    monkeypatch.setattr(BaseClient, "_load_exceptions", lambda _: pytest.fail("made again"))
    assert issubclass(client.exceptions.ClientError, Exception)
