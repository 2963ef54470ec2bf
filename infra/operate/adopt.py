"""Give an existing bucket and table, left by an earlier stack or restored, the settings of the stack's own."""

import argparse
import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3

from infra.app import template_from_subprocess
from infra.operate.adopted_bucket import BucketSetting, bucket_setting_list
from infra.operate.deployed_stack import DeployedStack
from infra.operate.prompts import confirm

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

OWN: Final = {"existing_bucket": "", "existing_table": ""}
POLL_SECONDS: Final = 10
VECTORS: Final = ("VectorIndexes", "VectorIndexUpdates")
SECONDARY: Final = ("GlobalSecondaryIndexes", "GlobalSecondaryIndexUpdates")
COMPARED: Final = ("KeySchema", "Projection", "VectorAttribute", "Dimensions", "DistanceFunction", "SearchSchema")
"""What makes two indexes of one name different; their states and sizes do not."""


def add_parser(subparsers: "Subparsers") -> None:
    parser = subparsers.add_parser(
        "adopt",
        help="give an existing bucket and table the settings that the stack's own would have",
        description="For a stack that was deployed with existing_bucket or existing_table: sets on them, through the "
        "API, what the template sets on the stack's own, and creates the table's indexes that are missing. It replaces "
        "the bucket's policy, lifecycle, CORS and notifications; those that differ are saved in files in the current "
        "folder first. Doing it twice does no harm.",
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument(
        "-c", "--context", action="append", default=[], metavar="NAME=VALUE", help="a setting that was given to cdk so"
    )
    parser.set_defaults(run=run)


@dataclass(frozen=True, slots=True)
class Step:
    """One setting: what it is, in words, and how it is made."""

    what: str
    make: Callable[[], object]


def run(args: argparse.Namespace, stack: DeployedStack) -> int:
    settings = dict(pair.split("=", 1) for pair in args.context)
    document = template_from_subprocess(settings | OWN)
    wanted = resolved(document["Resources"], _attributes(document, stack))
    own = _own(stack)
    bucket_settings: list[BucketSetting] = []
    if (bucket := stack.outputs["BucketName"]) not in own:
        policy = json.dumps(_properties(wanted, "AWS::S3::BucketPolicy")["PolicyDocument"]).replace(OWN_BUCKET, bucket)
        bucket_settings = bucket_setting_list(bucket, _properties(wanted, "AWS::S3::Bucket"), json.loads(policy))
    steps = [Step(setting.describe(), setting.put) for setting in bucket_settings]
    if stack.table not in own:
        steps += table_steps(stack.table, _properties(wanted, "AWS::DynamoDB::Table"))
    if not steps:
        print("Nothing to adopt: the stack made its bucket and its table itself.")
        return 0
    for step in steps:
        print(f"  {step.what}")
    if not (args.yes or confirm(f"Apply {len(steps)} settings?")):
        return 1
    if commands := [setting.save_earlier(Path()) for setting in bucket_settings if setting.earlier]:
        print("The settings that are replaced are saved. To put one back:")
        for command in commands:
            print(f"  {command}")
    for step in steps:
        print(f"{step.what} ...", flush=True)
        step.make()
    print("done.")
    return 0


def table_steps(table: str, wanted: Mapping[str, Any]) -> list[Step]:
    """Raises LookupError where an index has the name of ours and another definition."""
    dynamodb = boto3.client("dynamodb")
    there: Any = dynamodb.describe_table(TableName=table)["Table"]
    steps = [
        Step(
            f"{table}: expire items (TTL on {wanted['TimeToLiveSpecification']['AttributeName']})",
            lambda: _expire(dynamodb, table, wanted["TimeToLiveSpecification"]),
        ),
        Step(
            f"{table}: point-in-time recovery",
            lambda: dynamodb.update_continuous_backups(
                TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
            ),
        ),
    ]
    if wanted["DeletionProtectionEnabled"]:
        steps.append(
            Step(
                f"{table}: deletion protection",
                lambda: _update(dynamodb, table, DeletionProtectionEnabled=True),
            )
        )
    for listed, updates in (SECONDARY, VECTORS):
        held = {index["IndexName"]: index for index in there.get(listed, [])}
        for index in wanted[listed]:
            name = index["IndexName"]
            if name not in held:
                steps.append(_creation(dynamodb, table, wanted, updates, index))
            elif differing := _differences(index, held[name]):
                raise LookupError(
                    f"the index {name} of {table} has another {' and '.join(differing)} than this version defines. "
                    f"Remove it (aws dynamodb update-table), or use the version that made it."
                )
    return steps


def _creation(
    dynamodb: "DynamoDBClient", table: str, wanted: Mapping[str, Any], updates: str, index: Mapping[str, Any]
) -> Step:
    """An index more; DynamoDB takes one at a time, with the types of its attributes."""
    change = {updates: [{"Create": index}], "AttributeDefinitions": definitions(wanted, [index])}
    return Step(
        f"{table}: create the index {index['IndexName']}, and wait until it is filled",
        lambda: _update(dynamodb, table, **change),
    )


def definitions(wanted: Mapping[str, Any], schemas: Iterable[Mapping[str, Any]]) -> list[Any]:
    """Return the definitions of the attributes in the schemas of the table or of indexes, and no others."""
    parts = ((*schema.get("KeySchema", ()), *schema.get("SearchSchema", ())) for schema in schemas)
    used = {part["AttributeName"] for each in parts for part in each}
    return [definition for definition in wanted["AttributeDefinitions"] if definition["AttributeName"] in used]


def _differences(wanted: Mapping[str, Any], held: Mapping[str, Any]) -> list[str]:
    return [name for name in COMPARED if name in wanted and _plain(wanted[name]) != _plain(held.get(name))]


def _plain(value: Any) -> Any:
    """DynamoDB keeps no order of projected attributes and of filters."""
    match value:
        case {"NonKeyAttributes": list(names), **rest}:
            return rest | {"NonKeyAttributes": sorted(names)}
        case list():
            return sorted(value, key=lambda part: str(part["AttributeName"]))
        case _:
            return value


def _expire(dynamodb: "DynamoDBClient", table: str, wanted: Any) -> None:
    """Switch TTL on; DynamoDB refuses what is on already."""
    now = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]["TimeToLiveStatus"]
    if now not in ("ENABLED", "ENABLING"):
        wanted = {"AttributeName": wanted["AttributeName"], "Enabled": True}
        dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification=wanted)


