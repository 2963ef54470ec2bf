"""If a service is unavailable, every call that needs it answers with a documented 503."""

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
from tests.faults.worker import error_response
from tests.images import noise

Disrupt = Callable[[str, str], None]


@pytest.fixture(scope="module")
def image_id(running: PicTrace) -> str:
    return running.add(noise(700), collection="outages")


@pytest.fixture
def disrupt(running: PicTrace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Disrupt]:
    """A function that makes every call of the API to a service fail in one way, below botocore's own retries."""
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
            return error_response(request, service, kind)

        clients[service].meta.events.register_first("before-send", fail)
        registered.append((clients[service], fail))

    yield begin
    for client, fail in registered:
        client.meta.events.unregister("before-send", fail)


def assert_unavailable(answer: httpx.Response) -> None:
    assert answer.status_code == 503, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:pictrace:problem:unavailable"
    assert answer.headers["retry-after"] == str(RETRY_AFTER_SECONDS)


@pytest.mark.parametrize("kind", ["throttle", "unavailable", "no connection", "no answer"])
def test_calls_answer_503_while_dynamodb_is_unavailable(
    running: PicTrace, disrupt: Disrupt, image_id: str, kind: str
) -> None:
    disrupt("dynamodb", kind)
    for path in (
        "/v1/images",
        "/v1/stats",
        f"/v1/images/{image_id}",
        f"/v1/images/{image_id}/similar",
        f"/v1/images/{image_id}/content",
        f"/v1/uploads/{'0' * 32}",
        f"/uploads/{image_id}.jpg",
    ):
        assert_unavailable(running.client.get(path))
    assert_unavailable(running.client.post("/v1/uploads", json={"filename": "a", "content_type": "image/png"}))
    assert_unavailable(running.client.post("/v1/search", files={"file": ("a", noise(701))}))
    assert_unavailable(running.client.post("/upload/", files={"file": ("a", noise(701))}))
    assert_unavailable(running.client.delete(f"/v1/images/{image_id}"))
    assert running.client.get("/health").status_code == 200


@pytest.mark.parametrize("kind", ["throttle", "unavailable", "no connection", "no answer"])
def test_calls_that_need_s3_answer_503_while_it_is_unavailable(
    running: PicTrace, disrupt: Disrupt, image_id: str, kind: str
) -> None:
    disrupt("s3", kind)
    assert_unavailable(running.client.get(f"/v1/images/{image_id}/thumbnail"))
    assert_unavailable(running.client.post("/v1/search?collection=outages", files={"file": ("a", noise(701))}))
    assert_unavailable(running.client.post("/v1/compare?picture=difference", json={"a": image_id, "b": image_id}))
    assert_unavailable(running.client.post("/upload/", files={"file": ("a", noise(701))}))
    assert running.client.get(f"/v1/images/{image_id}").status_code == 200


def test_a_removal_that_conflicts_with_uploads_answers_503(
    running: PicTrace, monkeypatch: pytest.MonkeyPatch, image_id: str
) -> None:
    trash = running.cloud.app.state.services.trash

    def overtaken(*_: Any) -> None:
        raise ConflictError

    monkeypatch.setattr(trash, "delete", overtaken)
    assert_unavailable(running.client.delete(f"/v1/images/{image_id}"))


def test_every_call_that_needs_a_service_documents_its_503(running: PicTrace) -> None:
    for path, methods in running.client.get("/openapi.json").json()["paths"].items():
        for method, operation in methods.items():
            assert path == "/health" or "Retry-After" in operation["responses"]["503"]["headers"], (method, path)
