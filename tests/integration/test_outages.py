"""Services that are out reach a caller as a documented 503, whatever the call."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from botocore.retries.standard import ExponentialBackoff

from shared.domain.ledger import ConflictError
from shared.domain.limits import RETRY_AFTER_SECONDS
from tests.conftest import PicTrace
from tests.faults.worker import refusal
from tests.images import noise

Break = Callable[[str, str], None]


@pytest.fixture(scope="module")
def image_id(running: PicTrace) -> str:
    return running.add(noise(700), collection="outages")


@pytest.fixture
def break_off(running: PicTrace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Break]:
    """Makes every call of the API to a service fail in one way, below botocore's own retries."""
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda *_: 0.0)
    services: Any = running.cloud.app.state.services
    clients = {"dynamodb": services.catalogue._client, "s3": services.objects._client}
    registered = []

    def begin(service: str, kind: str) -> None:
        def fail(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
            if kind == "no connection":
                raise EndpointConnectionError(endpoint_url=request.url)
            if kind == "no answer":
                raise ReadTimeoutError(endpoint_url=request.url)
            return refusal(request, service, kind)

        clients[service].meta.events.register_first("before-send", fail)
        registered.append((clients[service], fail))

    yield begin
    for client, fail in registered:
        client.meta.events.unregister("before-send", fail)


def check(answer: httpx.Response) -> None:
    assert answer.status_code == 503, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:pictrace:problem:unavailable"
    assert answer.headers["retry-after"] == str(RETRY_AFTER_SECONDS)


@pytest.mark.parametrize("kind", ["throttle", "unavailable", "no connection", "no answer"])
def test_dynamodb_is_out(running: PicTrace, break_off: Break, image_id: str, kind: str) -> None:
    break_off("dynamodb", kind)
    for path in (
        "/v1/images",
        "/v1/stats",
        f"/v1/images/{image_id}",
        f"/v1/images/{image_id}/similar",
        f"/v1/images/{image_id}/content",
        f"/v1/uploads/{'0' * 32}",
        f"/uploads/{image_id}.jpg",
    ):
        check(running.client.get(path))
    check(running.client.post("/v1/uploads", json={"filename": "a", "content_type": "image/png"}))
    check(running.client.post("/v1/search", files={"file": ("a", noise(701))}))
    check(running.client.post("/upload/", files={"file": ("a", noise(701))}))
    check(running.client.delete(f"/v1/images/{image_id}"))
    assert running.client.get("/health").status_code == 200


@pytest.mark.parametrize("kind", ["throttle", "unavailable", "no connection", "no answer"])
def test_s3_is_out(running: PicTrace, break_off: Break, image_id: str, kind: str) -> None:
    break_off("s3", kind)
    check(running.client.get(f"/v1/images/{image_id}/thumbnail"))
    check(running.client.post("/v1/search?collection=outages", files={"file": ("a", noise(701))}))
    check(running.client.post("/v1/compare?picture=difference", json={"a": image_id, "b": image_id}))
    check(running.client.post("/upload/", files={"file": ("a", noise(701))}))
    assert running.client.get(f"/v1/images/{image_id}").status_code == 200


def test_a_removal_that_uploads_overtake(running: PicTrace, monkeypatch: pytest.MonkeyPatch, image_id: str) -> None:
    library = running.cloud.app.state.services.library

    def overtaken(*_: Any) -> None:
        raise ConflictError

    monkeypatch.setattr(library, "remove", overtaken)
    check(running.client.delete(f"/v1/images/{image_id}"))


def test_every_call_that_needs_a_service_documents_it(running: PicTrace) -> None:
    for path, methods in running.client.get("/openapi.json").json()["paths"].items():
        for method, operation in methods.items():
            assert path == "/health" or "Retry-After" in operation["responses"]["503"]["headers"], (method, path)
