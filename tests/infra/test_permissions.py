"""The exact permissions of every role."""

import re
from pathlib import Path
from typing import Any, Final

import pytest

from infra import app
from shared.domain.table_schema import KEYS_PARTITION
from tests.infra.reading import listed, resources, text

SHARED_AWS = Path(__file__).parents[2] / "shared" / "aws"

INGEST: Final = {
    ("logs:CreateLogStream", "<IngestLogs>"),
    ("logs:PutLogEvents", "<IngestLogs>"),
    ("xray:PutTraceSegments", "*"),
    ("xray:PutTelemetryRecords", "*"),
    ("sqs:ReceiveMessage", "<IngestionQueue>"),
    ("sqs:ChangeMessageVisibility", "<IngestionQueue>"),
    ("sqs:GetQueueUrl", "<IngestionQueue>"),
    ("sqs:DeleteMessage", "<IngestionQueue>"),
    ("sqs:GetQueueAttributes", "<IngestionQueue>"),
    ("sqs:ReceiveMessage", "<IngestionPeopleQueue>"),
    ("sqs:ChangeMessageVisibility", "<IngestionPeopleQueue>"),
    ("sqs:GetQueueUrl", "<IngestionPeopleQueue>"),
    ("sqs:DeleteMessage", "<IngestionPeopleQueue>"),
    ("sqs:GetQueueAttributes", "<IngestionPeopleQueue>"),
    ("s3:GetObject", "<StorageBucket>/uploads/*"),
    ("s3:PutObjectTagging", "<StorageBucket>/uploads/*"),
    ("s3:DeleteObject", "<StorageBucket>/uploads/*"),
    ("s3:GetObject", "<StorageBucket>/signatures/*"),
    ("s3:PutObject", "<StorageBucket>/signatures/*"),
    ("s3:DeleteObject", "<StorageBucket>/signatures/*"),
    ("s3:GetObject", "<StorageBucket>/thumbnails/*"),
    ("s3:PutObject", "<StorageBucket>/thumbnails/*"),
    ("s3:DeleteObject", "<StorageBucket>/thumbnails/*"),
    ("s3:ListBucket", "<StorageBucket>"),
    ("dynamodb:GetItem", "<StorageTable>"),
    ("dynamodb:BatchGetItem", "<StorageTable>"),
    ("dynamodb:PutItem", "<StorageTable>"),
    ("dynamodb:UpdateItem", "<StorageTable>"),
    ("dynamodb:DeleteItem", "<StorageTable>"),
    ("dynamodb:Query", "<StorageTable>"),
    ("dynamodb:Query", "<StorageTable>/index/newest-v1"),
    ("dynamodb:Query", "<StorageTable>/index/annotated-v1"),
    ("dynamodb:Query", "<StorageTable>/index/duplicates-v1"),
    ("dynamodb:Query", "<StorageTable>/index/pixels-v1"),
    ("dynamodb:SearchVectors", "<StorageTable>/index/features-v1"),
    ("dynamodb:SearchVectors", "<StorageTable>/index/local_features-v1"),
    ("dynamodb:SearchVectors", "<StorageTable>/index/faces-v1"),
    ("dynamodb:ConditionCheckItem", "<StorageTable>"),
    ("dynamodb:BatchWriteItem", "<StorageTable>"),
    ("sqs:SendMessage", "<IngestionPeopleQueue>"),
    ("events:PutEvents", "<IngestionBus>"),
    ("sqs:SendMessage", "<IngestionQueue>"),
    ("sqs:SendMessage", "<IngestionDeadLetters>"),
    ("lambda:InvokeFunction", "<FetchingFunction>"),
}
API: Final = {
    ("logs:CreateLogStream", "<ApiLogs>"),
    ("logs:PutLogEvents", "<ApiLogs>"),
    ("xray:PutTraceSegments", "*"),
    ("xray:PutTelemetryRecords", "*"),
    ("s3:GetObject", "<StorageBucket>/uploads/*"),
    ("s3:GetObject", "<StorageBucket>/signatures/*"),
    ("s3:GetObject", "<StorageBucket>/thumbnails/*"),
    ("s3:DeleteObject", "<StorageBucket>/uploads/*"),
    ("s3:DeleteObject", "<StorageBucket>/signatures/*"),
    ("s3:DeleteObject", "<StorageBucket>/thumbnails/*"),
    ("s3:PutObject", "<StorageBucket>/uploads/*"),
    ("s3:PutObject", "<StorageBucket>/thumbnails/*"),
    ("s3:ListBucket", "<StorageBucket>"),
    ("dynamodb:GetItem", "<StorageTable>"),
    ("dynamodb:BatchGetItem", "<StorageTable>"),
    ("dynamodb:PutItem", "<StorageTable>"),
    ("dynamodb:UpdateItem", "<StorageTable>"),
    ("dynamodb:DeleteItem", "<StorageTable>"),
    ("dynamodb:Query", "<StorageTable>"),
    ("dynamodb:Query", "<StorageTable>/index/newest-v1"),
    ("dynamodb:ConditionCheckItem", "<StorageTable>"),
    ("dynamodb:Query", "<StorageTable>/index/taken-v1"),
    ("dynamodb:Query", "<StorageTable>/index/annotated-v1"),
    ("dynamodb:Query", "<StorageTable>/index/duplicates-v1"),
    ("dynamodb:Query", "<StorageTable>/index/pixels-v1"),
    ("dynamodb:SearchVectors", "<StorageTable>/index/features-v1"),
    ("dynamodb:SearchVectors", "<StorageTable>/index/local_features-v1"),
    ("dynamodb:SearchVectors", "<StorageTable>/index/faces-v1"),
    ("dynamodb:ConditionCheckItem", "<StorageTable>"),
    ("dynamodb:BatchWriteItem", "<StorageTable>"),
    ("sqs:SendMessage", "<IngestionPeopleQueue>"),
    ("sqs:SendMessage", "<IngestionQueue>"),
    ("lambda:InvokeFunction", "<FetchingFunction>"),
}
FETCH: Final = {
    ("logs:CreateLogStream", "<FetchLogs>"),
    ("logs:PutLogEvents", "<FetchLogs>"),
    ("xray:PutTraceSegments", "*"),
    ("xray:PutTelemetryRecords", "*"),
    ("s3:PutObject", "<StorageBucket>/uploads/*"),
}

