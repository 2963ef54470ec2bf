"""Images by URL, through every entry point of the running system, from a fake internet."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from shared.aws.clients import lambda_client
from shared.aws.fetch_client import LambdaFetcher
from shared.domain.errors import FetchFailed, PictureRefused
from shared.domain.limits import MAX_FETCH_BYTES, MAX_QUERY_BYTES
from tests.conftest import PicTrace
from tests.fake_internet import PUBLIC, FakeInternet, Server
from tests.images import noise
from tests.integration.conftest import Listener, invoke_ingest, send, until

SITE = "http://images.example"


def page(data: bytes, kind: str = "image/png") -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data


def announced(length: int) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode()


@pytest.fixture
def site(running: PicTrace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The server of `SITE`, with pages and names that lead inside; no test may connect to an internal address."""
    internet = FakeInternet()
    internet.names |= {
        "images.example": [PUBLIC],
        "inside.example": ["10.0.0.7"],
        "metadata.example": ["169.254.169.254"],
    }
    internet.install(monkeypatch)
    server = internet.serve(PUBLIC)
    server.pages |= {
        "/page": page(b"<html>", "image/jpeg"),
        "/inside": b"HTTP/1.1 302 Go\r\nLocation: http://127.0.0.1:80/latest\r\nContent-Length: 0\r\n\r\n",
        "/for-an-upload": announced(MAX_QUERY_BYTES + 1),
        "/for-nobody": announced(MAX_FETCH_BYTES + 1),
    }
    yield server
    internet.close()
    assert set(internet.connections) <= {(PUBLIC, 80)}


class TestAccepted:
    def test_an_image_is_stored_by_url(self, running: PicTrace, site: Server, collection: str) -> None:
        site.pages["/a%20b.png?token=secret"] = page(noise(700))
        wanted = {"url": f"{SITE}/a%20b.png?token=secret", "collection": collection}
        accepted = running.client.post("/v1/images", json=wanted)
        assert accepted.status_code == 202
        state = running.wait_for_upload(accepted.json()["upload_id"])
        assert state["status"] == "indexed"
        image = running.client.get(f"/v1/images/{state['image_id']}", params={"collection": collection}).json()
        assert image["filename"] == "a b.png"
        assert "secret" not in json.dumps(image), "a URL may contain a token, so it is not stored"
        [match] = running.search(noise(700), collection=collection, k=1)["matches"]
        assert match["verdict"] == "identical"

    def test_a_search_by_url_stores_nothing(self, running: PicTrace, site: Server, collection: str) -> None:
        stored = running.add(noise(701), collection=collection)
        site.pages["/a.png"] = page(noise(701))
        found = running.client.post("/v1/search", params={"collection": collection}, json={"url": f"{SITE}/a.png"})
        assert [match["image_id"] for match in found.json()["matches"]] == [stored]
        assert "fetch" in found.json()["took_ms"]
        listed = running.client.get("/v1/images", params={"collection": collection}).json()
        assert len(listed["images"]) == 1, "a query is not stored"

    def test_the_legacy_call_stores_by_url(self, running: PicTrace, site: Server) -> None:
        site.pages["/a.png"] = page(noise(702))
        answer = running.client.post("/upload_from_url/", data={"image_url": f"{SITE}/a.png"}).json()
        assert answer["message"] == "File uploaded successfully from URL"
        image_id = answer["hash"]
        assert answer["filename"] == f"{image_id}.jpg"
        until(lambda: running.client.get(f"/v1/images/{image_id}").status_code == 200)
        assert running.client.delete(f"/v1/images/{image_id}").status_code == 204

    def test_a_url_over_the_bus_is_indexed(
        self, running: PicTrace, site: Server, listener: Listener, collection: str
    ) -> None:
        site.pages["/a.png"] = page(noise(703))
        detail = {"url": f"{SITE}/a.png", "collection": collection, "metadata": {"sku": "4711"}}
        submit(running, detail)
        indexed = listener.wait_for("Image Indexed", collection)
        assert indexed["metadata"] == {"sku": "4711"}
        assert running.wait_for_upload(indexed["upload_id"])["image_id"] == indexed["image_id"]
        [match] = running.search(noise(703), collection=collection, k=1)["matches"]
        assert (match["image_id"], match["verdict"]) == (indexed["image_id"], "identical")

    def test_a_url_sent_to_the_queue_is_indexed(
        self, running: PicTrace, site: Server, listener: Listener, collection: str
    ) -> None:
        site.pages["/a.png"] = page(noise(704))
        send(running, {"url": f"{SITE}/a.png", "collection": collection})
        assert listener.wait_for("Image Indexed", collection)["key"].startswith(f"uploads/{collection}/")

    def test_a_direct_call_returns_the_record(self, running: PicTrace, site: Server, collection: str) -> None:
        site.pages["/a.png"] = page(noise(705))
        record = invoke_ingest({"url": f"{SITE}/a.png", "collection": collection})
        assert (record["collection"], record["format"]) == (collection, "png")

    def test_a_redelivered_message_stores_no_second_copy(
        self, running: PicTrace, site: Server, listener: Listener, collection: str
    ) -> None:
        site.pages["/a.png"] = page(noise(706))
        body = json.dumps({"url": f"{SITE}/a.png", "collection": collection})
        message = {"messageId": uuid.uuid4().hex, "body": body, "eventSource": "aws:sqs", "attributes": {}}
        for _ in range(2):
            assert invoke_ingest({"Records": [message]}) == {"batchItemFailures": []}
        image_id = listener.wait_for("Image Indexed", collection)["image_id"]
        image = running.client.get(f"/v1/images/{image_id}", params={"collection": collection}).json()
        assert len({source["key"] for source in image["sources"]}) == 1


