"""The in-memory table and buckets give the same responses and errors as moto."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.aws.dynamodb.ledger import DynamoLedger
from shared.aws.dynamodb.uploads import DynamoUploads
from shared.domain.images import ObjectRef, Upload, UploadStatus
from shared.domain.ledger import ConflictError, ImageKey, ObjectState, ObjectStatus
from tests.conftest import PicTrace
from tests.faults.fakes import MemoryBucket, MemoryTable

KEY = {"pk": {"S": "image#1"}, "sk": {"S": "collection#c"}}


@pytest.fixture
def clients(running: PicTrace) -> Any:
    """Clients of the running emulator, with a table and a bucket that only this test uses."""
    dynamodb, s3 = boto3.client("dynamodb"), boto3.client("s3")
    dynamodb.create_table(
        TableName="t",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
    s3.create_bucket(Bucket="images")
    yield dynamodb, s3
    s3.delete_bucket(Bucket="images")
    dynamodb.delete_table(TableName="t")


def answer(call: Callable[[], Any]) -> Any:
    """The result of a call, or the code of its error."""
    try:
        given_back = call()
    except ClientError as error:
        reasons: Any = error.response
        return error.response["Error"]["Code"], [one["Code"] for one in reasons.get("CancellationReasons", [])][:1]
    except ConflictError:
        return "overtaken"
    return given_back


steps = st.lists(st.tuples(st.integers(0, 5), st.sampled_from("ab"), st.sampled_from("xy")), max_size=12)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps)
def test_the_ledger_behaves_the_same_as_on_moto(clients: Any, steps: list[tuple[int, str, str]]) -> None:
    real: Any = clients[0]
    memory: Any = MemoryTable()
    for item in real.scan(TableName="t")["Items"]:
        real.delete_item(TableName="t", Key={"pk": item["pk"], "sk": item["sk"]})
    for number, key, image in steps:
        results = []
        for client in (real, memory):
            ledger, uploads = DynamoLedger(client, "t"), DynamoUploads(client, "t")
            source = ObjectRef("b", key)
            entry = ledger.find(source) if number else None
            status = ObjectStatus.REMOVED if number == 1 else ObjectStatus.HELD
            after = ObjectState(source, status, ImageKey("c", image), revision=entry.revision if entry else 0)
            upload = Upload(key * 32, "c", UploadStatus.PENDING, filename=image)
            results.append(
                [
                    answer(partial(ledger.change, entry, after)),
                    ledger.find(source),
                    answer(partial(uploads.open, upload, source)),
                    _timeless(uploads.find(key * 32)),
                ]
            )
        assert results[0] == results[1]
    items = real.scan(TableName="t")["Items"]
    kept = {(item["pk"]["S"], item["sk"]["S"]): _lasting(item) for item in items}
    assert kept == {where: _lasting(item) for where, item in memory.items.items()}


def _lasting(item: Any) -> Any:
    return {name: value for name, value in item.items() if name not in {"expires_at", "opened_at"}}


def _timeless(upload: Upload | None) -> Upload | None:
    return upload and replace(upload, opened_at=None)


def test_conditional_writes_and_deletions_behave_the_same_as_on_moto(clients: Any) -> None:
    new: Any = {"ConditionExpression": "attribute_not_exists(pk)", "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}

    def replacement(table: Any, condition: str, was: str, change: str) -> Any:
        return table.update_item(
            TableName="t",
            Key=KEY,
            UpdateExpression=change,
            ConditionExpression=condition,
            ExpressionAttributeNames={"#model": "model", "#trashed_at": "trashed_at"},
            ExpressionAttributeValues={":was": {"S": was}, ":new": {"S": "2026"}},
        )

    shown, trashed = "#model = :was AND attribute_not_exists(#trashed_at)", "#trashed_at = :was"
    trash, restore = "SET #trashed_at = :new REMOVE #model", "SET #model = :new REMOVE #trashed_at"
    seen: list[list[Any]] = []
    for client in (clients[0], MemoryTable()):
        table: Any = client
        answers = [
            answer(partial(table.put_item, TableName="t", Item={**KEY, "model": {"S": "m"}}, **new)) for _ in range(2)
        ]
        answers += [
            answer(partial(replacement, table, *step))
            for step in (
                (shown, "n", trash),
                (shown, "m", trash),
                (shown, "m", trash),
                (trashed, "2025", restore),
                (trashed, "2026", restore),
            )
        ]
        there: Any = {"TableName": "t", "Key": KEY, "ConditionExpression": "attribute_exists(pk)"}
        answers += [answer(partial(table.delete_item, **there)) for _ in range(2)]
        seen.append([one if isinstance(one, tuple) else "done" for one in answers])
    assert seen[0] == seen[1]
    refused: Any = ("ConditionalCheckFailedException", [])
    assert seen[0] == ["done", refused, refused, "done", refused, refused, "done", "done", refused]


def test_buckets_behave_the_same_as_on_moto(clients: Any) -> None:
    seen = []
    for client in (clients[1], MemoryBucket()):
        bucket: Any = client
        where = {"Bucket": "images", "Key": "k"}
        absent = [answer(partial(call, **where)) for call in (bucket.get_object, bucket.head_object)]
        bucket.put_object(**where, Body=b"data")
        got = bucket.get_object(**where)
        seen.append([absent, got["ContentLength"], got["ETag"], got["Body"].read()])
        bucket.delete_object(**where)
        bucket.delete_object(**where)
    assert seen[0] == seen[1]
