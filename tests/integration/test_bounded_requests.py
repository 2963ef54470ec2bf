"""Requests cannot hold the process, fill its disk, or have more sent back than they bring."""

import json
import socket
import tempfile
import time
from typing import Any
from urllib.parse import urlsplit

import pytest

from functions.api import body_limit, errors
from functions.api.problems import MAX_ERRORS, respond
from shared.domain.limits import MAX_REQUEST_BYTES, MAX_SMALL_REQUEST_BYTES
from tests.conftest import PicTrace
from tests.images import noise
from tests.integration.test_api_errors import problem

FORM = {"content-type": "application/x-www-form-urlencoded"}
HEAD = "POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
MULTIPART = "multipart/form-data; boundary=b"


def connect(running: PicTrace, path: str, kind: str, length: int = 1000) -> socket.socket:
    """Open a connection, and send a request without its body."""
    where = urlsplit(running.url)
    assert where.hostname
    assert where.port
    connection = socket.create_connection((where.hostname, where.port), timeout=20)
    connection.sendall(HEAD.format(path=path, kind=kind, length=length).encode())
    return connection


@pytest.mark.parametrize("path", ["/upload_from_url/", "/upload/"])
@pytest.mark.parametrize("declared", [True, False])
def test_a_form_of_six_megabytes_of_ampersands_is_refused_at_once(running: PicTrace, path: str, declared: bool) -> None:
    body = b"&" * MAX_REQUEST_BYTES
    answer = running.client.post(path, content=body if declared else iter([body]), headers=FORM)
    assert problem(answer) == (413, "too-large")


@pytest.mark.parametrize("path", ["/v1/uploads", "/v1/images"])
def test_an_answer_to_many_unknown_fields_is_short(running: PicTrace, path: str) -> None:
    names = [f"{number:05}-{'x' * 300}" for number in range(MAX_SMALL_REQUEST_BYTES // 400)]
    answer = running.client.post(path, json=dict.fromkeys(names, 1))
    assert problem(answer) == (422, "invalid-request")
    assert len(answer.content) < 6000
    assert len(answer.json()["errors"]) == MAX_ERRORS
    assert f"({len(names):,} more)" in answer.json()["detail"]


def test_a_large_json_object_is_refused_where_no_image_is_expected(running: PicTrace) -> None:
    body = json.dumps(dict.fromkeys(map(str, range(500_000)), 1))
    answer = running.client.post("/v1/uploads", content=body, headers={"content-type": "application/json"})
    assert problem(answer) == (413, "too-large")
    assert f"{MAX_SMALL_REQUEST_BYTES:,} bytes" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "kind"), [("/v1/search", MULTIPART), ("/v1/uploads", "application/json"), ("/upload/", MULTIPART)]
)
def test_a_body_that_arrives_too_slowly_is_answered(
    running: PicTrace, path: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body_limit, "BODY_SECONDS", 0.5)
    with connect(running, path, kind) as connection:
        connection.sendall(b"--b\r\n")
        started = time.monotonic()
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
        assert time.monotonic() - started < 10
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"urn:pictrace:problem:request-timeout" in answer


@pytest.mark.parametrize(
    ("path", "kind"), [("/v1/search", MULTIPART), ("/v1/compare", "application/json"), ("/v1/uploads", "text/plain")]
)
def test_a_client_that_goes_away_is_no_error(
    running: PicTrace, path: str, kind: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    logged: list[Any] = []
    monkeypatch.setattr(errors.logger, "error", lambda *arguments, **_: logged.append(arguments))
    answered: list[str] = []

    def note(slug: str, *rest: Any, **more: Any) -> Any:
        answered.append(slug)
        return respond(slug, *rest, **more)

    monkeypatch.setattr(errors, "respond", note)
    with connect(running, path, kind) as connection:
        connection.sendall(b"--b\r\n")
    deadline = time.monotonic() + 10
    while not answered and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.1)
    assert answered == ["malformed-body"]
    assert logged == []
    assert [record for record in caplog.records if record.name == "uvicorn.error"] == []


def test_a_query_needs_no_space_in_the_temporary_folder(
    running: PicTrace, collection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = noise(1) + bytes(3_000_000)
    monkeypatch.setattr(tempfile, "tempdir", "/nonexistent")
    answer = running.client.post("/v1/search", params={"collection": collection}, files={"file": ("a", large)})
    assert answer.status_code == 200, answer.text
    legacy = running.client.post("/upload/", params={"collection": collection}, files={"file": ("a", large)})
    assert legacy.status_code == 200, legacy.text
