"""The stack in ministack, deployed once, with the bucket, topic and queue that tests use."""

import json
import os
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import boto3
import httpx
import pytest

from infra.app import template
from shared.aws.clients import dynamodb_client
from shared.aws.dynamodb.api_keys import DynamoApiKeys
from shared.domain.access import Scope
from tests.conftest import PicTrace
from tests.integration.conftest import until
from tests.ministack.deployment import Deployment, deploy
from tests.ministack.emulator import ACCOUNT, REGION, Emulator, emulator

EXECUTABLE: Final = "PICTRACE_MINISTACK_PYTHON"
"""The variable that names the interpreter of ministack's virtual environment."""
RETRIES: Final = 3
SHOP: Final = "shop-images"
TOPIC: Final = "images"


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    if EXECUTABLE not in os.environ:
        pytest.skip(f"{EXECUTABLE} is not set; `make test-ministack` sets it")
    with emulator(Path(os.environ[EXECUTABLE]).absolute(), tmp_path_factory.mktemp("ministack")) as running:
        yield running


@pytest.fixture(scope="session")
def deployment(ministack: Emulator, model_dir: Path) -> Deployment:
    """The stack, which reads the bucket `SHOP` and subscribes to `TOPIC`; both are created before it."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=SHOP)
    s3.put_bucket_notification_configuration(Bucket=SHOP, NotificationConfiguration={"EventBridgeConfiguration": {}})
    topic = boto3.client("sns").create_topic(Name=TOPIC)["TopicArn"]
    return deploy(template({"source_buckets": SHOP, "source_topics": topic}), model_dir)


@pytest.fixture(scope="session")
def deployed(ministack: Emulator, deployment: Deployment) -> Iterator[PicTrace]:
    """The deployed stack, called through its HTTP API with a key that allows everything."""
    cloud: Any = deployment
    keys = DynamoApiKeys(dynamodb_client(), deployment.outputs["TableName"])
    _, key = keys.create(name="test", scopes=frozenset({Scope.ADMIN}), collections=None, per_minute=60_000)
    host = httpx.URL(deployment.outputs["ApiUrl"]).netloc.decode()
    headers = {"host": host, "x-api-key": key}
    with httpx.Client(base_url=ministack.endpoint, headers=headers, timeout=60, transport=_Patient()) as client:
        yield PicTrace(ministack.endpoint, cloud, client)


class _Patient(httpx.HTTPTransport):
    """Asks again when the service is unavailable, as its answer says: a busy emulator may not respond for seconds."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        for _ in range(RETRIES):
            answer = super().handle_request(request)
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                return answer
            answer.close()
            time.sleep(float(answer.headers["retry-after"]))
        return super().handle_request(request)


def queue_arn(url: str) -> str:
    attributes = boto3.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    return attributes["QueueArn"]


@dataclass(frozen=True)
class Listener:
    """A queue that receives the events that the stack publishes on its bus."""

    url: str
    events: list[dict[str, Any]]

    def of_key(self, key: str) -> list[tuple[str, dict[str, Any]]]:
        """The detail type and detail of every event so far about an object."""
        sqs = boto3.client("sqs")
        for message in sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages", []):
            self.events.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return [(event["detail-type"], event["detail"]) for event in self.events if event["detail"]["key"] == key]

    def first(self, key: str) -> tuple[str, dict[str, Any]]:
        found: tuple[str, dict[str, Any]] = until(lambda: self.of_key(key))[0]
        return found


@pytest.fixture(scope="session")
def listener(deployed: PicTrace) -> Listener:
    sqs, events, bus = boto3.client("sqs"), boto3.client("events"), deployed.cloud.outputs["BusName"]
    name = f"listener-{uuid.uuid4().hex[:8]}"
    events.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps({"source": ["pictrace"]}))
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
    allowed = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    url = sqs.create_queue(QueueName=name, Attributes={"Policy": json.dumps({"Statement": [allowed]})})["QueueUrl"]
    events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": "1", "Arn": arn}])
    return Listener(url, [])
