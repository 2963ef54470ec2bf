"""A stack that uses an existing bucket and an existing table."""

from typing import Any

import pytest

from infra import app
from tests.infra.reading import function, plain, resources, text
from tests.infra.test_permissions import API, FETCH, INGEST, rights

NAMES = {"existing_bucket": "pictrace-prod-kept", "existing_table": "Restored-2026"}


@pytest.fixture(scope="module")
def over() -> dict[str, Any]:
    return app.template(NAMES)


def test_existing_resources_are_used_instead_of_new_ones(over: dict[str, Any]) -> None:
    for kind in ("AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::DynamoDB::Table"):
        assert resources(over, kind) == {}
    for name in ("ingest", "api"):
        variables = function(over, name)["Environment"]["Variables"]
        assert (variables["PICTRACE_BUCKET"], variables["PICTRACE_TABLE"]) == tuple(NAMES.values())
    assert over["Outputs"]["BucketName"]["Value"] == NAMES["existing_bucket"]
    assert over["Outputs"]["TableName"]["Value"] == NAMES["existing_table"]


def test_switching_to_existing_resources_deletes_nothing(document: dict[str, Any], over: dict[str, Any]) -> None:
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
def test_permissions_on_existing_resources_are_the_usual_ones(
    over: dict[str, Any], policy: str, usual: set[tuple[str, str]]
) -> None:
    bucket = f"arn:<AWS::Partition>:s3:::{NAMES['existing_bucket']}"
    table = f"arn:<AWS::Partition>:dynamodb:<AWS::Region>:<AWS::AccountId>:table/{NAMES['existing_table']}"
    assert rights(over, policy) == {
        (action, where.replace("<StorageBucket>", bucket).replace("<StorageTable>", table)) for action, where in usual
    }


def test_only_the_existing_bucket_may_send_to_the_queue(over: dict[str, Any]) -> None:
    statements = resources(over, "AWS::SQS::QueuePolicy")["IngestionQueuePolicy"]["PolicyDocument"]["Statement"]
    (bucket,) = [one for one in statements if one.get("Sid") == "UploadsBucket"]
    (source,) = bucket["Condition"]["ArnLike"]["aws:SourceArn"]
    assert text(source) == f"arn:<AWS::Partition>:s3:::{NAMES['existing_bucket']}"


def test_the_bucket_or_the_table_alone_can_be_an_existing_one() -> None:
    restored = app.template({"existing_table": NAMES["existing_table"]})
    assert len(resources(restored, "AWS::S3::Bucket")) == 1
    assert resources(restored, "AWS::DynamoDB::Table") == {}
