"""Fetching over real sockets: hostile names and servers, and that nothing inside is ever connected to.

`tests/fake_internet.py` stands for the internet. Each test ends with two looks at its sockets: what they were asked to
connect to was public, and Python saw no other connection.
"""

import gzip
import json
import os
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path

import pytest

from shared.domain.errors import FetchRefused
from shared.net.fetching import fetch
from shared.version import VERSION
from tests.fake_internet import PUBLIC, PUBLIC_TOO, PUBLIC_V6, Authority, Server, Web, witnessed

LIMIT = 100_000
GOOD = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 4\r\n\r\ngood"
INSIDE = {
    "localhost": ["127.0.0.1", "::1"],
    "inside.example": ["10.0.0.7"],
    "alias.example": ["192.168.0.9"],
    "mixed.example": [PUBLIC, "10.0.0.1"],
    "half.example": [PUBLIC, "fd00::1"],
    "127.0.0.1.nip.io": ["127.0.0.1"],
    "sandbox.localdomain": ["169.254.100.1"],
    "instance-data": ["169.254.169.254"],
    "metadata.google.internal": ["169.254.169.254"],
    "spoofed.burpcollaborator.invalid": ["127.0.0.1"],
    "mapped.example": ["::ffff:169.254.169.254"],
    "nat64.example": ["64:ff9b::a9fe:a9fe"],
    "nothing.example": [],
}
"""Names of public DNS, of a hosts file and of the cloud, all of which lead inside; some beside a public address."""


def redirect(to: str, status: int = 302) -> bytes:
    return f"HTTP/1.1 {status} Go\r\nLocation: {to}\r\nContent-Length: 0\r\nSet-Cookie: a=b\r\n\r\n".encode()


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """A web whose every public name has a server, so that what is refused is not refused for want of one."""
    web = Web()
    web.names |= INSIDE | {"good.example": [PUBLIC], "other.example": [PUBLIC_TOO]}
    web.install(monkeypatch)
    monkeypatch.setattr("shared.net.fetching.FETCH_SECONDS", 1.5)
    monkeypatch.setattr("shared.net.connecting.IDLE_SECONDS", 1.0)
    with witnessed() as seen:
        yield web
    web.close()
    assert {host for host, _ in web.asked} <= {PUBLIC, PUBLIC_TOO, PUBLIC_V6}
    assert {port for _, port in web.asked} <= {80, 443}
    assert set(seen) <= {("127.0.0.1", server.port) for server in web.servers.values()}


@pytest.fixture
def site(web: Web) -> Server:
    server = web.serve(PUBLIC)
    server.pages["/a"] = GOOD
    return server


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    return authority


def cause(url: str) -> str:
    with pytest.raises(FetchRefused) as refused:
        fetch(url, LIMIT)
    assert refused.value.code == "unfetchable"
    return refused.value.cause


def test_an_image(site: Server, web: Web) -> None:
    site.pages["/a?x=1"] = GOOD
    assert fetch("http://good.example/a?x=1#part", LIMIT) == b"good"
    assert web.asked == [(PUBLIC, 80)]
    (head,) = site.heads
    assert head.split("\r\n")[:2] == ["GET /a?x=1 HTTP/1.1", "Host: good.example"]


