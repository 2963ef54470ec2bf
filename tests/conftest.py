"""Fixtures shared by several kinds of tests: the exported model and the running local cloud."""

import gc
import os
import re
import subprocess
import sys
import threading
import time
import traceback
import uuid
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import httpx
import pytest

from infra.app import template_from_subprocess
from infra.local import seed
from infra.local.cloud import LocalCloud, local_cloud
from infra.local.serving import serving
from shared.aws.clients import dynamodb_client
from shared.aws.dynamodb.api_keys import DynamoApiKeys
from shared.domain.access import Access, Scope
from shared.domain.queue_times import INGEST_QUEUE
from shared.settings import ApiSettings

if TYPE_CHECKING:
    from pictrace import Client

pytest_plugins = ["tests.tables"]

ROOT = Path(__file__).resolve().parents[1]
PATIENCE_SECONDS = 180
"""How long to wait for an expected result; generous, because the machine may be running other tests, and earlier ones
may have left messages that fail, each of which takes its time in a subprocess."""

NO_RETRY_DELAY = replace(INGEST_QUEUE, first_retry_seconds=0)


def pytest_configure() -> None:
    """Pin each pytest-xdist worker, and every process that it starts, to its own processor.

    The network's threads busy-wait, so two workers on the same processors would starve each other. Garbage is collected
    less often: a worker holds an emulated cloud, whose millions of objects are looked at each time.
    """
    gc.set_threshold(50_000, 20, 20)
    worker = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
    if worker and hasattr(os, "sched_setaffinity"):
        processors = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {processors[int(worker) % len(processors)]})


@pytest.fixture(scope="session")
def model_dir() -> Path:
    """The exported model, exported if missing: EfficientNet-Lite0 where ResNet50's weights are unavailable."""
    return export_model("model")


@pytest.fixture(scope="session")
def int8_dir() -> Path:
    """The same model with int8 weights."""
    return export_model("model-int8", "--precision", "int8")


def export_model(name: str, *options: str) -> Path:
    from layers.models import export

    folder = ROOT / ".build" / name
    assert export.main(["--out", str(folder), "--or-fallback", *options]) == 0
    return folder


@pytest.fixture(scope="session")
def faces_dir() -> Path:
    """The exported networks for faces, downloaded and exported if missing."""
    folder = ROOT / ".build" / "faces"
    if not (folder / "faces.json").is_file():
        subprocess.run(["make", "faces"], cwd=ROOT, check=True)
    return folder


@cache
def storage_client() -> httpx.Client:
    """Return what posts files as a browser does: one for all, because it takes 25 ms of a processor to make."""
    return httpx.Client(timeout=60)


def polls(seconds: float = PATIENCE_SECONDS) -> Iterator[None]:
    """Yield at once, and then at growing intervals: what is waited for mostly runs in the process that asks."""
    deadline, pause = time.monotonic() + seconds, 0.03
    while time.monotonic() < deadline:
        yield
        time.sleep(pause)
        pause = min(0.4, 1.5 * pause)


def ingest_state(cloud: LocalCloud) -> str:
    """Describe what the queue holds and where its worker is, for the message of a test that waited in vain."""
    queue = boto3.client("sqs").get_queue_attributes(QueueUrl=cloud.outputs["QueueUrl"], AttributeNames=["All"])
    counts = {name: count for name, count in queue["Attributes"].items() if name.startswith("Approximate")}
    threads = {thread.ident: thread.name for thread in threading.enumerate()}
    stacks = [
        f"{threads[ident]}:\n{''.join(traceback.format_stack(frame)[-6:])}"
        for ident, frame in sys._current_frames().items()
        if threads.get(ident, "").startswith(("queue-worker", "message"))
    ]
    return "\n".join([f"the queue: {counts}", *stacks])


