"""Fetching over real sockets from hostile names and servers, which never leads to an internal address.

`tests/fake_internet.py` stands in for the internet. Each test ends with two checks of its sockets: they were asked to
connect to public addresses only, and Python made no other connection.
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
from tests.fake_internet import (
    PUBLIC,
    PUBLIC_TOO,
    PUBLIC_V6,
    CertificateAuthority,
    FakeInternet,
    Server,
    record_connections,
)

LIMIT = 100_000
GOOD = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 4\r\n\r\ngood"
INTERNAL = {
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
"""Names in public DNS, a hosts file and the cloud that resolve to internal addresses, some also to public ones."""


def redirect(to: str, status: int = 302) -> bytes:
    return f"HTTP/1.1 {status} Go\r\nLocation: {to}\r\nContent-Length: 0\r\nSet-Cookie: a=b\r\n\r\n".encode()


@pytest.fixture
def internet(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeInternet]:
    """An internet whose public names all have an address, so that no refusal is due to a missing name."""
    internet = FakeInternet()
    internet.names |= INTERNAL | {"good.example": [PUBLIC], "other.example": [PUBLIC_TOO]}
    internet.install(monkeypatch)
    monkeypatch.setattr("shared.net.fetching.FETCH_SECONDS", 1.5)
    monkeypatch.setattr("shared.net.connecting.IDLE_SECONDS", 1.0)
    with record_connections() as seen:
        yield internet
    internet.close()
    assert {host for host, _ in internet.connections} <= {PUBLIC, PUBLIC_TOO, PUBLIC_V6}
    assert {port for _, port in internet.connections} <= {80, 443}
    assert set(seen) <= {("127.0.0.1", server.port) for server in internet.servers.values()}


@pytest.fixture
def site(internet: FakeInternet) -> Server:
    server = internet.serve(PUBLIC)
    server.pages["/a"] = GOOD
    return server


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CertificateAuthority:
    authority = CertificateAuthority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    return authority


def cause(url: str) -> str:
    with pytest.raises(FetchRefused) as refused:
        fetch(url, LIMIT)
    assert refused.value.code == "unfetchable"
    return refused.value.cause


def test_a_public_image_is_fetched(site: Server, internet: FakeInternet) -> None:
    site.pages["/a?x=1"] = GOOD
    assert fetch("http://good.example/a?x=1#part", LIMIT) == b"good"
    assert internet.connections == [(PUBLIC, 80)]
    (head,) = site.heads
    assert head.split("\r\n")[:2] == ["GET /a?x=1 HTTP/1.1", "Host: good.example"]


class TestNames:
    @pytest.mark.parametrize("name", sorted(INTERNAL))
    def test_a_name_with_an_internal_address_is_not_public(
        self, internet: FakeInternet, site: Server, name: str
    ) -> None:
        assert cause(f"http://{name}/a") == "not_public"
        assert internet.connections == []

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
    def test_a_literal_internal_address_is_not_public(self, internet: FakeInternet, host: str) -> None:
        assert cause(f"http://{host}/") == "not_public"
        assert internet.connections == []

    def test_an_unknown_name_is_refused_like_an_internal_one(self, internet: FakeInternet) -> None:
        said = []
        for name in ("unknown.example", "inside.example"):
            with pytest.raises(FetchRefused) as refused:
                fetch(f"http://{name}/", LIMIT)
            said.append((refused.value.cause, refused.value.reason))
        assert said[0] == said[1]

    def test_rebinding_after_the_check_has_no_effect(self, internet: FakeInternet, site: Server) -> None:
        """The name resolves to a public address first and to loopback later; it is looked up once only."""
        answers = iter([[PUBLIC], ["127.0.0.1"], ["127.0.0.1"]])
        internet.names["rebind.example"] = lambda: next(answers)
        assert fetch("http://rebind.example/a", LIMIT) == b"good"
        assert internet.lookups == ["rebind.example"]
        assert internet.connections == [(PUBLIC, 80)]

    def test_rebinding_at_a_redirect_is_refused(self, internet: FakeInternet, site: Server) -> None:
        answers = iter([[PUBLIC], ["169.254.169.254"]])
        internet.names["rebind.example"] = lambda: next(answers)
        site.pages["/start"] = redirect("/a")
        assert cause("http://rebind.example/start") == "not_public"
        assert internet.connections == [(PUBLIC, 80)]

    def test_a_name_that_alternates_never_leads_inside(self, internet: FakeInternet, site: Server) -> None:
        answers = cycle([[PUBLIC], ["127.0.0.1"], ["127.0.0.1", PUBLIC]])
        internet.names["flicker.example"] = lambda: next(answers)
        outcomes = []
        for _ in range(6):
            try:
                outcomes.append(fetch("http://flicker.example/a", LIMIT).decode())
            except FetchRefused as refused:
                outcomes.append(refused.cause)
        assert outcomes == ["good", "not_public", "not_public"] * 2

    def test_the_next_address_is_tried_if_one_refuses_the_connection(self, internet: FakeInternet) -> None:
        internet.names["two.example"] = [PUBLIC_TOO, PUBLIC]
        internet.serve(PUBLIC).pages["/a"] = GOOD
        assert fetch("http://two.example/a", LIMIT) == b"good"
        assert internet.connections == [(PUBLIC_TOO, 80), (PUBLIC, 80)]

    def test_a_host_that_refuses_connections_is_unreachable(self, internet: FakeInternet) -> None:
        assert cause("http://good.example/") == "unreachable"

    def test_a_slow_resolver_times_out(self, internet: FakeInternet) -> None:
        def slowly() -> list[str]:
            time.sleep(5)
            return [PUBLIC]

        internet.names["slow.example"] = slowly
        began = time.monotonic()
        assert cause("http://slow.example/") == "timeout"
        assert time.monotonic() - began < 3


class TestRedirects:
    def test_three_redirects_are_followed(self, internet: FakeInternet, site: Server) -> None:
        site.pages |= {f"/{left}": redirect(f"/{left - 1}" if left > 1 else "/a") for left in range(1, 12)}
        assert fetch("http://good.example/3", LIMIT) == b"good"
        assert len(site.heads) == 4

    def test_a_chain_of_eleven_redirects_is_abandoned(self, internet: FakeInternet, site: Server) -> None:
        site.pages |= {f"/{left}": redirect(f"/{left - 1}" if left > 1 else "/a") for left in range(1, 12)}
        assert cause("http://good.example/11") == "too_many_redirects"
        assert len(site.heads) == 4

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_a_redirect_loop_is_abandoned(self, internet: FakeInternet, site: Server, status: int) -> None:
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
    def test_each_redirect_is_checked_like_the_first_url(
        self, internet: FakeInternet, site: Server, to: str, why: str
    ) -> None:
        site.pages["/"] = redirect(to)
        assert cause("http://good.example/") == why
        assert internet.connections == [(PUBLIC, 80)]

    def test_a_redirect_in_a_page_is_not_followed(self, internet: FakeInternet, site: Server) -> None:
        page = b'<meta http-equiv="refresh" content="0;url=http://127.0.0.1/">'
        site.pages["/"] = (
            b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nRefresh: 0;url=//127.0.0.1/\r\n\r\n" % len(page) + page
        )
        assert fetch("http://good.example/", LIMIT) == page
        assert internet.connections == [(PUBLIC, 80)]

    def test_no_cookie_or_credential_reaches_the_next_request(
        self, internet: FakeInternet, site: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        netrc = tmp_path / ".netrc"
        netrc.write_text("machine good.example login me password secret\n", encoding="utf-8")
        monkeypatch.setenv("NETRC", str(netrc))
        monkeypatch.setenv("HOME", str(tmp_path))
        site.pages["/"] = redirect("http://other.example/a")
        other = internet.serve(PUBLIC_TOO)
        other.pages["/a"] = redirect("http://good.example/a")
        assert fetch("http://good.example/", LIMIT) == b"good"
        for head in (*site.heads, *other.heads):
            names = [line.partition(":")[0] for line in head.split("\r\n")[1:] if line]
            assert names == ["Host", "User-Agent", "Accept", "Accept-Encoding", "Connection"]
        assert "Host: other.example\r\n" in other.heads[0]
        assert f"User-Agent: PicTrace/{VERSION}\r\n" in other.heads[0]


def test_proxies_of_the_environment_are_ignored(
    internet: FakeInternet, site: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert fetch("http://good.example/a", LIMIT) == b"good"
    assert internet.connections == [(PUBLIC, 80)]


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

    def test_a_content_length_over_the_limit_is_refused(self, site: Server) -> None:
        """The headers suffice for the refusal: the server never sends a body."""

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
    def test_an_endless_body_is_refused_at_the_limit(self, site: Server, head: bytes, step: bytes) -> None:
        sent: list[int] = []
        site.pages["/"] = self.pouring(site, head, sent, step)
        assert cause("http://good.example/") == "too_large"
        assert sum(sent) < 20_000_000, "no more than the sockets' buffers hold"

    def test_bytes_beyond_the_content_length_are_not_read(self, site: Server) -> None:
        sent: list[int] = []
        site.pages["/"] = self.pouring(site, b"Content-Length: 10\r\n", sent, b"0123456789")
        assert fetch("http://good.example/", LIMIT) == b"0123456789"

    def test_a_body_of_exactly_the_limit_is_fetched(self, site: Server) -> None:
        for length, accepted in ((LIMIT, True), (LIMIT + 1, False)):
            site.pages["/"] = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length + bytes(length)
            if accepted:
                assert len(fetch("http://good.example/", LIMIT)) == LIMIT
            else:
                assert cause("http://good.example/") == "too_large"

    @pytest.mark.parametrize("kind", ["gzip", "deflate", "br", "GZIP, gzip"])
    def test_a_compressed_body_is_never_decompressed(self, site: Server, kind: str) -> None:
        bomb = gzip.compress(bytes(10_000_000))
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {kind}\r\nContent-Length: {len(bomb)}\r\n\r\n"
        site.pages["/"] = head.encode() + bomb
        assert cause("http://good.example/") == "encoded"
        assert "Accept-Encoding: identity" in site.heads[0]

    @pytest.mark.parametrize("step", [b"HTTP/1.1 200 OK\r\nA: ", b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n"])
    def test_a_server_that_sends_a_byte_at_a_time_times_out(self, site: Server, step: bytes) -> None:
        """The deadline applies to headers and body although the server is never idle for long."""

        def drip(connection: socket.socket) -> None:
            connection.sendall(step)
            for _ in range(60):
                site.closing.wait(0.1)
                connection.sendall(b"x")

        site.pages["/"] = drip
        began = time.monotonic()
        assert cause("http://good.example/") == "timeout"
        assert 1.2 < time.monotonic() - began < 3

    def test_all_redirects_share_one_deadline(self, site: Server) -> None:
        def late(connection: socket.socket) -> None:
            site.closing.wait(0.6)
            connection.sendall(redirect("/late"))

        site.pages["/late"] = late
        began = time.monotonic()
        assert cause("http://good.example/late") == "timeout"
        assert time.monotonic() - began < 3

    def test_a_silent_server_times_out(self, site: Server) -> None:
        site.pages["/"] = site.stay_silent
        began = time.monotonic()
        assert cause("http://good.example/") == "timeout"
        assert time.monotonic() - began < 3

    def test_a_megabyte_of_headers_is_refused(self, site: Server) -> None:
        site.pages["/"] = b"HTTP/1.1 200 OK\r\n" + b"A: " + b"x" * 1_000_000 + b"\r\nContent-Length: 4\r\n\r\ngood"
        assert cause("http://good.example/") == "unreachable"

    def test_endless_informational_responses_end_by_the_deadline(self, site: Server) -> None:
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
    def test_a_truncated_body_is_incomplete(self, site: Server, answer: bytes) -> None:
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
    def test_a_response_that_is_not_http_is_unreachable(self, site: Server, answer: bytes) -> None:
        site.pages["/"] = answer
        assert cause("http://good.example/") == "unreachable"


class TestTls:
    def test_a_valid_certificate_is_accepted_over_http_1_1(
        self, internet: FakeInternet, authority: CertificateAuthority
    ) -> None:
        server = internet.serve(PUBLIC, port=443, context=authority.context("good.example"))
        server.pages["/a"] = GOOD
        assert fetch("https://good.example/a", LIMIT) == b"good"
        assert internet.connections == [(PUBLIC, 443)]
        assert server.protocols == ["http/1.1"], "HTTP/2 is never negotiated, whatever the server offers"

    @pytest.mark.parametrize(
        "context",
        [
            lambda authority: authority.context("good.example", trusted=False),
            lambda authority: authority.context("good.example", days=-1),
            lambda authority: authority.context("other.example"),
        ],
        ids=["self-signed", "expired", "of another host"],
    )
    def test_invalid_certificates_are_refused_before_any_request(
        self,
        internet: FakeInternet,
        authority: CertificateAuthority,
        context: Callable[[CertificateAuthority], ssl.SSLContext],
    ) -> None:
        server = internet.serve(PUBLIC, port=443, context=context(authority))
        server.pages["/a"] = GOOD
        assert cause("https://good.example/a") == "bad_certificate"
        assert server.heads == []

    def test_a_server_without_tls_times_out(self, internet: FakeInternet, authority: CertificateAuthority) -> None:
        server = internet.serve(PUBLIC, port=443)
        began = time.monotonic()
        assert cause("https://good.example/a") == "timeout"
        assert time.monotonic() - began < 3
        assert server.heads == []

    def test_a_redirect_from_https_to_http_is_checked_again(
        self, internet: FakeInternet, authority: CertificateAuthority
    ) -> None:
        server = internet.serve(PUBLIC, port=443, context=authority.context("good.example"))
        server.pages |= {"/out": redirect("http://other.example/a"), "/in": redirect("http://inside.example/a")}
        internet.serve(PUBLIC_TOO).pages["/a"] = GOOD
        assert fetch("https://good.example/out", LIMIT) == b"good"
        assert cause("https://good.example/in") == "not_public"


def test_collected_urls_are_fetched_or_refused_as_expected(
    internet: FakeInternet, authority: CertificateAuthority
) -> None:
    """Forbidden URLs are refused without a connection; allowed ones reach their own address and no other."""
    data = os.environ.get("PICTRACE_EVAL_DATA")
    if not data:
        pytest.skip("PICTRACE_EVAL_DATA names no folder")
    cases = json.loads((Path(data) / "corpus" / "cases" / "urls.json").read_text(encoding="utf-8"))["urls"]
    assert len(cases) > 50
    internet.names |= {"images.example.org": [PUBLIC], "self-signed.badssl.com": [PUBLIC_TOO]}
    internet.serve(PUBLIC)
    trusted = authority.context("images.example.org", "good.example", PUBLIC_V6)
    good = internet.serve(PUBLIC, PUBLIC_V6, port=443, context=trusted)
    internet.serve(PUBLIC_TOO, port=443, context=authority.context("self-signed.badssl.com", trusted=False))
    good.pages |= dict.fromkeys(("/cat.jpg", "/c%20a+t.jpg?x=1", "/a.jpg"), GOOD)
    wrong = []
    for case in cases:
        internet.connections.clear()
        try:
            ended = fetch(case["url"], LIMIT).decode()
        except FetchRefused as refused:
            ended = refused.cause
        connected = [host for host, _ in internet.connections]
        if case["expect"] == "refuse":
            right = ended == "bad_certificate" if "self-signed" in case["url"] else not connected and ended != "good"
        else:
            right = ended == "good" and connected in ([PUBLIC], [PUBLIC_V6])
        if not right:
            wrong.append((case["url"], ended, connected))
    assert not wrong