class TestNames:
    @pytest.mark.parametrize("name", sorted(INSIDE))
    def test_a_name_that_leads_inside(self, web: Web, site: Server, name: str) -> None:
        assert cause(f"http://{name}/a") == "not_public"
        assert web.asked == []

    @pytest.mark.parametrize(
        "host",
        [
            *("127.0.0.1", "10.0.0.1", "169.254.169.254", "100.100.100.200", "168.63.129.16", "0.0.0.0"),  # noqa: S104
            *(
                "[::1]",
                "[::ffff:127.0.0.1]",
                "[::127.0.0.1]",
                "[64:ff9b::7f00:1]",
                "[2002:7f00:1::]",
                "[fd00:ec2::254]",
            ),
            *("127。0。0。1", "①②⑦.0.0.1"),
        ],
    )
    def test_a_literal_address_inside(self, web: Web, host: str) -> None:
        assert cause(f"http://{host}/") == "not_public"
        assert web.asked == []

    def test_an_unknown_name_answers_as_one_inside(self, web: Web) -> None:
        said = []
        for name in ("unknown.example", "inside.example"):
            with pytest.raises(FetchRefused) as refused:
                fetch(f"http://{name}/", LIMIT)
            said.append((refused.value.cause, refused.value.reason))
        assert said[0] == said[1]

    def test_rebinding_between_check_and_connection(self, web: Web, site: Server) -> None:
        """Public when first asked, inside ever after: the name is asked for once, and its answer is connected to."""
        answers = iter([[PUBLIC], ["127.0.0.1"], ["127.0.0.1"]])
        web.names["rebind.example"] = lambda: next(answers)
        assert fetch("http://rebind.example/a", LIMIT) == b"good"
        assert web.lookups == ["rebind.example"]
        assert web.asked == [(PUBLIC, 80)]

    def test_rebinding_at_a_redirect(self, web: Web, site: Server) -> None:
        answers = iter([[PUBLIC], ["169.254.169.254"]])
        web.names["rebind.example"] = lambda: next(answers)
        site.pages["/start"] = redirect("/a")
        assert cause("http://rebind.example/start") == "not_public"
        assert web.asked == [(PUBLIC, 80)]

    def test_a_name_that_flickers_never_leads_inside(self, web: Web, site: Server) -> None:
        answers = cycle([[PUBLIC], ["127.0.0.1"], ["127.0.0.1", PUBLIC]])
        web.names["flicker.example"] = lambda: next(answers)
        outcomes = []
        for _ in range(6):
            try:
                outcomes.append(fetch("http://flicker.example/a", LIMIT).decode())
            except FetchRefused as refused:
                outcomes.append(refused.cause)
        assert outcomes == ["good", "not_public", "not_public"] * 2

    def test_the_next_address_where_one_takes_no_connection(self, web: Web) -> None:
        web.names["two.example"] = [PUBLIC_TOO, PUBLIC]
        web.serve(PUBLIC).pages["/a"] = GOOD
        assert fetch("http://two.example/a", LIMIT) == b"good"
        assert web.asked == [(PUBLIC_TOO, 80), (PUBLIC, 80)]

    def test_nobody_listens(self, web: Web) -> None:
        assert cause("http://good.example/") == "unreachable"

    def test_a_resolver_that_never_answers(self, web: Web) -> None:
        def slowly() -> list[str]:
            time.sleep(5)
            return [PUBLIC]

        web.names["slow.example"] = slowly
        began = time.monotonic()
        assert cause("http://slow.example/") == "timeout"
        assert time.monotonic() - began < 3


