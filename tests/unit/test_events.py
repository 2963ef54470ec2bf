"""Queue messages to objects."""

import json
from typing import Any
from urllib.parse import quote_plus

import pytest
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from hypothesis import given
from hypothesis import strategies as st

from shared.aws.events import UnknownMessage, created_objects
from shared.domain.images import ObjectRef


def message(body: Any) -> SQSRecord:
    return SQSRecord({"body": body if isinstance(body, str) else json.dumps(body)})


def notification(key: str, event: str = "ObjectCreated:Post", **extra: Any) -> dict[str, Any]:
    """One record of https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html"""
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "eu-west-1",
        "eventTime": "2026-01-01T00:00:00.000Z",
        "eventName": event,
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "uploads",
            "bucket": {"name": "pictures", "arn": "arn:aws:s3:::pictures"},
            "object": {
                "key": quote_plus(key, safe="/"),
                "size": 10,
                "eTag": "e",
                "sequencer": "0055AED6DCD90281E5",
                **extra,
            },
        },
    }


@pytest.mark.parametrize("key", ["uploads/default/a", "a b.jpg", "a+b.jpg", "a%2Bb.jpg", "é/日本.jpg", "..//x", "😀"])
def test_keys_are_decoded_once(key: str) -> None:
    assert list(created_objects(message({"Records": [notification(key)]}))) == [ObjectRef("pictures", key)]


@given(st.text(min_size=1, alphabet=st.characters(exclude_categories=["Cs"])))
def test_any_key_survives_the_way_through_a_notification(key: str) -> None:
    [found] = created_objects(message({"Records": [notification(key)]}))
    assert found.key == key


def test_several_records_and_versions() -> None:
    body = {"Records": [notification("a"), notification("b", versionId="v2")]}
    assert [ref.version for ref in created_objects(message(body))] == [None, "v2"]


def test_s3_test_event_and_removals_bring_nothing() -> None:
    test_event = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "pictures"}
    assert list(created_objects(message(test_event))) == []
    assert list(created_objects(message({"Records": [notification("a", "ObjectRemoved:Delete")]}))) == []


@pytest.mark.parametrize(
    "body", ["", "no json", "[]", "7", "{}", '{"Records": 3}', '{"Records": [{}]}', '{"Records": [7]}']
)
def test_anything_else_is_refused(body: str) -> None:
    with pytest.raises(UnknownMessage):
        list(created_objects(message(body)))
