"""Which calls are repeated, when, and for how long, against a server that answers as it is told."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

import pictrace
from pictrace import Client
from pictrace.errors import retry_after

Answer = tuple[int, dict[str, str], dict[str, Any]]

HEALTHY: Answer = (200, {}, {"status": "ok", "version": "1"})


def problem(status: int, slug: str, **headers: str) -> Answer:
    return status, headers, {"type": f"urn:pictrace:problem:{slug}", "status": status, "detail": f"{slug}."}


@contextmanager
def server(*script: Answer | None) -> Iterator[tuple[Client, list[tuple[float, str]]]]:
    """A server that answers with each of `script` once; None drops the connection."""
    seen: list[tuple[float, str]] = []
    left = list(script)

    class Handler(BaseHTTPRequestHandler):
        def respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            seen.append((time.monotonic(), f"{self.command} {len(body)}"))
            answer = left.pop(0)
            if answer is None:
                self.close_connection = True
                return
            status, headers, content = answer
            data = json.dumps(content).encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(data)), **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = respond  # noqa: N815 - the names that http.server calls

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        Thread(target=listening.serve_forever, daemon=True).start()
        with Client(f"http://127.0.0.1:{listening.server_address[1]}", patience=3) as client:
            yield client, seen
        listening.shutdown()


def test_a_busy_server_is_asked_again_when_it_says() -> None:
    with server(problem(503, "unavailable", Retry_After="1"), HEALTHY) as (client, seen):
        assert client.health()["status"] == "ok"
    assert 1 <= seen[1][0] - seen[0][0] < 2


def test_a_call_that_changes_something_is_repeated_only_if_it_was_refused() -> None:
    accepted: Answer = (201, {}, {"upload_id": "u", "url": "", "fields": {}, "expires_in": 1})
    with server(problem(429, "rate-limited", Retry_After="0"), accepted) as (client, seen):
        assert client.open_upload("a.png")["upload_id"] == "u"
    assert len(seen) == 2
    with server((502, {}, {"message": "Bad gateway"})) as (client, seen), pytest.raises(pictrace.ApiError) as error:
        client.open_upload("a.png")
    assert (error.value.status, error.value.detail, len(seen)) == (502, "Bad gateway", 1)
    with server(None) as (client, seen), pytest.raises(pictrace.ConnectionFailed):
        client.open_upload("a.png")
    assert len(seen) == 1


def test_a_search_is_repeated_with_its_whole_file() -> None:
    with server((502, {}, {}), None, (200, {}, {"matches": []})) as (client, seen):
        assert client.search(bytes(1000))["matches"] == []
    assert [call for _, call in seen] == [seen[0][1]] * 3
    assert int(seen[0][1].split()[1]) > 1000


def test_patience_ends() -> None:
    with (
        server(problem(503, "unavailable", Retry_After="60")) as (client, _),
        pytest.raises(pictrace.Unavailable) as busy,
    ):
        client.health()
    assert busy.value.retry_after == 60


def test_a_server_that_never_answered_is_given_up_soon() -> None:
    started = time.monotonic()
    with Client("http://127.0.0.1:9", patience=60) as client, pytest.raises(pictrace.ConnectionFailed, match="reached"):
        client.health()
    assert time.monotonic() - started < 4


def test_a_date_says_when_to_ask_again() -> None:
    import httpx

    for value, least, most in ((formatdate(time.time() + 30, usegmt=True), 28, 31), ("7", 7, 7), ("0", 0, 0)):
        seconds = retry_after(httpx.Response(503, headers={"Retry-After": value}))
        assert seconds is not None
        assert least <= seconds <= most
    assert retry_after(httpx.Response(503, headers={"Retry-After": "soon"})) is None
    assert retry_after(httpx.Response(503)) is None


def test_an_unknown_problem_is_a_plain_error() -> None:
    with server(problem(418, "new")) as (client, _), pytest.raises(pictrace.ApiError) as error:
        client.health()
    assert (type(error.value), error.value.type) == (pictrace.ApiError, "urn:pictrace:problem:new")