class TestRedirects:
    def test_three_are_followed(self, web: Web, site: Server) -> None:
        site.pages |= {f"/{left}": redirect(f"/{left - 1}" if left > 1 else "/a") for left in range(1, 12)}
        assert fetch("http://good.example/3", LIMIT) == b"good"
        assert len(site.heads) == 4

    def test_a_chain_of_eleven(self, web: Web, site: Server) -> None:
        site.pages |= {f"/{left}": redirect(f"/{left - 1}" if left > 1 else "/a") for left in range(1, 12)}
        assert cause("http://good.example/11") == "too_many_redirects"
        assert len(site.heads) == 4

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_a_loop(self, web: Web, site: Server, status: int) -> None:
        site.pages["/"] = redirect("/", status)
        assert cause("http://good.example/") == "too_many_redirects"

    @pytest.mark.parametrize(
        ("to", "why"),
        [
            ("http://169.254.169.254/latest/meta-data/", "not_public"),
            ("//127.0.0.1/", "not_public"),
            ("http://inside.example/", "not_public"),
            ("http://[::ffff:169.254.169.254]/", "not_public"),
            ("http://127.0.0.1:9001/2018-06-01/runtime/invocation/next", "bad_url"),
            ("file:///proc/self/environ", "bad_url"),
            ("http://user:word@good.example/a", "bad_url"),
            ("http://good.example\\@127.0.0.1/", "bad_url"),
            ("http://good.example:6379/", "bad_url"),
            ("gopher://good.example/", "bad_url"),
            ("", "http_status"),
        ],
    )
    def test_each_is_checked_like_the_first(self, web: Web, site: Server, to: str, why: str) -> None:
        site.pages["/"] = redirect(to)
        assert cause("http://good.example/") == why
        assert web.asked == [(PUBLIC, 80)]

    def test_of_a_page_is_not_followed(self, web: Web, site: Server) -> None:
        page = b'<meta http-equiv="refresh" content="0;url=http://127.0.0.1/">'
        site.pages["/"] = (
            b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nRefresh: 0;url=//127.0.0.1/\r\n\r\n" % len(page) + page
        )
        assert fetch("http://good.example/", LIMIT) == page
        assert web.asked == [(PUBLIC, 80)]

    def test_nothing_of_one_request_reaches_the_next(
        self, web: Web, site: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        netrc = tmp_path / ".netrc"
        netrc.write_text("machine good.example login me password secret\n", encoding="utf-8")
        monkeypatch.setenv("NETRC", str(netrc))
        monkeypatch.setenv("HOME", str(tmp_path))
        site.pages["/"] = redirect("http://other.example/a")
        other = web.serve(PUBLIC_TOO)
        other.pages["/a"] = redirect("http://good.example/a")
        assert fetch("http://good.example/", LIMIT) == b"good"
        for head in (*site.heads, *other.heads):
            names = [line.partition(":")[0] for line in head.split("\r\n")[1:] if line]
            assert names == ["Host", "User-Agent", "Accept", "Accept-Encoding", "Connection"]
        assert "Host: other.example\r\n" in other.heads[0]
        assert f"User-Agent: PicTrace/{VERSION}\r\n" in other.heads[0]


def test_proxies_of_the_environment_play_no_part(web: Web, site: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert fetch("http://good.example/a", LIMIT) == b"good"
    assert web.asked == [(PUBLIC, 80)]


class TestLimits:
    def endless(self, server: Server, sent: list[int], step: bytes) -> Callable[[socket.socket], None]:
        def pour(connection: socket.socket) -> None:
            while not server.closing.is_set():
                connection.sendall(step)
                sent.append(len(step))

        return pour

    def pouring(self, server: Server, head: bytes, sent: list[int], step: bytes) -> Callable[[socket.socket], None]:
        def behave(connection: socket.socket) -> None:
            connection.sendall(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n")
            self.endless(server, sent, step)(connection)

        return behave

    def test_an_announced_length_over_the_limit(self, site: Server) -> None:
        """Refused by the head alone: the server never sends more."""

        def behave(connection: socket.socket) -> None:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n")
            site.closing.wait(30)

        site.pages["/"] = behave
        assert cause("http://good.example/") == "too_large"

    @pytest.mark.parametrize(
        ("head", "step"),
        [
            (b"Transfer-Encoding: chunked\r\n", b"2000\r\n" + bytes(0x2000) + b"\r\n"),
            (b"", bytes(0x2000)),
        ],
        ids=["chunked", "until the end"],
    )
    def test_a_body_without_end(self, site: Server, head: bytes, step: bytes) -> None:
        sent: list[int] = []
        site.pages["/"] = self.pouring(site, head, sent, step)
        assert cause("http://good.example/") == "too_large"
        assert sum(sent) < 20_000_000, "what the sockets' buffers hold, no more"

    def test_more_than_was_announced_is_not_read(self, site: Server) -> None:
        sent: list[int] = []
        site.pages["/"] = self.pouring(site, b"Content-Length: 10\r\n", sent, b"0123456789")
        assert fetch("http://good.example/", LIMIT) == b"0123456789"

    def test_exactly_the_limit(self, site: Server) -> None:
        for length, given in ((LIMIT, True), (LIMIT + 1, False)):
            site.pages["/"] = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length + bytes(length)
            if given:
                assert len(fetch("http://good.example/", LIMIT)) == LIMIT
            else:
                assert cause("http://good.example/") == "too_large"

    @pytest.mark.parametrize("kind", ["gzip", "deflate", "br", "GZIP, gzip"])
    def test_a_compressed_body_is_never_unpacked(self, site: Server, kind: str) -> None:
        bomb = gzip.compress(bytes(10_000_000))
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {kind}\r\nContent-Length: {len(bomb)}\r\n\r\n"
        site.pages["/"] = head.encode() + bomb
        assert cause("http://good.example/") == "encoded"
        assert "Accept-Encoding: identity" in site.heads[0]

    @pytest.mark.parametrize("step", [b"HTTP/1.1 200 OK\r\nA: ", b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n"])
    def test_a_byte_now_and_then(self, site: Server, step: bytes) -> None:
        """Never silent for long, and yet over in time: in the head and in the body."""

        def drip(connection: socket.socket) -> None:
            connection.sendall(step)
            for _ in range(60):
                site.closing.wait(0.1)
                connection.sendall(b"x")

        site.pages["/"] = drip
        began = time.monotonic()
        assert cause("http://good.example/") == "timeout"
        assert 1.2 < time.monotonic() - began < 3

    def test_all_redirects_share_the_time(self, site: Server) -> None:
        def late(connection: socket.socket) -> None:
            site.closing.wait(0.6)
            connection.sendall(redirect("/late"))

        site.pages["/late"] = late
        began = time.monotonic()
        assert cause("http://good.example/late") == "timeout"
        assert time.monotonic() - began < 3

    def test_a_server_that_never_answers(self, site: Server) -> None:
        site.pages["/"] = site.wait
        began = time.monotonic()
        assert cause("http://good.example/") == "timeout"
        assert time.monotonic() - began < 3

    def test_a_megabyte_of_headers(self, site: Server) -> None:
        site.pages["/"] = b"HTTP/1.1 200 OK\r\n" + b"A: " + b"x" * 1_000_000 + b"\r\nContent-Length: 4\r\n\r\ngood"
        assert cause("http://good.example/") == "unreachable"

    def test_early_answers_without_end(self, site: Server) -> None:
        site.pages["/"] = self.endless(site, [], b"HTTP/1.1 103 Early Hints\r\n\r\n")
        began = time.monotonic()
        assert cause("http://good.example/") in {"timeout", "unreachable"}
        assert time.monotonic() - began < 3


class TestAnswers:
    @pytest.mark.parametrize("status", [201, 204, 206, 300, 304, 401, 403, 404, 407, 418, 429, 500, 503])
    def test_only_200_is_an_image(self, site: Server, status: int) -> None:
        site.pages["/"] = f"HTTP/1.1 {status} Some\r\nContent-Length: 0\r\nContent-Range: bytes 0-1/9\r\n\r\n".encode()
        assert cause("http://good.example/") == "http_status"

    @pytest.mark.parametrize(
        "answer",
        [
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        ],
    )
    def test_a_body_that_breaks_off(self, site: Server, answer: bytes) -> None:
        site.pages["/"] = answer
        assert cause("http://good.example/") == "incomplete"

    @pytest.mark.parametrize(
        "answer",
        [
            b"",
            b"+PONG\r\n\r\n",
            b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" * 20,
            b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\ngood",
            b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\ngood",
            b"HTTP/1.1 302 Go\r\nLocation: \xff\xfe\r\n\r\n",
        ],
    )
    def test_what_is_not_http(self, site: Server, answer: bytes) -> None:
        site.pages["/"] = answer
        assert cause("http://good.example/") == "unreachable"


class TestTls:
    def test_a_valid_certificate(self, web: Web, authority: Authority) -> None:
        server = web.serve(PUBLIC, port=443, context=authority.context("good.example"))
        server.pages["/a"] = GOOD
        assert fetch("https://good.example/a", LIMIT) == b"good"
        assert web.asked == [(PUBLIC, 443)]
        assert server.protocols == ["http/1.1"], "HTTP/2 is never spoken, whatever the server offers"

    @pytest.mark.parametrize(
        "context",
        [
            lambda authority: authority.context("good.example", trusted=False),
            lambda authority: authority.context("good.example", days=-1),
            lambda authority: authority.context("other.example"),
        ],
        ids=["self-signed", "expired", "of another host"],
    )
    def test_certificates_that_prove_nothing(
        self, web: Web, authority: Authority, context: Callable[[Authority], ssl.SSLContext]
    ) -> None:
        server = web.serve(PUBLIC, port=443, context=context(authority))
        server.pages["/a"] = GOOD
        assert cause("https://good.example/a") == "bad_certificate"
        assert server.heads == []

    def test_a_server_that_speaks_no_tls(self, web: Web, authority: Authority) -> None:
        server = web.serve(PUBLIC, port=443)
        began = time.monotonic()
        assert cause("https://good.example/a") == "timeout"
        assert time.monotonic() - began < 3
        assert server.heads == []

    def test_from_https_to_http_is_checked_again(self, web: Web, authority: Authority) -> None:
        server = web.serve(PUBLIC, port=443, context=authority.context("good.example"))
        server.pages |= {"/out": redirect("http://other.example/a"), "/in": redirect("http://inside.example/a")}
        web.serve(PUBLIC_TOO).pages["/a"] = GOOD
        assert fetch("https://good.example/out", LIMIT) == b"good"
        assert cause("https://good.example/in") == "not_public"


def test_every_collected_address(web: Web, authority: Authority) -> None:
    """Each that should be refused is, without a connection; each that may pass reaches its own address and no other."""
    data = os.environ.get("PICTRACE_EVAL_DATA")
    if not data:
        pytest.skip("PICTRACE_EVAL_DATA names no folder")
    cases = json.loads((Path(data) / "corpus" / "cases" / "urls.json").read_text(encoding="utf-8"))["urls"]
    assert len(cases) > 50
    web.names |= {"images.example.org": [PUBLIC], "self-signed.badssl.com": [PUBLIC_TOO]}
    web.serve(PUBLIC)
    trusted = authority.context("images.example.org", "good.example", PUBLIC_V6)
    good = web.serve(PUBLIC, PUBLIC_V6, port=443, context=trusted)
    web.serve(PUBLIC_TOO, port=443, context=authority.context("self-signed.badssl.com", trusted=False))
    good.pages |= dict.fromkeys(("/cat.jpg", "/c%20a+t.jpg?x=1", "/a.jpg"), GOOD)
    wrong = []
    for case in cases:
        web.asked.clear()
        try:
            ended = fetch(case["url"], LIMIT).decode()
        except FetchRefused as refused:
            ended = refused.cause
        connected = [host for host, _ in web.asked]
        if case["expect"] == "refuse":
            right = ended == "bad_certificate" if "self-signed" in case["url"] else not connected and ended != "good"
        else:
            right = ended == "good" and connected in ([PUBLIC], [PUBLIC_V6])
        if not right:
            wrong.append((case["url"], ended, connected))
    assert not wrong
