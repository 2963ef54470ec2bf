"""While a vector index is being built, as after a restore, searches answer 503 and no image is lost."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import httpx
import pytest

from infra.local.moto_vectors.lifecycle import Phase
from infra.local.moto_vectors.table_hooks import set_phase
from shared.aws.own_messages import duplicate_check
from shared.domain.events import DuplicateCheck
from shared.domain.images import ObjectRef
from shared.domain.ledger import ImageKey
from shared.domain.limits import CHECK_HOURS, INDEX_RETRY_AFTER_SECONDS
from shared.domain.table_schema import FACES_INDEX, LOCAL_INDEX, VECTOR_INDEX
from tests.conftest import PicTrace
from tests.images import encoded, noise, pixels
from tests.integration.conftest import Listener, in_stack_bucket, invoke_ingest, send, until
from tests.integration.test_people import PLACES, Album
from tests.unit.test_messages import notification

SetIndexPhase = Callable[..., None]
NOT_READY = [Phase.BACKFILLING, Phase.UNSERVED]
"""Each phase has its own error message, tested in `tests/integration/vector_search/test_lifecycle.py`."""


@pytest.fixture(scope="module", autouse=True)
def short_delay(running: PicTrace) -> Iterator[None]:
    """Delay checks for 2 seconds, also those that are postponed after their test has ended.

    Checks of earlier tests, which may have a longer delay, are discarded.
    """
    boto3.client("sqs").purge_queue(QueueUrl=running.cloud.outputs["QueueUrl"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shared.domain.limits.MAX_CHECK_DELAY_SECONDS", 2)
        yield


@pytest.fixture
def set_index_phase(running: PicTrace) -> Iterator[SetIndexPhase]:
    """A function that sets the phase of the indexes; afterwards they are searchable again and no check is pending."""
    table = running.cloud.outputs["TableName"]

    def into(phase: Phase, *indexes: str) -> None:
        for index in indexes or (VECTOR_INDEX, LOCAL_INDEX):
            set_phase(table, index, phase)

    yield into
    into(Phase.SEARCHABLE, VECTOR_INDEX, LOCAL_INDEX, FACES_INDEX)
    until(lambda: delayed(running) == 0)


def assert_unavailable(answer: httpx.Response) -> None:
    assert answer.status_code == 503, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == str(INDEX_RETRY_AFTER_SECONDS)
    problem = answer.json()
    assert problem["type"] == "urn:pictrace:problem:unavailable"
    assert problem["detail"] == (
        f"The vector index is still being built and cannot be searched. Try again in {INDEX_RETRY_AFTER_SECONDS} s."
    )


@pytest.mark.parametrize("index", [VECTOR_INDEX, LOCAL_INDEX])
@pytest.mark.parametrize("phase", NOT_READY)
def test_searches_answer_503_and_other_calls_still_work(
    running: PicTrace, set_index_phase: SetIndexPhase, collection: str, phase: Phase, index: str
) -> None:
    image = encoded(pixels("coffee.png"), ".png")
    image_id = running.add(image, collection=collection)
    set_index_phase(phase, index)
    within = {"collection": collection}
    assert_unavailable(running.client.post("/v1/search", params=within, files={"file": ("a", image)}))
    assert_unavailable(running.client.post("/v1/search", params=within, json={"image_id": image_id}))
    assert_unavailable(running.client.get(f"/v1/images/{image_id}/similar", params=within))
    for path in ("/v1/images", "/v1/stats", f"/v1/images/{image_id}", "/v1/duplicates"):
        assert running.client.get(path, params=within).status_code == 200, path
    assert running.client.post("/v1/compare", json={"a": image_id, "b": image_id}).status_code == 200
    set_index_phase(Phase.SEARCHABLE)
    assert running.search(image, collection=collection)["matches"][0]["image_id"] == image_id


def delayed(running: PicTrace) -> int:
    """The number of delayed messages in the queue."""
    found = boto3.client("sqs").get_queue_attributes(
        QueueUrl=running.cloud.outputs["QueueUrl"], AttributeNames=["ApproximateNumberOfMessagesDelayed"]
    )
    return int(found["Attributes"]["ApproximateNumberOfMessagesDelayed"])


def dead_letters(running: PicTrace) -> int:
    return messages_in(running, "DeadLetterQueueUrl")


def messages_in(running: PicTrace, output: str) -> int:
    """The number of messages that wait in a queue, or are being handled."""
    names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = boto3.client("sqs").get_queue_attributes(QueueUrl=running.cloud.outputs[output], AttributeNames=names)
    return sum(map(int, found["Attributes"].values()))


@pytest.mark.parametrize("phase", NOT_READY)
def test_an_image_uploaded_meanwhile_is_stored_now_and_compared_later(
    running: PicTrace,
    set_index_phase: SetIndexPhase,
    listener: Listener,
    put: Callable[..., str],
    collection: str,
    phase: Phase,
) -> None:
    bucket, dead = running.cloud.outputs["BucketName"], dead_letters(running)
    earlier = put(encoded(pixels("coffee.png"), ".png"))
    send(running, {"bucket": bucket, "key": earlier, "collection": collection})
    original = listener.wait_for("Image Indexed", collection)["image_id"]
    set_index_phase(phase)
    key = put(encoded(pixels("coffee.png"), ".jpg", 1, 60))
    send(running, {"bucket": bucket, "key": key, "collection": collection, "metadata": {"shop": "é"}})

    def indexed() -> Any:
        return [event for event in listener.receive_all() if event["detail"].get("key") == key]

    (event,) = until(indexed)
    assert event["detail-type"] == "Image Indexed"
    image_id = event["detail"]["image_id"]
    assert running.client.get(f"/v1/images/{image_id}", params={"collection": collection}).status_code == 200
    until(lambda: delayed(running) == 1)
    until(lambda: delayed(running) == 0)  # the first check is delivered while the index is still being built
    until(lambda: delayed(running) == 1)
    assert not running.client.get("/v1/duplicates", params={"collection": collection}).json()["groups"]

    set_index_phase(Phase.SEARCHABLE)
    found = listener.wait_for("Duplicate Found", collection)
    assert (found["image_id"], found["duplicate_of"], found["verdict"]) == (image_id, original, "near-duplicate")
    assert (found["bucket"], found["key"], found["metadata"]) == (bucket, key, {"shop": "é"})
    (group,) = running.client.get("/v1/duplicates", params={"collection": collection}).json()["groups"]
    assert {image["image_id"] for image in group["images"]} == {original, image_id}
    until(lambda: delayed(running) == 0)
    assert dead_letters(running) == dead
    told = [event["detail-type"] for event in listener.receive_all() if event["detail"].get("key") == key]
    assert told == ["Image Indexed", "Duplicate Found"]


def record_of(body: str) -> dict[str, Any]:
    return {"Records": [{"messageId": "1", "body": body, "eventSource": "aws:sqs", "attributes": {}}]}


def test_a_check_that_cannot_be_queued_fails_the_message(
    running: PicTrace,
    set_index_phase: SetIndexPhase,
    put: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    collection: str,
) -> None:
    from functions.ingest.bootstrap import dispatcher

    key = put(noise(811), f"uploads/{collection}/{'1' * 32}")
    body = json.dumps(in_stack_bucket(running, {"Records": [notification(key)]}))
    set_index_phase(Phase.BACKFILLING)
    with monkeypatch.context() as broken:
        broken.setattr(dispatcher()._messages, "_queue_url", "http://localhost:1/no-queue")
        assert invoke_ingest(record_of(body))["batchItemFailures"] == [{"itemIdentifier": "1"}]
    assert invoke_ingest(record_of(body)) == {"batchItemFailures": []}
    assert delayed(running) == 1


@pytest.mark.parametrize(("name", "hours"), [("unready_since", CHECK_HOURS - 0.1), ("since", CHECK_HOURS + 0.1)])
def test_a_check_is_eventually_abandoned(
    running: PicTrace, set_index_phase: SetIndexPhase, collection: str, name: str, hours: float
) -> None:
    """An earlier version sent since when the check was due, for which no index is known not to have been ready."""
    image_id = running.add(noise(812), collection=collection)
    set_index_phase(Phase.BACKFILLING)
    holding, source = ImageKey(collection, image_id), ObjectRef(running.cloud.outputs["BucketName"], "k")

    def waiting(name: str, hours: float) -> int:
        body = json.loads(duplicate_check(DuplicateCheck(holding, source)))
        body["duplicate_check"][name] = (datetime.now(UTC) - timedelta(hours=hours)).isoformat()
        assert invoke_ingest(record_of(json.dumps(body))) == {"batchItemFailures": []}
        return delayed(running)

    assert waiting("unready_since", CHECK_HOURS + 0.1) == 0
    assert waiting(name, hours) == 1


@pytest.mark.parametrize("phase", NOT_READY)
def test_faces_found_meanwhile_get_their_persons_later(
    running: PicTrace, set_index_phase: SetIndexPhase, phase: Phase
) -> None:
    """Their queue delays no message, and after five failures each would be a dead letter that nobody sends back."""
    set_index_phase(phase, FACES_INDEX)
    dead = messages_in(running, "PeopleDeadLetterQueueUrl")
    album = Album(running)
    until(lambda: delayed(running) == len(PLACES))
    assert album.people() == []
    set_index_phase(Phase.SEARCHABLE, FACES_INDEX)
    album.wait_for(3, 3)
    assert messages_in(running, "PeopleDeadLetterQueueUrl") == dead


def test_an_image_removed_before_its_check_is_not_reported_as_a_duplicate(
    running: PicTrace, listener: Listener, collection: str
) -> None:
    running.add(encoded(pixels("coffee.png"), ".png"), collection=collection)
    gone = running.add(encoded(pixels("coffee.png"), ".jpg", 1, 60), collection=collection, media_type="image/jpeg")
    listener.wait_for("Duplicate Found", collection)
    running.client.delete(f"/v1/images/{gone}", params={"collection": collection}).raise_for_status()
    before = [event for event in listener.receive_all() if event["detail"]["collection"] == collection]
    check_ = DuplicateCheck(ImageKey(collection, gone), ObjectRef("b", "k"))
    assert invoke_ingest(record_of(duplicate_check(check_))) == {"batchItemFailures": []}
    assert [event for event in listener.receive_all() if event["detail"]["collection"] == collection] == before