ACTION_OF: Final = {
    "head_object": {"s3:GetObject"},
    "generate_presigned_url": {"s3:GetObject"},
    "generate_presigned_post": {"s3:PutObject"},
    "get_paginator": {"dynamodb:Query"},
    "invoke": {"lambda:InvokeFunction"},
    "transact_write_items": {"dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:ConditionCheckItem"},
}
"""Methods of boto3 clients whose IAM action has another name."""


SERVICES: Final = ("s3:", "dynamodb:", "events:", "lambda:", "sqs:Send", "sqs:Change")


def statements(document: dict[str, Any], policy: str) -> list[Any]:
    found: list[Any] = resources(document, "AWS::IAM::Policy")[policy]["PolicyDocument"]["Statement"]
    return found


def rights(document: dict[str, Any], policy: str) -> set[tuple[str, str]]:
    return {
        (action, text(resource))
        for statement in statements(document, policy)
        if statement["Effect"] == "Allow"
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    }


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("IngestionFunctionRoleDefaultPolicy", INGEST),
        ("SearchFunctionRoleDefaultPolicy", API),
        ("FetchingFunctionRoleDefaultPolicy", FETCH),
    ],
)
def test_each_function_has_exactly_these_permissions(
    document: dict[str, Any], policy: str, expected: set[tuple[str, str]]
) -> None:
    assert rights(document, policy) == expected


@pytest.mark.parametrize("policy", ["IngestionFunctionRoleDefaultPolicy", "SearchFunctionRoleDefaultPolicy"])
def test_no_function_may_write_api_keys(document: dict[str, Any], policy: str) -> None:
    (denied,) = [entry for entry in statements(document, policy) if entry["Effect"] == "Deny"]
    assert text(denied["Resource"]) == "<StorageTable>"
    writes = ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem")
    assert set(denied["Action"]) == {f"dynamodb:{action}" for action in writes}
    assert denied["Condition"] == {"ForAnyValue:StringEquals": {"dynamodb:LeadingKeys": [KEYS_PARTITION]}}


