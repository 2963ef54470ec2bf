"""The permissions of the functions' roles, tried in a process that has only the role."""

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from tests.conftest import PicTrace
from tests.ministack.conftest import SHOP

PROGRAM = """
import boto3
from botocore.exceptions import ClientError

def handler(event, context):
    try:
        getattr(boto3.client(event["service"]), event["call"])(**event["arguments"])
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "allowed"
"""

CallAs = Callable[..., str]


@pytest.fixture(scope="module")
def call_as(deployed: PicTrace) -> CallAs:
    """A function that makes one AWS call in the role of a function and returns `allowed` or the error code."""
    deployment: Any = deployed.cloud
    functions: Any = boto3.client("lambda")
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("probe.py", PROGRAM)
    for name, function in deployment.functions.items():
        same = functions.get_function_configuration(FunctionName=function)
        functions.create_function(
            FunctionName=f"probe-{name}",
            Code={"ZipFile": code.getvalue()},
            Handler="probe.handler",
            **{setting: same[setting] for setting in ("Role", "Runtime", "Environment", "Timeout")},
        )

    def call(function: str, service: str, call: str, **arguments: Any) -> str:
        event = {"service": service, "call": call, "arguments": arguments}
        answer = functions.invoke(FunctionName=f"probe-{function}", Payload=json.dumps(event).encode())
        return str(json.loads(answer["Payload"].read()))

    return call


def test_objects_are_accessible_only_under_the_granted_prefixes(deployed: PicTrace, call_as: CallAs) -> None:
    bucket = deployed.cloud.outputs["BucketName"]
    may_write = {
        ("api", "uploads/x"): "allowed",
        ("api", "thumbnails/x"): "allowed",
        ("api", "signatures/x"): "AccessDenied",
        ("api", "x"): "AccessDenied",
        ("ingest", "signatures/x"): "allowed",
        ("ingest", "uploads/x"): "AccessDenied",
        ("ingest", "thumbnails/x"): "allowed",
        ("ingest", "x"): "AccessDenied",
    }
    found = {(who, key): call_as(who, "s3", "put_object", Bucket=bucket, Key=key) for who, key in may_write}
    assert found == may_write


@pytest.mark.parametrize("who", ["api", "ingest"])
def test_other_buckets_are_read_only(call_as: CallAs, who: str) -> None:
    boto3.client("s3").put_object(Bucket=SHOP, Key="theirs", Body=b"x")
    assert call_as(who, "s3", "head_object", Bucket=SHOP, Key="theirs") == "allowed"
    assert call_as(who, "s3", "head_object", Bucket=SHOP, Key="absent") == "404"
    assert call_as(who, "s3", "put_object", Bucket=SHOP, Key="theirs") == "AccessDenied"
    assert call_as(who, "s3", "delete_object", Bucket=SHOP, Key="theirs") == "AccessDenied"
    assert call_as(who, "s3", "list_objects_v2", Bucket="code") == "AccessDenied"
    assert call_as(who, "s3", "get_object", Bucket="code", Key="api.zip") == "AccessDenied"


@pytest.mark.parametrize("who", ["api", "ingest"])
def test_absent_objects_are_distinguished_from_forbidden_ones(deployed: PicTrace, call_as: CallAs, who: str) -> None:
    """Both look for an image's signature and thumbnail after a removal, which the other function may have deleted."""
    bucket = deployed.cloud.outputs["BucketName"]
    for prefix in ("uploads", "signatures", "thumbnails"):
        assert call_as(who, "s3", "head_object", Bucket=bucket, Key=f"{prefix}/absent") == "404", prefix
    assert call_as(who, "s3", "head_object", Bucket=bucket, Key="absent") == "403"


@pytest.mark.parametrize("who", ["api", "ingest"])
def test_the_table_can_be_neither_scanned_nor_deleted(deployed: PicTrace, call_as: CallAs, who: str) -> None:
    table = deployed.cloud.outputs["TableName"]
    assert call_as(who, "dynamodb", "get_item", TableName=table, Key={"pk": {"S": "a"}, "sk": {"S": "b"}}) == "allowed"
    for call in ("scan", "delete_table"):
        assert call_as(who, "dynamodb", call, TableName=table) == "AccessDeniedException"


def test_only_ingest_publishes_events(deployed: PicTrace, call_as: CallAs) -> None:
    outputs = deployed.cloud.outputs
    entry = {"Source": "probe", "DetailType": "Probe", "Detail": "{}", "EventBusName": outputs["BusName"]}
    assert call_as("ingest", "events", "put_events", Entries=[entry]) == "allowed"
    assert call_as("api", "events", "put_events", Entries=[entry]) == "AccessDeniedException"
    message = {"QueueUrl": outputs["QueueUrl"], "MessageBody": '{"Event": "s3:TestEvent"}'}
    assert call_as("ingest", "sqs", "send_message", **message) == "allowed", "it postpones checks for near-duplicates"
    assert call_as("api", "sqs", "send_message", **message) == "allowed", "it starts comparing a collection again"
