"""`python -m infra.operate adopt` configures a bucket and a table that an earlier stack left behind."""

import argparse
import json
import os
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import boto3
import httpx
import pytest

from infra.app import template_from_subprocess
from infra.local.cloud import STACK
from infra.local.serving import serving
from infra.local.template import Template, resources
from infra.operate import adopt
from infra.operate.adopted_bucket import differ
from infra.operate.deployed_stack import DeployedStack
from shared.domain import table_schema
from shared.settings import ApiSettings
from tests.conftest import PicTrace
from tests.images import noise
from tests.integration.conftest import invoke_ingest, until

PAGE: Final = "https://abc123.execute-api.us-east-1.amazonaws.com"


@pytest.fixture(scope="module")
def template() -> Template:
    return template_from_subprocess()


@dataclass(frozen=True)
class Leftovers:
    """A bucket and a table that an earlier stack left behind, and a new stack that uses them."""

    bucket: str
    table: str
    queue: str
    stack: DeployedStack

    def adopt(self, *, yes: bool = True) -> int:
        return adopt.run(argparse.Namespace(yes=yes, context=[]), self.stack)

    def described(self) -> Any:
        return boto3.client("dynamodb").describe_table(TableName=self.table)["Table"]


@pytest.fixture
def left(running: PicTrace, template: Template, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Leftovers]:
    """A bucket without settings, and a table as after a restore with only one of its vector indexes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(adopt, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(adopt, "template_from_subprocess", lambda _: template)
    name = f"left-{uuid.uuid4().hex[:8]}"
    boto3.client("s3").create_bucket(Bucket=name)
    [wanted] = [one["Properties"] for one in resources(template, "AWS::DynamoDB::Table").values()]
    first = wanted["VectorIndexes"][0]
    boto3.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        **{each: wanted[each] for each in ("KeySchema", "GlobalSecondaryIndexes")},
        AttributeDefinitions=adopt.definitions(wanted, [wanted, *wanted["GlobalSecondaryIndexes"], first]),
        VectorIndexes=[first],
    )
    queue = boto3.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    outputs = {"BucketName": name, "TableName": name, "QueueUrl": queue, "ApiUrl": PAGE}
    yield Leftovers(name, name, queue, DeployedStack(STACK, dict(running.cloud.outputs) | outputs))
    boto3.client("dynamodb").update_table(TableName=name, DeletionProtectionEnabled=False)
    boto3.client("dynamodb").delete_table(TableName=name)


def test_resources_that_the_stack_created_are_left_alone(running: PicTrace, capsys: pytest.CaptureFixture[str]) -> None:
    stack = DeployedStack(STACK, dict(running.cloud.outputs) | {"ApiUrl": PAGE})
    assert adopt.run(argparse.Namespace(yes=True, context=[]), stack) == 0
    assert "Nothing to adopt" in capsys.readouterr().out


def test_nothing_is_changed_without_confirmation(left: Leftovers, capsys: pytest.CaptureFixture[str]) -> None:
    assert left.adopt(yes=False) == 1
    said = capsys.readouterr().out
    assert f"{left.table}: create the index {table_schema.LOCAL_INDEX}" in said
    assert f"create the index {table_schema.VECTOR_INDEX}" not in said
    assert "DeletionProtectionEnabled" not in left.described() or not left.described()["DeletionProtectionEnabled"]


def test_adopted_resources_match_the_template(left: Leftovers, template: Template) -> None:
    assert left.adopt() == 0
    [wanted] = [one["Properties"] for one in resources(template, "AWS::DynamoDB::Table").values()]
    table, dynamodb, s3 = left.described(), boto3.client("dynamodb"), boto3.client("s3")
    assert table["DeletionProtectionEnabled"] is True
    for kind in ("VectorIndexes", "GlobalSecondaryIndexes"):
        assert {one["IndexName"] for one in table[kind]} == {one["IndexName"] for one in wanted[kind]}
    expiry = dynamodb.describe_time_to_live(TableName=left.table)["TimeToLiveDescription"]
    assert expiry == {"TimeToLiveStatus": "ENABLED", "AttributeName": table_schema.TTL_ATTRIBUTE}
    backups = dynamodb.describe_continuous_backups(TableName=left.table)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    [cors] = s3.get_bucket_cors(Bucket=left.bucket)["CORSRules"]
    assert (cors["AllowedOrigins"], cors["AllowedMethods"], cors["MaxAgeSeconds"]) == ([PAGE], ["POST"], 3600)
    rules = {rule["ID"]: rule for rule in s3.get_bucket_lifecycle_configuration(Bucket=left.bucket)["Rules"]}
    assert rules.keys() == {"unfinished-uploads", "rejected-uploads"}
    assert rules["rejected-uploads"]["Expiration"]["Days"] == 7
    assert rules["rejected-uploads"]["Filter"]["And"]["Tags"] == [{"Key": "pictrace", "Value": "rejected"}]
    policy = json.loads(s3.get_bucket_policy(Bucket=left.bucket)["Policy"])
    for statement in policy["Statement"]:
        assert statement["Effect"] == "Deny"
        assert statement["Resource"] == [f"arn:aws:s3:::{left.bucket}", f"arn:aws:s3:::{left.bucket}/*"]
    assert left.adopt() == 0, "adopting again changes nothing"


def test_what_a_bucket_had_is_saved_and_can_be_put_back(
    left: Leftovers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    s3 = boto3.client("s3")
    cors: Any = {"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["https://shop.example"]}]}
    expiry: Any = {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 3}}
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:DeleteBucket", "Resource": f"arn:aws:s3:::{left.bucket}"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    queue = boto3.client("sqs").create_queue(QueueName=f"{left.bucket}-other")["QueueUrl"]
    attributes = boto3.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    arn = attributes["QueueArn"]
    other: Any = {"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]}
    s3.put_bucket_cors(Bucket=left.bucket, CORSConfiguration=cors)
    s3.put_bucket_lifecycle_configuration(Bucket=left.bucket, LifecycleConfiguration={"Rules": [expiry]})
    s3.put_bucket_policy(Bucket=left.bucket, Policy=policy)
    s3.put_bucket_notification_configuration(Bucket=left.bucket, NotificationConfiguration=other)

    assert left.adopt(yes=False) == 1
    assert capsys.readouterr().out.count("; replaces another setting") == 4
    assert list(tmp_path.iterdir()) == []
    assert left.adopt() == 0
    said = capsys.readouterr().out
    commands = re.findall(r"^  aws s3api put-bucket-(\S+) --cli-input-json file://(\S+)$", said, re.MULTILINE)
    assert said.index(commands[-1][1]) < said.index(" ...\n")
    assert s3.get_bucket_cors(Bucket=left.bucket)["CORSRules"][0]["AllowedOrigins"] == [PAGE]
    assert left.adopt() == 0
    assert "replaces" not in capsys.readouterr().out
    assert {str(path) for path in tmp_path.iterdir()} == {path for _, path in commands}

    for name, path in commands:
        getattr(s3, f"put_bucket_{name.replace('-', '_')}")(**json.loads(Path(path).read_text()))
    assert s3.get_bucket_cors(Bucket=left.bucket)["CORSRules"] == cors["CORSRules"]
    assert s3.get_bucket_lifecycle_configuration(Bucket=left.bucket)["Rules"] == [expiry]
    assert s3.get_bucket_policy(Bucket=left.bucket)["Policy"] == policy
    [restored] = s3.get_bucket_notification_configuration(Bucket=left.bucket)["QueueConfigurations"]
    assert (restored["QueueArn"], restored["Events"]) == (arn, ["s3:ObjectCreated:*"])


def test_nothing_is_replaced_before_the_earlier_setting_is_saved(left: Leftovers, tmp_path: Path) -> None:
    s3 = boto3.client("s3")
    rule: Any = {"AllowedMethods": ["GET"], "AllowedOrigins": ["https://shop.example"]}
    s3.put_bucket_cors(Bucket=left.bucket, CORSConfiguration={"CORSRules": [rule]})
    tmp_path.rmdir()
    with pytest.raises(LookupError, match="cannot be written"):
        left.adopt()
    assert s3.get_bucket_cors(Bucket=left.bucket)["CORSRules"] == [rule]


def notified(filter_name: str, **added: str) -> dict[str, Any]:
    filters = {"Key": {"FilterRules": [{"Name": filter_name, "Value": "uploads/"}]}}
    return {"QueueConfigurations": [{"QueueArn": "queue", "Filter": filters, **added}]}


def test_what_s3_itself_changes_of_a_setting_is_no_difference() -> None:
    assert not differ(notified("prefix"), notified("Prefix", Id="given by S3"))
    assert differ(notified("prefix"), notified("suffix"))
    assert not differ({"Rules": [{"ID": "a"}, {"ID": "b"}]}, {"Rules": [{"ID": "b"}, {"ID": "a"}]})
    assert not differ({"Policy": '{"Version": "1", "Statement": []}'}, {"Policy": '{"Statement":[],"Version":"1"}'})


def test_an_upload_reaches_an_adopted_table_and_is_found(left: Leftovers, monkeypatch: pytest.MonkeyPatch) -> None:
    from functions.api.app import create_app
    from functions.api.bootstrap import deployed_services
    from functions.ingest.bootstrap import reset

    assert left.adopt() == 0
    services = deployed_services(replace(ApiSettings.from_environ(os.environ), bucket=left.bucket, table=left.table))
    monkeypatch.setenv("PICTRACE_BUCKET", left.bucket)
    monkeypatch.setenv("PICTRACE_TABLE", left.table)
    reset()
    data, sqs = noise(88_100), boto3.client("sqs")
    sqs.purge_queue(QueueUrl=left.queue)  # S3 has sent a test event to the queue
    boto3.client("s3").delete_bucket_policy(Bucket=left.bucket)  # moto enforces it but does not support TLS
    try:
        with serving(create_app(services), 0) as url, httpx.Client(base_url=url, timeout=60) as api:
            form = api.post("/v1/uploads", json={"filename": "a.png", "content_type": "image/png"}).json()
            httpx.post(form["url"], data=form["fields"], files={"file": ("a.png", data)})
            message: Any = until(lambda: sqs.receive_message(QueueUrl=left.queue).get("Messages"))[0]
            record = {"messageId": "1", "receiptHandle": "r", "body": message["Body"], "attributes": {}}
            event = {"Records": [record | {"eventSource": "aws:sqs"}]}
            assert invoke_ingest(event) == {"batchItemFailures": []}
            found = api.post("/v1/search", files={"file": ("q", data)}).json()
    finally:
        monkeypatch.undo()
        reset()
    assert [match["verdict"] for match in found["matches"]] == ["identical"]


def test_an_index_with_another_definition_is_named(left: Leftovers) -> None:
    dynamodb = boto3.client("dynamodb")
    dynamodb.update_table(
        TableName=left.table,
        AttributeDefinitions=[{"AttributeName": "collection", "AttributeType": "S"}],
        GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": table_schema.LISTING_INDEX}}],
    )
    dynamodb.update_table(
        TableName=left.table,
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in ("collection", "created_at", "duplicate_group")
        ],
        GlobalSecondaryIndexUpdates=[
            {
                "Create": {
                    "IndexName": table_schema.LISTING_INDEX,
                    "KeySchema": [{"AttributeName": "collection", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "ALL"},
                }
            }
        ],
    )
    with pytest.raises(LookupError, match=f"{table_schema.LISTING_INDEX} of {left.table} has another KeySchema"):
        left.adopt()


def test_a_bucket_whose_objects_the_functions_could_not_read_is_refused(left: Leftovers) -> None:
    s3 = boto3.client("s3")
    s3.put_bucket_versioning(Bucket=left.bucket, VersioningConfiguration={"Status": "Enabled"})
    with pytest.raises(LookupError, match=f"{left.bucket} keeps versions"):
        left.adopt()
    s3.put_bucket_versioning(Bucket=left.bucket, VersioningConfiguration={"Status": "Suspended"})
    for key, said in (("arn:aws:kms:us-east-1:123456789012:key/ours", "encrypts with arn:aws:kms"), (None, None)):
        by_key: Any = {"SSEAlgorithm": "aws:kms"} | ({"KMSMasterKeyID": key} if key else {})
        rules: Any = {"Rules": [{"ApplyServerSideEncryptionByDefault": by_key}]}
        s3.put_bucket_encryption(Bucket=left.bucket, ServerSideEncryptionConfiguration=rules)
        if said:
            with pytest.raises(LookupError, match=said):
                left.adopt()
    assert left.adopt() == 0