def test_there_are_no_other_roles_or_policies(document: dict[str, Any]) -> None:
    assert set(resources(document, "AWS::IAM::Policy")) == {
        "IngestionFunctionRoleDefaultPolicy",
        "SearchFunctionRoleDefaultPolicy",
        "FetchingFunctionRoleDefaultPolicy",
    }
    roles = resources(document, "AWS::IAM::Role")
    assert len(roles) == 3
    for role in roles.values():
        assert "ManagedPolicyArns" not in role
        assert "Policies" not in role
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}


@pytest.mark.parametrize("policy", ["IngestionFunctionRoleDefaultPolicy", "SearchFunctionRoleDefaultPolicy"])
def test_listing_is_limited_to_prefixes(document: dict[str, Any], policy: str) -> None:
    (listing,) = [entry for entry in statements(document, policy) if entry["Action"] == "s3:ListBucket"]
    assert listing["Condition"] == {"StringLikeIfExists": {"s3:prefix": ["uploads/*", "signatures/*", "thumbnails/*"]}}


def test_the_permissions_match_the_calls_in_the_code() -> None:
    called = set()
    services = {
        "dynamodb/catalogue": "dynamodb",
        "dynamodb/record_writes": "dynamodb",
        "dynamodb/ledger": "dynamodb",
        "dynamodb/secondary_vectors": "dynamodb",
        "dynamodb/active_model": "dynamodb",
        "dynamodb/uploads": "dynamodb",
        "dynamodb/duplicates": "dynamodb",
        "dynamodb/duplicate_scans": "dynamodb",
        "dynamodb/trash": "dynamodb",
        "dynamodb/trash_entries": "dynamodb",
        "dynamodb/transactions": "dynamodb",
        "dynamodb/album_trash": "dynamodb",
        "dynamodb/albums": "dynamodb",
        "dynamodb/batches": "dynamodb",
        "dynamodb/shares": "dynamodb",
        "dynamodb/people": "dynamodb",
        "dynamodb/api_keys": "dynamodb",
        "objects": "s3",
        "event_bus": "events",
        "dead_letters": "sqs",
        "ingest_messages": "sqs",
        "retry_delays": "sqs",
        "fetch_client": "lambda",
    }
    for module, service in services.items():
        source = (SHARED_AWS / f"{module}.py").read_text(encoding="utf-8")
        for name in re.findall(r"_client\.(\w+)\(", source):
            camel = "".join(part.title() for part in name.split("_"))
            called |= ACTION_OF.get(name, {f"{service}:{camel}"})
    granted = {action for action, _ in INGEST | API | FETCH if action.startswith(SERVICES)}
    assert granted - {"s3:ListBucket"} == called


def test_other_buckets_are_read_only() -> None:
    document = app.template({"source_buckets": "photos-of-others"})
    plain = app.template()
    for policy in ("IngestionFunctionRoleDefaultPolicy", "SearchFunctionRoleDefaultPolicy"):
        more = rights(document, policy) - rights(plain, policy)
        arn = "arn:<AWS::Partition>:s3:::photos-of-others"
        assert more == {
            ("s3:GetObject", f"{arn}/*"),
            ("s3:GetObjectVersion", f"{arn}/*"),
            ("s3:ListBucket", arn),
        }


KEYS: Final = (
    "arn:aws:kms:eu-west-1:123456789012:key/0f1e2d3c-0000-4000-8000-000000000001",
    "arn:aws:kms:eu-west-1:999999999999:key/mrk-0f1e2d3c000040008000000000000002",
)


def test_source_keys_allow_decryption_only() -> None:
    document = app.template({"source_buckets": "photos-of-others", "source_keys": ", ".join(KEYS)})
    plain = app.template({"source_buckets": "photos-of-others"})
    for policy in ("IngestionFunctionRoleDefaultPolicy", "SearchFunctionRoleDefaultPolicy"):
        assert rights(document, policy) - rights(plain, policy) == {("kms:Decrypt", key) for key in KEYS}
    assert rights(document, "FetchingFunctionRoleDefaultPolicy") == FETCH


def test_only_this_api_may_invoke_the_api_function(document: dict[str, Any]) -> None:
    (permission,) = resources(document, "AWS::Lambda::Permission").values()
    assert permission["Principal"] == "apigateway.amazonaws.com"
    assert text(permission["SourceArn"]).endswith(":<Api>/*/*")
