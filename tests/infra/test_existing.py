"""A stack over a bucket and a table that were there before it."""

from typing import Any

import pytest

from infra import app
from tests.infra.reading import function, plain, resources, text
from tests.infra.test_permissions import API, FETCH, INGEST, rights

NAMES = {"existing_bucket": "pictrace-prod-kept", "existing_table": "Restored-2026"}


@pytest.fixture(scope="module")
def over() -> dict[str, Any]:
    return app.template(NAMES)


def test_neither_is_made_and_both_are_used(over: dict[str, Any]) -> None:
    for kind in ("AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::DynamoDB::Table"):
        assert resources(over, kind) == {}
    for name in ("ingest", "api"):
        variables = function(over, name)["Environment"]["Variables"]
        assert (variables["PICTRACE_BUCKET"], variables["PICTRACE_TABLE"]) == tuple(NAMES.values())
    assert over["Outputs"]["BucketName"]["Value"] == NAMES["existing_bucket"]
    assert over["Outputs"]["TableName"]["Value"] == NAMES["existing_table"]


def test_turning_to_them_deletes_nothing(document: dict[str, Any], over: dict[str, Any]) -> None:
    gone = document["Resources"].keys() - over["Resources"].keys()
    assert {plain(name) for name in gone} == {"StorageBucket", "StorageBucketPolicy", "StorageTable"}
    for name in gone:
        if "Policy" not in name:
            assert document["Resources"][name]["DeletionPolicy"] == "RetainExceptOnCreate"


@pytest.mark.parametrize(
    ("policy", "usual"),
    [
        ("IngestionFunctionRoleDefaultPolicy", INGEST),
        ("SearchFunctionRoleDefaultPolicy", API),
        ("FetchingFunctionRoleDefaultPolicy", FETCH),
    ],
)
def test_the_rights_are_the_same_on_them(over: dict[str, Any], policy: str, usual: set[tuple[str, str]]) -> None:
    bucket = f"arn:<AWS::Partition>:s3:::{NAMES['existing_bucket']}"
    table = f"arn:<AWS::Partition>:dynamodb:<AWS::Region>:<AWS::AccountId>:table/{NAMES['existing_table']}"
    assert rights(over, policy) == {
        (action, where.replace("<StorageBucket>", bucket).replace("<StorageTable>", table)) for action, where in usual
    }


def test_the_queue_takes_messages_of_that_bucket_alone(over: dict[str, Any]) -> None:
    statements = resources(over, "AWS::SQS::QueuePolicy")["IngestionQueuePolicy"]["PolicyDocument"]["Statement"]
    (bucket,) = [one for one in statements if one.get("Sid") == "UploadsBucket"]
    (source,) = bucket["Condition"]["ArnLike"]["aws:SourceArn"]
    assert text(source) == f"arn:<AWS::Partition>:s3:::{NAMES['existing_bucket']}"


def test_one_of_them_may_be_the_stacks_own() -> None:
    restored = app.template({"existing_table": NAMES["existing_table"]})
    assert len(resources(restored, "AWS::S3::Bucket")) == 1
    assert resources(restored, "AWS::DynamoDB::Table") == {}
