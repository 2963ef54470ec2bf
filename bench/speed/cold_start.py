"""How the functions start: a new process for each measurement, under Lambda's own runtime client."""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Final

import boto3

from bench.speed.report import Floor, Part
from bench.speed.runtime_api import Function, running
from infra.local.cloud import API, INGEST, LocalCloud, local_cloud
from infra.local.queue_worker import lambda_event
from layers.resnet50.export import MODEL_FILE
from shared.domain.limits import MIB

BARE: Final = "bench.speed.bare.handler"
OF_BARE: Final = 1.2
MOST_MEMORY_MB: Final = 500
SAMPLED_EVERY: Final = 0.004

Steps = Callable[[Function], list[float]]


def measure(model_dir: Path, pictures: list[bytes], rounds: int) -> Part:
    """Init, first and second answer and peak memory of api and ingest, and api's init beside bare imports."""
    with local_cloud(model_dir.resolve()) as cloud:
        events = _Events(cloud, pictures)
        ways: dict[str, tuple[str, Steps]] = {
            "bare imports": (BARE, lambda function: [function.call({})[0]]),
            "api, `GET /health`": (API, lambda function: _twice(function, events.health)),
            "api, search": (API, lambda function: _twice(function, events.search)),
            "ingest, one picture": (INGEST, lambda function: _twice(function, events.arrival)),
        }
        taken: dict[str, list[list[float]]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, (handler, steps) in ways.items():
                with running(handler) as function:
                    taken[name].append([function.init_ms, *steps(function)])
        light = _is_light(events)
        peaks = {name: _peak(handler, steps) for name, (handler, steps) in ways.items()}
    middle = {name: [median(column) for column in zip(*rows, strict=True)] for name, rows in taken.items()}
    rows = [
        (
            name,
            *(f"{ms:.0f}" for ms in times),
            *([""] * (3 - len(times))),
            f"{peaks[name]:.0f}",
        )
        for name, times in middle.items()
    ]
    init = middle["api, `GET /health`"][0] / middle["bare imports"][0]
    peak = max(peaks.values())
    return Part(
        "Cold start",
        ("a new process", "init, ms", "first answer, ms", "second answer, ms", "peak memory, MB"),
        rows,
        [
            Floor("api init against bare imports", f"at most {OF_BARE}", f"{init:.2f}", init <= OF_BARE),
            Floor("`GET /health` never loads the model", "never", "never" if light else "it does", light),
            Floor("peak memory of both functions", f"under {MOST_MEMORY_MB} MB", f"{peak:.0f}", peak < MOST_MEMORY_MB),
        ],
        (
            "`python -m awslambdaric HANDLER` against a stand-in for the Lambda Runtime API; S3, DynamoDB and SQS are "
            "the emulator's, in another process. Init ends when the runtime asks for its first event. Bare imports: "
            "boto3, OpenCV, NumPy, FastAPI, Mangum and Powertools, in a handler that does nothing. Memory is of the "
            "process and its children, the decoder's included, what they share counted once, sampled every 4 ms in "
            "a run of its own.",
        ),
        {
            "api_init_ms": middle["api, `GET /health`"][0],
            "api_first_search_ms": middle["api, search"][1],
            "api_search_ms": middle["api, search"][2],
            "ingest_init_ms": middle["ingest, one picture"][0],
            "ingest_first_ms": middle["ingest, one picture"][1],
        },
    )


class _Events:
    """Events for the functions; every picture is new to the stack."""

    def __init__(self, cloud: LocalCloud, pictures: list[bytes]) -> None:
        self._bucket = cloud.outputs["BucketName"]
        self._s3 = boto3.client("s3")
        self._s3.put_bucket_notification_configuration(Bucket=self._bucket, NotificationConfiguration={})
        self._pictures = pictures
        self._count = 0

    def health(self) -> Any:
        return http_event("GET", "/health")

    def search(self) -> Any:
        body = json.dumps({"image_base64": base64.b64encode(self._next()).decode()}).encode()
        return http_event("POST", "/v1/search", body)

    def arrival(self) -> Any:
        key = f"uploads/default/{self._count:032x}"
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=self._next())
        record = {
            "eventSource": "aws:s3",
            "eventName": "ObjectCreated:Put",
            "s3": {"bucket": {"name": self._bucket}, "object": {"key": key, "sequencer": "0055AED6DCD90281E5"}},
        }
        message = {"MessageId": key, "ReceiptHandle": "r", "Body": json.dumps({"Records": [record]}), "MD5OfBody": "m"}
        return lambda_event([message], "arn:aws:sqs:us-east-1:123456789012:queue")

    def _next(self) -> bytes:
        """A picture whose bytes were not there before: what follows a JPEG's end is ignored."""
        self._count += 1
        return self._pictures[self._count % len(self._pictures)] + self._count.to_bytes(4, "big")


def http_event(method: str, path: str, body: bytes | None = None) -> Any:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html"""
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"host": "api.example.com", "content-type": "application/json"},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api",
            "domainName": "api.example.com",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "b"},
            "requestId": "id",
            "routeKey": "$default",
            "stage": "$default",
            "time": "01/Jan/2026:00:00:00 +0000",
            "timeEpoch": 1767225600000,
        },
        "body": base64.b64encode(body).decode() if body is not None else None,
        "isBase64Encoded": body is not None,
    }


def _twice(function: Function, event: Callable[[], Any]) -> list[float]:
    times = []
    for shown in (event(), event()):
        ms, answer = function.call(shown)
        if answer.get("statusCode", 200) != 200 or answer.get("batchItemFailures"):
            raise SystemExit(f"the function answered {json.dumps(answer)[:500]}")
        times.append(ms)
    return times


def _is_light(events: _Events) -> bool:
    """Whether the model stays out of memory until something is searched for."""
    with running(API) as function:
        function.call(events.health())
        before = function.maps(MODEL_FILE) or function.maps("ai_edge_litert")
        function.call(events.search())
        if not function.maps("ai_edge_litert"):
            raise SystemExit("the model cannot be seen in memory after a search either")
    return not before


def _peak(handler: str, steps: Steps) -> float:
    """MB that the process and its children have at most."""
    with running(handler) as function, _sampled(function) as most:
        steps(function)
    return max(most) / MIB


@contextmanager
def _sampled(function: Function) -> Iterator[list[int]]:
    most = [function.memory()]
    stop = threading.Event()

    def sample() -> None:
        while not stop.wait(SAMPLED_EVERY):
            most[0] = max(most[0], function.memory())

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield most
    finally:
        stop.set()
        thread.join()
