"""Run the stack on this machine: the synthesised template in a moto server, with the handlers in this process."""

import json
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3

from infra import bucket_settings
from infra.app import template_from_subprocess
from infra.local import template as templates
from infra.local.invocations import serve_functions
from infra.local.moto_server import start_moto_server
from infra.local.moto_vectors import patches
from infra.local.queue_worker import QueueWorker
from infra.local.schedule import Schedule
from shared.domain.access import Access
from shared.domain.limits import BATCH_MESSAGES

if TYPE_CHECKING:
    from fastapi import FastAPI

STACK: Final = "PicTrace"
REGION: Final = "us-east-1"
INGEST, API, FETCH = (f"functions.{name}.handler.handler" for name in ("ingest", "api", "fetch"))


@dataclass(frozen=True, slots=True)
class LocalCloud:
    """A running local stack.

    Attributes:
        endpoint: address of the moto server, for any AWS client.
        outputs: the stack's outputs that exist in the emulator.
        app: the application of the api function.
    """

    endpoint: str
    outputs: Mapping[str, str]
    app: "FastAPI"
    worker: QueueWorker
    template: templates.Template


@contextmanager
def local_cloud(
    model_dir: Path,
    template: templates.Template | None = None,
    *,
    faces_dir: Path | None = None,
    closed: bool = False,
) -> Iterator[LocalCloud]:
    """Start the local stack, and stop it on exit.

    Meanwhile the process's AWS settings are those of the emulator, so that the functions' own bootstrap connects to it
    and nothing can reach a real account.

    Args:
        faces_dir: the networks for faces; None for a system that cannot find any.
        closed: require keys, as in AWS.
    """
    template = template if template is not None else template_from_subprocess()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    patches.install()
    server = start_moto_server()
    before = dict(os.environ)
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        _use_emulator(endpoint)
        physical, outputs = _deploy(template)
        _set_notifications(template, physical)
        physical |= {name: name for name in templates.resources(template, "AWS::Lambda::Function")}
        for command in (INGEST, API, FETCH):
            os.environ.update(
                templates.function_environment(template, command, physical)
                | {
                    "PICTRACE_MODEL_DIR": str(model_dir),
                    "PICTRACE_FACES_DIR": str(faces_dir or ""),
                    "PICTRACE_ACCESS": Access.KEYS if closed else Access.OPEN,
                    "POWERTOOLS_LOG_LEVEL": "WARNING",
                    "POWERTOOLS_METRICS_DISABLED": "true",
                }
            )
        from infra.local.lambda_functions import fetch

        with serve_functions({templates.function_name(template, FETCH): fetch}) as functions:
            os.environ["AWS_ENDPOINT_URL_LAMBDA"] = functions
            yield from _serve(template, endpoint, outputs)
    finally:
        os.environ.clear()
        os.environ.update(before)
        server.stop()


def _serve(template: templates.Template, endpoint: str, outputs: Mapping[str, str]) -> Iterator[LocalCloud]:
    from functions.api.bootstrap import application
    from infra.local.lambda_functions import ingest, reset_environments

    worker, people_worker = (
        QueueWorker(queue_url=outputs[output], handler=ingest, function_name="ingest", batch_size=batch_size)
        for output, batch_size in (("QueueUrl", BATCH_MESSAGES), ("PeopleQueueUrl", 1))
    )
    schedule = Schedule(boto3.client("sqs"), outputs["QueueUrl"], template)
    worker.start()
    people_worker.start()
    schedule.start()
    try:
        yield LocalCloud(endpoint, outputs, application(), worker, template)
    finally:
        schedule.stop()
        worker.stop()
        people_worker.stop()
        reset_environments()


def _use_emulator(endpoint: str) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(
        AWS_ENDPOINT_URL=endpoint,
        AWS_DEFAULT_REGION=REGION,
        AWS_REGION=REGION,
        AWS_ACCESS_KEY_ID="local",
        AWS_SECRET_ACCESS_KEY="local",  # noqa: S106 - the emulator requires one but does not check it
        AWS_EC2_METADATA_DISABLED="true",
    )


def _deploy(template: templates.Template) -> tuple[dict[str, str], dict[str, str]]:
    """Create the stack and return the physical ids by logical id, and the outputs."""
    cloudformation = boto3.client("cloudformation")
    body = json.dumps(templates.deployable(template))
    cloudformation.create_stack(StackName=STACK, TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"])
    stack: Any = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
    if stack["StackStatus"] != "CREATE_COMPLETE":
        raise RuntimeError(f"the local stack could not be created: its status is {stack['StackStatus']}")
    found = cloudformation.describe_stack_resources(StackName=STACK)["StackResources"]
    physical = {
        resource["LogicalResourceId"]: resource["PhysicalResourceId"]
        for resource in found
        if "PhysicalResourceId" in resource
    }
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    return physical | templates.bus_names(template), outputs


def _set_notifications(template: templates.Template, physical: Mapping[str, str]) -> None:
    """Apply the buckets' notification settings, which moto's CloudFormation ignores."""
    s3, sqs = boto3.client("s3"), boto3.client("sqs")
    for name, bucket in templates.resources(template, "AWS::S3::Bucket").items():
        wanted: Any = bucket_settings.notifications(bucket["Properties"])
        for entry in wanted["QueueConfigurations"]:
            url = physical[entry["QueueArn"]["Fn::GetAtt"][0]]
            queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
            entry["QueueArn"] = queue["Attributes"]["QueueArn"]
        if wanted["QueueConfigurations"]:
            s3.put_bucket_notification_configuration(Bucket=physical[name], NotificationConfiguration=wanted)
