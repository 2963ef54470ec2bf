"""If a service is unavailable, every call that needs it answers with a documented 503."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import boto3
import httpx
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from botocore.retries.standard import ExponentialBackoff

from shared.aws.clients import dynamodb_client
from shared.aws.dynamodb.collections import DynamoCollections
from shared.aws.dynamodb.people import DynamoPeople
from shared.aws.people_tasks import QueuedTasks
from shared.domain.ledger import ConflictError
from shared.domain.limits import RETRY_AFTER_SECONDS
from shared.domain.people.keeping import FaceKeeper
from tests.conftest import PicTrace
from tests.faults.worker import error_response
from tests.images import noise
from tests.integration.conftest import Listener, until
from tests.integration.test_people import detected

Disrupt = Callable[[str, str], Callable[[], None]]


@pytest.fixture(scope="module")
def image_id(running: PicTrace) -> str:
    return running.add(noise(700), collection="outages")


@pytest.fixture
def disrupt(running: PicTrace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Disrupt]:
    """A function that makes every call of the API to a service fail in one way, below botocore's own retries.

    It returns one that ends this.
    """
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda *_: 0.0)
    services: Any = running.cloud.app.state.services
    clients = {
        "dynamodb": services.catalogue._client,
        "s3": services.objects._client,
        "sqs": services.messages._client,
    }
    ends: list[Callable[[], None]] = []

    def begin(service: str, kind: str) -> Callable[[], None]:
        def fail(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
            if kind == "no connection":
                raise EndpointConnectionError(endpoint_url=request.url)
            if kind == "no answer":
                raise ReadTimeoutError(endpoint_url=request.url)
            return error_response(request, service, kind)

        events = clients[service].meta.events
        events.register_first("before-send", fail)
        ends.append(partial(events.unregister, "before-send", fail))
        return ends[-1]

    yield begin
    for end in ends:
        end()


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


@pytest.mark.parametrize("kind", ["unavailable", "no answer"])
def test_an_image_that_cannot_be_deleted_or_restored_now_can_be_later(
    running: PicTrace, listener: Listener, disrupt: Disrupt, collection: str, kind: str
) -> None:
    """The message of what must follow comes before the move, so a repeated request finds the image where it was."""
    image_id, where = running.add(noise(702), collection=collection), {"collection": collection}
    for method, path, status, told in (
        ("DELETE", f"/v1/images/{image_id}", 204, "Image Trashed"),
        ("POST", f"/v1/trash/{image_id}/restore", 200, "Image Restored"),
    ):
        end = disrupt("sqs", kind)
        assert_unavailable(running.client.request(method, path, params=where))
        end()
        assert running.client.request(method, path, params=where).status_code == status
        assert listener.wait_for(told, collection)["image_id"] == image_id


def test_the_faces_of_a_deleted_image_are_withdrawn_later_if_that_fails(
    running: PicTrace, monkeypatch: pytest.MonkeyPatch, collection: str
) -> None:
    image_id, where = running.add(noise(703), collection=collection), {"collection": collection}
    table, tasks = running.cloud.outputs["TableName"], running.cloud.outputs["PeopleQueueUrl"]
    DynamoCollections(dynamodb_client(), table).set_faces(collection, on=True)
    keeper = FaceKeeper(DynamoPeople(dynamodb_client(), table), QueuedTasks(boto3.client("sqs"), tasks))
    keeper.add(collection, image_id, "dlib", detected(0.0))

    def shown() -> list[Any]:
        found: list[Any] = running.client.get("/v1/faces", params=where).raise_for_status().json()["faces"]
        return found

    def unavailable(*_: str) -> None:
        raise EndpointConnectionError(endpoint_url="https://dynamodb")

    assert len(shown()) == 1
    monkeypatch.setattr(running.cloud.app.state.services.trash._faces, "remove", unavailable)
    assert running.client.delete(f"/v1/images/{image_id}", params=where).status_code == 204
    until(lambda: shown() == [])


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
