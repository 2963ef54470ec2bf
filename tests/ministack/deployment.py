"""Deploy the synthesised stack to ministack: the real template, with zips instead of container images."""

import copy
import io
import json
import sys
import sysconfig
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import boto3

from infra.app import ROOT
from infra.local.template import Template, resources
from infra.stack.assets import SHIPPED
from tests.integration.conftest import until

STACK: Final = "PicTrace-prod"
CODE: Final = "code"
"""The bucket for the zips."""
BOOTSTRAPPED: Final = "/cdk-bootstrap/hnb659fds/version"


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployed stack.

    Attributes:
        outputs: the stack's outputs.
        functions: the physical names of the functions, by the folder of their code, such as `ingest`.
    """

    outputs: Mapping[str, str]
    functions: Mapping[str, str]


def deploy(template: Template, model_dir: Path) -> Deployment:
    """Deploy the whole template, and add the vector indexes.

    Raises:
        RuntimeError: a resource could not be created; the message names it and gives the reason.
    """
    zipped = with_zips(template, model_dir)
    boto3.client("s3").create_bucket(Bucket=CODE)
    for name in {_folder(function) for function in resources(template, "AWS::Lambda::Function").values()}:
        boto3.client("s3").put_object(Bucket=CODE, Key=f"{name}.zip", Body=packed(name))
    boto3.client("ssm").put_parameter(Name=BOOTSTRAPPED, Value="30", Type="String")
    cloudformation = boto3.client("cloudformation")
    cloudformation.create_stack(
        StackName=STACK, TemplateBody=json.dumps(zipped), Capabilities=["CAPABILITY_IAM"], OnFailure="DO_NOTHING"
    )

    def settled() -> Any:
        stack = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
        return None if stack["StackStatus"].endswith("IN_PROGRESS") else stack

    stack = until(settled)
    if stack["StackStatus"] != "CREATE_COMPLETE":
        events = cloudformation.describe_stack_events(StackName=STACK)["StackEvents"]
        failed = [event for event in events if event["ResourceStatus"].endswith("FAILED")]
        raise RuntimeError("\n".join(f"{one['LogicalResourceId']}: {one['ResourceStatusReason']}" for one in failed))
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    found = cloudformation.describe_stack_resources(StackName=STACK)["StackResources"]
    physical = {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in found}
    _add_vector_indexes(template, outputs["TableName"])
    functions = resources(template, "AWS::Lambda::Function")
    return Deployment(outputs, {_folder(function): physical[name] for name, function in functions.items()})


def create_table(template: Template, name: str) -> str:
    """Create the template's table alone, with its indexes, under a name of its own; return the name."""
    [wanted] = [one["Properties"] for one in resources(template, "AWS::DynamoDB::Table").values()]
    schemas = [wanted["KeySchema"], *(index["KeySchema"] for index in wanted["GlobalSecondaryIndexes"])]
    used = {key["AttributeName"] for schema in schemas for key in schema}
    boto3.client("dynamodb").create_table(
        TableName=name,
        AttributeDefinitions=[one for one in wanted["AttributeDefinitions"] if one["AttributeName"] in used],
        **{member: wanted[member] for member in ("KeySchema", "GlobalSecondaryIndexes", "BillingMode")},
    )
    _add_vector_indexes(template, name)
    return name


def with_zips(template: Template, model_dir: Path) -> dict[str, Any]:
    """A copy whose functions are zips for this interpreter, with this environment's packages on `PYTHONPATH`."""
    changed = copy.deepcopy(dict(template))
    for function in resources(changed, "AWS::Lambda::Function").values():
        properties = function["Properties"]
        properties["Code"] = {"S3Bucket": CODE, "S3Key": f"{_folder(function)}.zip"}
        properties["Handler"] = f"functions.{_folder(function)}.handler.handler"
        properties["Runtime"] = f"python3.{sys.version_info.minor}"
        properties["Environment"]["Variables"] |= {
            "PICTRACE_MODEL_DIR": str(model_dir),
            "PICTRACE_FACES_DIR": str(model_dir.parent / "faces"),
            "PYTHONPATH": sysconfig.get_path("purelib"),
        }
        for name in ("PackageType", "ImageConfig", "Layers"):
            properties.pop(name, None)
    unsupported = [
        *resources(changed, "AWS::Lambda::LayerVersion"),
        # ministack's CloudFormation refuses metric math, and the dashboard names every alarm.
        *(
            name
            for name, alarm in resources(changed, "AWS::CloudWatch::Alarm").items()
            if "Metrics" in alarm["Properties"]
        ),
        *resources(changed, "AWS::CloudWatch::Dashboard"),
    ]
    for name in unsupported:
        del changed["Resources"][name]
    del changed["Outputs"]["DashboardUrl"]
    return changed


def packed(name: str) -> bytes:
    """A zip of the files from which the image of `functions/<name>` is built."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for shipped in (*SHIPPED, f"functions/{name}"):
            path = ROOT / shipped
            for file in [path] if path.is_file() else sorted(path.rglob("*")):
                if file.is_file() and file.suffix != ".pyc":
                    archive.write(file, file.relative_to(ROOT))
    return data.getvalue()


def _folder(function: Mapping[str, Any]) -> str:
    properties = function["Properties"]
    [command] = properties.get("ImageConfig", {}).get("Command") or [properties["Handler"]]
    return str(command).split(".")[1]


def _add_vector_indexes(template: Template, table: str) -> None:
    """Create the indexes that ministack's CloudFormation ignores, and wait until they can be searched."""
    [wanted] = [one["Properties"] for one in resources(template, "AWS::DynamoDB::Table").values()]
    dynamodb = boto3.client("dynamodb")
    assert "VectorIndexes" not in dynamodb.describe_table(TableName=table)["Table"], (
        "ministack now creates vector indexes itself: remove this function"
    )

    def active() -> bool:
        held = dynamodb.describe_table(TableName=table)["Table"]["VectorIndexes"]
        return all(index["IndexStatus"] == "ACTIVE" for index in held)

    for index in wanted["VectorIndexes"]:
        dynamodb.update_table(
            TableName=table,
            AttributeDefinitions=wanted["AttributeDefinitions"],
            VectorIndexUpdates=[{"Create": index}],
        )
        until(active, 60)
