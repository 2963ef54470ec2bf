"""Clients of AWS are ready to be shared between threads."""

import pytest
from botocore.client import BaseClient

from shared.aws.clients import dynamodb_client


def test_exception_classes_are_made_before_the_client_is_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Botocore makes them when they are first needed, and without a lock."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    client = dynamodb_client()
    monkeypatch.setattr(BaseClient, "_load_exceptions", lambda _: pytest.fail("made again"))
    assert issubclass(client.exceptions.ConditionalCheckFailedException, Exception)
