"""Which calls are repeated, when, and for how long, against a server that answers as it is told."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, NamedTuple

import pytest

import pictrace
from pictrace import Client
from pictrace.errors import retry_after


class Seen(NamedTuple):
    """A request that a server has got."""

    at: float
    call: str
    authorization: str | None


Answer = tuple[int, dict[str, str], dict[str, Any]]

HEALTHY: Answer = (200, {}, {"status": "ok", "version": "1"})


def problem(status: int, slug: str, **headers: str) -> Answer:
    return status, headers, {"type": f"urn:pictrace:problem:{slug}", "status": status, "detail": f"{slug}."}


@contextmanager
def server(*script: Answer | None) -> Iterator[tuple[Client, list[Seen]]]:
    """A server that answers with each of `script` once; None drops the connection."""
    seen: list[Seen] = []
    left = list(script)

    class Handler(BaseHTTPRequestHandler):
        def respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            seen.append(Seen(time.monotonic(), f"{self.command} {len(body)}", self.headers.get("Authorization")))
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
    assert 1 <= seen[1].at - seen[0].at < 2


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
    assert [one.call for one in seen] == [seen[0].call] * 3
    assert int(seen[0].call.split()[1]) > 1000


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


def test_the_key_is_sent_to_the_api_and_not_to_the_storage() -> None:
    with server(HEALTHY, HEALTHY) as (client, seen), Client(client.url, "pt_secret") as known:
        known.health()
        known.read_link(f"{client.url}/uploads/default/1?X-Amz-Signature=1")
    assert [one.authorization for one in seen] == ["Bearer pt_secret", None]


def test_waiting_ends() -> None:
    pending: Answer = (200, {}, {"upload_id": "u", "status": "pending"})
    with (
        server(*[pending] * 5) as (client, seen),
        pytest.raises(pictrace.StillPending, match="u is not indexed") as late,
    ):
        client.wait("u", timeout=0.3)
    assert isinstance(late.value, TimeoutError)
    assert 2 <= len(seen) < 5


@pytest.mark.parametrize(
    "answer", [{"detail": "It is empty."}, "<Error><Code>EntityTooSmall</Code><Message>It is empty.</Message></Error>"]
)
def test_the_storage_is_quoted_without_its_format(answer: Any) -> None:
    with server((400, {}, answer)) as (client, _), pytest.raises(pictrace.StorageRefused) as refused:
        client.read_link(f"{client.url}/objects/x")
    assert str(refused.value) == "The storage answered 400: It is empty."


def test_an_address_without_a_scheme_is_given_up_at_once() -> None:
    with Client("localhost:8000") as client, pytest.raises(pictrace.ConnectionFailed, match="begin it with http://"):
        client.health()