@dataclass(frozen=True)
class PicTrace:
    """A running system, with the calls that a client makes."""

    url: str
    cloud: LocalCloud
    client: httpx.Client

    def upload(self, data: bytes, *, collection: str, media_type: str = "image/png", name: str = "a.png") -> str:
        """Upload bytes as a browser does: request a form and post it with the file last; return the upload id."""
        wanted = {"filename": name, "content_type": media_type, "collection": collection}
        form = self.client.post("/v1/uploads", json=wanted)
        assert form.status_code == 201, form.text
        sent = storage_client().post(form.json()["url"], data=form.json()["fields"], files={"file": (name, data)})
        assert sent.status_code == 204, sent.text
        return str(form.json()["upload_id"])

    def wait_for_upload(self, upload_id: str, seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
        """Wait until the state of an upload is final, and return that state."""
        for _ in polls(seconds):
            state: dict[str, Any] = self.client.get(f"/v1/uploads/{upload_id}").json()
            if state["status"] != "pending":
                return state
        raise AssertionError(f"upload {upload_id} is still pending after {seconds} s; {ingest_state(self.cloud)}")

    def add(self, data: bytes, *, collection: str, **options: str) -> str:
        """Upload an image, wait until it is indexed, and return its image id."""
        state = self.wait_for_upload(self.upload(data, collection=collection, **options))
        assert state["status"] == "indexed", state
        return str(state["image_id"])

    def add_all(self, images: Iterable[bytes], *, collection: str) -> list[str]:
        """Upload images, wait until all are indexed, and return their image ids."""
        states = [self.wait_for_upload(one) for one in [self.upload(data, collection=collection) for data in images]]
        assert {state["status"] for state in states} == {"indexed"}
        return [str(state["image_id"]) for state in states]

    def items(self, **conditions: Any) -> list[Any]:
        """Return what a scan of the table finds under these conditions; the vectors of all tests take a minute."""
        pages = (
            boto3.client("dynamodb")
            .get_paginator("scan")
            .paginate(TableName=self.cloud.outputs["TableName"], **conditions)
        )
        return [item for page in pages for item in page["Items"]]

    def forget_pdq(self, image_id: str, collection: str) -> None:
        """Remove the PDQ hash of an image, as if it had been stored while the setting was off."""
        item: Any = {
            "TableName": self.cloud.outputs["TableName"],
            "Key": {"pk": {"S": f"image#{image_id}"}, "sk": {"S": f"collection#{collection}"}},
        }
        dynamodb = boto3.client("dynamodb")
        parts = dynamodb.get_item(**item)["Item"]["format"]["S"].split("; ")
        dynamodb.update_item(
            **item,
            UpdateExpression="SET #format = :format",
            ExpressionAttributeNames={"#format": "format"},
            ExpressionAttributeValues={":format": {"S": "; ".join(one for one in parts if not one.startswith("pdq="))}},
        )

    def search(self, data: bytes, **parameters: Any) -> dict[str, Any]:
        answer = self.client.post("/v1/search", params=parameters, files={"file": ("query", data)})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture(scope="session")
def running(model_dir: Path, faces_dir: Path) -> Iterator[PicTrace]:
    """The whole system, started once for all tests. It stores PDQ hashes."""
    with (
        local_cloud(model_dir, template_from_subprocess({"pdq": "on"}), faces_dir=faces_dir) as cloud,
        serving(cloud.app, 0) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        yield PicTrace(url, cloud, client)


@pytest.fixture
def client(running: PicTrace) -> Iterator["Client"]:
    """A client of the running system."""
    from pictrace import Client  # in the function: `python -m tests.kill` does not have it on its path

    with Client(running.url) as opened:
        yield opened


@pytest.fixture(scope="session")
def pictrace(running: PicTrace) -> PicTrace:
    """The running system with the sample images in the default collection."""
    outcomes = seed.index(running.url, seed.sample_images())
    assert {outcome.status for outcome in outcomes} == {"indexed"}
    return running


@dataclass(frozen=True)
class ClosedApi:
    """The running system's data behind an API that requires keys.

    Attributes:
        calls: the AWS operations that the API has called, except for those about keys.
    """

    url: str
    keys: DynamoApiKeys
    calls: list[str]

    def key(self, *scopes: Scope, collections: Collection[str] | None = None, per_minute: int = 60_000) -> str:
        """Create a key and return its text; `collections=None` allows every collection."""
        _, text = self.keys.create(
            name="test",
            scopes=frozenset(scopes),
            collections=None if collections is None else frozenset(collections),
            per_minute=per_minute,
        )
        return text

    def client(self, key: str) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=60, headers={"Authorization": f"Bearer {key}"})


@pytest.fixture(scope="session")
def closed(running: PicTrace) -> Iterator[ClosedApi]:
    from functions.api.app import create_app
    from functions.api.bootstrap import deployed_services

    outputs, calls = running.cloud.outputs, list[str]()

    def note(model: Any, params: Any, **_: Any) -> None:
        about_keys = model.name in {"GetItem", "UpdateItem"} and re.search(rb'"keys"|"key#', params["body"])
        if not about_keys:  # reading any other body could consume a stream
            calls.append(model.name)

    session: Any = boto3.DEFAULT_SESSION
    session.events.register("before-call", note)
    services = deployed_services(replace(ApiSettings.from_environ(os.environ), access=Access.KEYS))
    session.events.unregister("before-call", note)
    with serving(create_app(services), 0) as url:
        yield ClosedApi(url, DynamoApiKeys(dynamodb_client(), outputs["TableName"]), calls)


@pytest.fixture
def no_retry_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Redeliver failed messages immediately, for tests that are not about the delay."""
    monkeypatch.setattr("shared.aws.retry_delays.INGEST_QUEUE", NO_RETRY_DELAY)


@pytest.fixture
def collection() -> str:
    """The name of a collection that only this test uses."""
    return f"t-{uuid.uuid4().hex[:12]}"
