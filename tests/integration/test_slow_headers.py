"""A connection of the local run whose request does not begin in time is closed; others are not."""

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from infra.local import prompt_requests
from infra.local.serving import serving

SECONDS = 0.6
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    monkeypatch.setattr(prompt_requests, "HEADER_SECONDS", SECONDS)
    monkeypatch.setattr(prompt_requests, "KEPT_SECONDS", 2 * SECONDS)
    with serving(app, 0) as url, socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as made:
        made.settimeout(10)
        yield made


def answered(connection: socket.socket) -> bool:
    received = b""
    while not received.endswith(b"ok"):
        received += connection.recv(1000)
    return received.startswith(b"HTTP/1.1 200 ")


def seconds_until_closed(connection: socket.socket) -> float:
    started = time.monotonic()
    while connection.recv(100):
        pass
    return time.monotonic() - started


def test_a_connection_that_sends_nothing_is_closed(connection: socket.socket) -> None:
    assert seconds_until_closed(connection) < 5 * SECONDS


def test_headers_that_come_byte_by_byte_do_not_keep_a_connection(connection: socket.socket) -> None:
    started = time.monotonic()
    try:
        while time.monotonic() < started + 20 * SECONDS:
            connection.sendall(b"X")
            time.sleep(SECONDS / 10)
    except (BrokenPipeError, ConnectionResetError):
        pass
    assert SECONDS / 2 < time.monotonic() - started < 10 * SECONDS


def test_a_kept_connection_may_not_begin_slowly_either(connection: socket.socket) -> None:
    for _ in range(3):
        connection.sendall(REQUEST)
        assert answered(connection)
        time.sleep(SECONDS / 3)
    connection.sendall(REQUEST[:10])
    assert seconds_until_closed(connection) < 5 * SECONDS


def test_a_body_may_take_longer(connection: socket.socket) -> None:
    connection.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\n")
    for _ in range(4):
        time.sleep(SECONDS / 2)
        connection.sendall(b"x")
    assert answered(connection)


def test_an_answer_on_a_kept_connection_does_not_wait_for_acknowledgements(
    connection: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The head and the body of an answer are two writes."""
    settings = set()
    made = prompt_requests.PromptRequests.connection_made

    def noted(self: prompt_requests.PromptRequests, transport: Any) -> None:
        made(self, transport)
        settings.add(transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    monkeypatch.setattr(prompt_requests.PromptRequests, "connection_made", noted)
    with socket.create_connection(connection.getpeername(), timeout=10) as another:
        another.sendall(REQUEST)
        assert answered(another)
    assert {bool(setting) for setting in settings} == {True}


def test_an_idle_connection_is_closed(connection: socket.socket) -> None:
    connection.sendall(REQUEST)
    assert answered(connection)
    assert seconds_until_closed(connection) < 10 * SECONDS
