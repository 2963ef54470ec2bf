"""Each function publishes metrics by logging them in CloudWatch's embedded metric format."""

import json
from typing import Any

import pytest

from infra.local.queue_worker import FunctionContext
from tests.conftest import PicTrace
from tests.images import noise
from tests.integration.conftest import invoke_ingest
from tests.integration.test_lambda import call, http_event


@pytest.fixture(autouse=True)
def _published(running: PicTrace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POWERTOOLS_METRICS_DISABLED")


def published(printed: str, service: str) -> dict[str, Any]:
    """The last value and the unit of each metric that a service logged."""
    found: dict[str, Any] = {}
    for line in printed.splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if record.get("service") == service:
            for directive in record.get("_aws", {}).get("CloudWatchMetrics", []):
                assert directive["Namespace"] == "PicTrace"
                found |= {one["Name"]: (record[one["Name"]], one["Unit"]) for one in directive["Metrics"]}
    return found


def test_the_api_publishes_the_time_and_bytes_of_a_search(
    running: PicTrace, collection: str, capsys: pytest.CaptureFixture[str]
) -> None:
    image_id = running.add(noise(81), collection=collection)
    capsys.readouterr()
    event = http_event(
        "POST",
        f"/v1/search?collection={collection}",
        body=json.dumps({"image_id": image_id}).encode(),
        headers={"content-type": "application/json"},
    )
    answer = call(event)
    assert answer["statusCode"] == 200, answer
    found, body = published(capsys.readouterr().out, "api"), json.loads(answer["body"])
    assert found["searches"] == found["requests"] == ([1.0], "Count")
    assert found["search_ms"] == ([body["took_ms"]["total"]], "Milliseconds")
    assert found["search_bytes"] == ([body["bytes_examined"]], "Bytes")


@pytest.mark.parametrize("path", ["/health", "/openapi.json", "/nothing"])
def test_other_calls_are_counted_only_as_requests(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "errorType" not in call(http_event("GET", path))
    assert published(capsys.readouterr().out, "api").keys() - {"ColdStart"} == {"requests"}


def test_the_fetch_function_publishes_its_outcome(capsys: pytest.CaptureFixture[str]) -> None:
    from functions.fetch.handler import handler

    context: Any = FunctionContext("fetch")
    assert handler({"url": "http://127.0.0.1/"}, context)["status"] == "refused"
    found = published(capsys.readouterr().out, "fetch")
    assert found == {"fetch_refused": ([1.0], "Count"), "fetch_bytes": ([0.0], "Bytes")}


def test_the_ingest_function_counts_messages(capsys: pytest.CaptureFixture[str]) -> None:
    record = {"messageId": "1", "receiptHandle": "r", "body": "no json", "attributes": {}, "eventSource": "aws:sqs"}
    invoke_ingest({"Records": [record]})
    assert published(capsys.readouterr().out, "ingest")["messages"] == ([1.0], "Count")