def submit(running: PicTrace, detail: dict[str, Any]) -> None:
    answer = boto3.client("events").put_events(
        Entries=[
            {
                "EventBusName": running.cloud.outputs["BusName"],
                "Source": "shop",
                "DetailType": "Image Submitted",
                "Detail": json.dumps(detail),
            }
        ]
    )
    assert answer["FailedEntryCount"] == 0


REFUSED = [
    ("http://169.254.169.254/latest/meta-data/", 422, "unfetchable-url", "not_public"),
    ("http://127.0.0.1:9001/2018-06-01/runtime/invocation/next", 422, "unfetchable-url", "bad_url"),
    ("http://inside.example/a.png", 422, "unfetchable-url", "not_public"),
    ("http://metadata.example/", 422, "unfetchable-url", "not_public"),
    (f"{SITE}/inside", 422, "unfetchable-url", "not_public"),
    ("file:///proc/self/environ", 422, "unfetchable-url", "bad_url"),
    ("http://user:word@images.example/a.png", 422, "unfetchable-url", "bad_url"),
    (f"{SITE}/absent", 422, "unfetchable-url", "http_status"),
    (f"{SITE}/for-nobody", 422, "unfetchable-url", "too_large"),
    (f"{SITE}/page", 415, "unsupported-media-type", "unsupported_type"),
]


class TestRefused:
    @pytest.mark.parametrize(("url", "status", "slug", "code"), REFUSED)
    def test_every_call_refuses_a_url_with_the_same_problem(
        self, running: PicTrace, site: Server, url: str, status: int, slug: str, code: str
    ) -> None:
        client = running.client
        answers = (
            client.post("/v1/images", json={"url": url}),
            client.post("/v1/search", json={"url": url}),
            client.post("/upload_from_url/", data={"image_url": url}),
        )
        for answer in answers:
            body = answer.json()
            assert (answer.status_code, body["type"], body["code"]) == (status, f"urn:pictrace:problem:{slug}", code)
            assert body["detail"].endswith(".")
            assert "10.0.0.7" not in answer.text, "callers do not learn what a name resolves to"

    def test_a_refusal_over_the_bus_is_published(
        self, running: PicTrace, site: Server, listener: Listener, collection: str
    ) -> None:
        submit(running, {"url": f"{SITE}/inside", "collection": collection, "metadata": {"sku": "1"}})
        rejected = listener.wait_for("Image Rejected", collection)
        assert (rejected["code"], rejected["url"], rejected["metadata"]) == (
            "unfetchable",
            f"{SITE}/inside",
            {"sku": "1"},
        )
        state = running.wait_for_upload(rejected["upload_id"])
        assert (state["status"], state["code"], state["reason"]) == ("rejected", "unfetchable", rejected["reason"])

    def test_a_direct_call_raises_the_refusal(self, running: PicTrace, site: Server) -> None:
        with pytest.raises(PictureRefused, match="no address on the public internet"):
            invoke_ingest({"url": "http://inside.example/a.png"})

    def test_too_large_for_a_search_is_not_too_large_to_store(self, running: PicTrace, site: Server) -> None:
        answer = running.client.post("/v1/search", json={"url": f"{SITE}/for-an-upload"})
        assert (answer.status_code, answer.json()["code"]) == (422, "too_large")
        assert "POST /v1/images" in answer.json()["detail"]
        stored = running.client.post("/v1/images", json={"url": f"{SITE}/for-an-upload"})
        assert stored.json()["code"] == "incomplete", "the length was accepted; this server sends no body"


class TestFaults:
    """The fetch function, or S3 behind it, does not work."""

    @pytest.fixture
    def broken(self, running: PicTrace, monkeypatch: pytest.MonkeyPatch) -> None:
        from functions.fetch.bootstrap import image_fetcher

        monkeypatch.setattr(image_fetcher()._objects, "_bucket", "no-such-bucket")

    def test_the_api_answers_503_if_fetching_fails(self, running: PicTrace, site: Server, broken: None) -> None:
        site.pages["/a.png"] = page(noise(710))
        answer = running.client.post("/v1/images", json={"url": f"{SITE}/a.png"})
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:pictrace:problem:unavailable")
        assert "no-such-bucket" not in answer.text

    def test_a_message_is_retried_if_fetching_fails(self, running: PicTrace, site: Server, broken: None) -> None:
        site.pages["/a.png"] = page(noise(711))
        body = json.dumps({"url": f"{SITE}/a.png", "collection": "faults"})
        message = {"messageId": "1", "body": body, "eventSource": "aws:sqs", "attributes": {}}
        assert invoke_ingest({"Records": [message]})["batchItemFailures"] == [{"itemIdentifier": "1"}]

    def test_a_missing_fetch_function_is_a_failure(self, running: PicTrace) -> None:
        with pytest.raises(FetchFailed):
            LambdaFetcher(lambda_client(), "nobody").read(SITE)
