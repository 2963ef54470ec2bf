"""Fetching from URLs: only public addresses, within limits."""

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from shared.net.addresses import is_public
from shared.net.fetching import FetchRefused, checked, fetch

INSIDE = [
    "127.0.0.1",
    "0.0.0.0",  # noqa: S104 - an address to refuse
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "168.63.129.16",
    "192.88.99.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::a9fe:a9fe",
    "::ffff:10.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a9fe:a9fe",
    "2002:a9fe:a9fe::",
    "2001:0:1::1",
    "2001:db8::1",
    "fec0::1",
    "fe80::1%eth0",
    "fd00::1",
    "ff02::1",
    "2600::5efe:a9fe:a9fe",
]


@pytest.mark.parametrize("address", INSIDE)
def test_addresses_inside(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111"])
def test_addresses_outside(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "//example.com/",
        "ftp://example.com/a",
        "file:///etc/passwd",
        "dict://127.0.0.1:11211/",
        "gopher://example.com:80/",
        "http://",
        "http:///a",
        "http://user@example.com/",
        "http://user:word@example.com/",
        "http://example.com:99999/",
        "http://example.com:x/",
        "http://good.example\\@169.254.169.254/",
        "http://exa mple.com/",
        "http://example.com/\r\nX: y",
        "http://[::1/",
        "http://example.com/" + "a" * 3000,
    ],
)
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(FetchRefused) as refused:
        checked(url)
    assert refused.value.code == "bad_url"


class Server(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path = self.path
        if path.startswith("/to"):
            self.send_response(302)
            left = int(path[3:] or 0)
            self.send_header("Location", f"/to{left - 1}" if left else "/ok")
            self.end_headers()
        elif path == "/inside":
            self.send_response(302)
            self.send_header("Location", "http://inside.example/")
            self.end_headers()
        elif path == "/missing":
            self.send_error(404)
        elif path == "/large":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(bytes(5000))
        else:
            self.send_response(200)
            self.send_header("Content-Length", "2" if path != "/announced" else "99999")
            self.end_headers()
            self.wfile.write(b"ok")

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()


def resolver(host: str, _: int) -> list[str]:
    """`outside.example` is the test's server, under an address that the test allows."""
    return {"outside.example": ["127.0.0.1"], "mixed.example": ["127.0.0.1", "127.0.0.2"]}.get(host, ["10.0.0.1"])


def get(port: int, path: str, host: str = "outside.example") -> bytes:
    url = f"http://{host}:{port}{path}"
    return fetch(url, 1000, resolver=resolver, allowed=lambda address: address == "127.0.0.1")


def test_a_body_and_up_to_three_redirects(port: int) -> None:
    assert get(port, "/ok") == b"ok"
    assert get(port, "/to2") == b"ok"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/to3", "too_many_redirects"),
        ("/inside", "not_public"),
        ("/missing", "http_status"),
        ("/large", "too_large"),
        ("/announced", "too_large"),
    ],
)
def test_what_is_refused(port: int, path: str, code: str) -> None:
    with pytest.raises(FetchRefused) as refused:
        get(port, path)
    assert refused.value.code == code


def test_one_inside_address_among_others_is_enough(port: int) -> None:
    with pytest.raises(FetchRefused) as refused:
        get(port, "/ok", host="mixed.example")
    assert refused.value.code == "not_public"


def test_the_collected_addresses_are_refused_before_any_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    data = os.environ.get("PICTRACE_EVAL_DATA")
    if not data:
        pytest.skip("PICTRACE_EVAL_DATA names no folder")
    import httpcore

    def connect(*_: Any, **__: Any) -> Any:
        raise AssertionError("a connection was made")

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    cases = json.loads((Path(data) / "corpus" / "cases" / "urls.json").read_text(encoding="utf-8"))["urls"]
    refused = [case for case in cases if case["expect"] == "refuse"]
    assert len(refused) > 20
    for case in refused:
        with pytest.raises(FetchRefused):
            fetch(case["url"], 1000)