def _update(dynamodb: "DynamoDBClient", table: str, **change: Any) -> None:
    dynamodb.update_table(TableName=table, **change)
    while not _settled(dynamodb.describe_table(TableName=table)["Table"]):
        time.sleep(POLL_SECONDS)


def _settled(table: Any) -> bool:
    indexes = [*table.get("GlobalSecondaryIndexes", []), *table.get("VectorIndexes", [])]
    return table["TableStatus"] == "ACTIVE" and all(
        index["IndexStatus"] == "ACTIVE" and not index.get("Backfilling") for index in indexes
    )


OWN_BUCKET: Final = "own-bucket"
"""What stands for the bucket that the template would make."""


def _attributes(document: Mapping[str, Any], stack: DeployedStack) -> dict[str, str]:
    """What the properties refer to, as a template writes it: a name, or a name and an attribute."""
    arn = boto3.client("sqs").get_queue_attributes(QueueUrl=stack.outputs["QueueUrl"], AttributeNames=["QueueArn"])
    queue = arn["Attributes"]["QueueArn"]
    names = {
        kind: [name for name, one in document["Resources"].items() if one["Type"] == kind]
        for kind in ("AWS::ApiGatewayV2::Api", "AWS::S3::Bucket", "AWS::SQS::Queue")
    }
    (api,), (bucket,) = names["AWS::ApiGatewayV2::Api"], names["AWS::S3::Bucket"]
    notified = [name for name in names["AWS::SQS::Queue"] if "DeadLetters" not in name]
    partition = queue.split(":")[1]
    return {f"{name}.Arn": queue for name in notified} | {
        f"{api}.ApiEndpoint": stack.outputs["ApiUrl"],
        bucket: OWN_BUCKET,
        f"{bucket}.Arn": f"arn:{partition}:s3:::{OWN_BUCKET}",
    }


def resolved(value: Any, attributes: Mapping[str, str]) -> Any:
    """The value with the references that have an attribute in their places; others stay."""
    match value:
        case {"Ref": str(name)} if name in attributes:
            return attributes[name]
        case {"Fn::GetAtt": [str(name), str(attribute)]} if f"{name}.{attribute}" in attributes:
            return attributes[f"{name}.{attribute}"]
        case {"Fn::Join": [str(separator), list(parts)]}:
            joined = [resolved(part, attributes) for part in parts]
            return separator.join(joined) if all(isinstance(part, str) for part in joined) else value
        case dict():
            return {name: resolved(inner, attributes) for name, inner in value.items()}
        case list():
            return [resolved(inner, attributes) for inner in value]
        case _:
            return value


def _properties(resources: Mapping[str, Any], kind: str) -> Any:
    (found,) = (one["Properties"] for one in resources.values() if one["Type"] == kind)
    return found


def _own(stack: DeployedStack) -> set[str]:
    """The names of the buckets and tables that the stack made."""
    found = boto3.client("cloudformation").describe_stack_resources(StackName=stack.name)["StackResources"]
    return {
        resource["PhysicalResourceId"]
        for resource in found
        if resource["ResourceType"] in ("AWS::S3::Bucket", "AWS::DynamoDB::Table")
    }
