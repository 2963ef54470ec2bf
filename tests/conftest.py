"""What several kinds of tests share: the exported model, and the running local cloud."""

import os
import re
import time
import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest

from infra.app import template_from_subprocess
from infra.local import seed
from infra.local.__main__ import serving
from infra.local.cloud import LocalCloud, local_cloud
from shared.aws.clients import dynamodb_client
from shared.aws.dynamodb.api_keys import DynamoApiKeys
from shared.domain.access import Access, Scope
from shared.domain.queue_times import INGEST_QUEUE
from shared.settings import ApiSettings

pytest_plugins = ["tests.tables"]

ROOT = Path(__file__).resolve().parents[1]
PATIENCE_SECONDS = 60
"""How long to wait for what must come. A machine that runs other tests beside is slow, and that is no fault."""

RETRIES_AT_ONCE = replace(INGEST_QUEUE, first_retry_seconds=0)


def pytest_configure() -> None:
    """Each of pytest-xdist's workers has a processor of its own, with all that it starts.

    The network's threads wait by spinning: two workers on the same processors keep each other from working.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
    if worker and hasattr(os, "sched_setaffinity"):
        processors = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {processors[int(worker) % len(processors)]})


@pytest.fixture(scope="session")
def model_dir() -> Path:
    """The exported model, made once where it is missing: EfficientNet-Lite0 where ResNet50's weights cannot be had."""
    return exported("model")


@pytest.fixture(scope="session")
def int8_dir() -> Path:
    """The same with int8 weights."""
    return exported("model-int8", "--precision", "int8")


def exported(name: str, *options: str) -> Path:
    from layers.models import export

    folder = ROOT / ".build" / name
    assert export.main(["--out", str(folder), "--or-fallback", *options]) == 0
    return folder


@dataclass(frozen=True)
class PicTrace:
    """A running system, and what a client does with it."""

    url: str
    cloud: LocalCloud
    client: httpx.Client

    def open(self, data: bytes, *, collection: str, media_type: str = "image/png", name: str = "a.png") -> str:
        """Upload bytes as a browser does: ask for a form, send it with the file last. Gives the upload id."""
        wanted = {"filename": name, "content_type": media_type, "collection": collection}
        form = self.client.post("/v1/uploads", json=wanted)
        assert form.status_code == 201, form.text
        sent = httpx.post(form.json()["url"], data=form.json()["fields"], files={"file": (name, data)})
        assert sent.status_code == 204, sent.text
        return str(form.json()["upload_id"])

    def settled(self, upload_id: str, seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
        """The upload's state once it is final."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            state: dict[str, Any] = self.client.get(f"/v1/uploads/{upload_id}").json()
            if state["status"] != "pending":
                return state
            time.sleep(0.05)
        raise AssertionError(f"upload {upload_id} is still pending after {seconds} s")

    def add(self, data: bytes, *, collection: str, **options: str) -> str:
        """Upload an image and wait until it is indexed; gives the image id."""
        state = self.settled(self.open(data, collection=collection, **options))
        assert state["status"] == "indexed", state
        return str(state["image_id"])

    def search(self, data: bytes, **parameters: Any) -> dict[str, Any]:
        answer = self.client.post("/v1/search", params=parameters, files={"file": ("query", data)})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture(scope="session")
def running(model_dir: Path) -> Iterator[PicTrace]:
    """The whole system, started once."""
    with (
        local_cloud(model_dir, template_from_subprocess()) as cloud,
        serving(cloud.app, 0) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        yield PicTrace(url, cloud, client)


@pytest.fixture(scope="session")
def pictrace(running: PicTrace) -> PicTrace:
    """The running system with the sample images in the default collection."""
    outcomes = seed.index(running.url, seed.sample_images())
    assert {outcome.status for outcome in outcomes} == {"indexed"}
    return running


@dataclass(frozen=True)
class Closed:
    """The running system's data behind an API that asks for keys.

    Attributes:
        calls: every call of AWS that the API has made, but for those about keys.
    """

    url: str
    keys: DynamoApiKeys
    calls: list[str]

    def key(self, *scopes: Scope, collections: Collection[str] | None = None, per_minute: int = 60_000) -> str:
        """The text of a new key; None for every collection."""
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
def closed(running: PicTrace) -> Iterator[Closed]:
    from functions.api.app import create_app
    from functions.api.services import Services

    outputs, calls = running.cloud.outputs, list[str]()

    def note(model: Any, params: Any, **_: Any) -> None:
        about_keys = model.name in {"GetItem", "UpdateItem"} and re.search(rb'"keys"|"key#', params["body"])
        if not about_keys:  # and no other body is looked at: a stream would be empty afterwards
            calls.append(model.name)

    session: Any = boto3.DEFAULT_SESSION
    session.events.register("before-call", note)
    services = Services(replace(ApiSettings.from_environ(os.environ), access=Access.KEYS))
    session.events.unregister("before-call", note)
    with serving(create_app(services), 0) as url:
        yield Closed(url, DynamoApiKeys(dynamodb_client(), outputs["TableName"]), calls)


@pytest.fixture
def retries_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that failed comes again at once: for tests that are not about when it does."""
    monkeypatch.setattr("shared.aws.retry_delays.INGEST_QUEUE", RETRIES_AT_ONCE)


@pytest.fixture
def collection() -> str:
    """A collection of the test's own."""
    return f"t-{uuid.uuid4().hex[:12]}"
