"""Parsing of URLs: malformed ones are refused, and no parser finds a different host in those that are accepted."""

import os
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import FetchRefused
from shared.domain.limits import MAX_URL_LENGTH
from shared.net.urls import parse

MALFORMED = [
    "",
    " ",
    "x",
    "//example.com/",
    "ftp://example.com/a",
    "file:///etc/passwd",
    "data:image/png;base64,AAAA",
    "javascript:alert(1)",
    "dict://127.0.0.1:11211/",
    "gopher://example.com:80/",
    "HTTP:/example.com",
    "http:/\\example.com/",
    "http://",
    "http:///a",
    "http://.",
    "http://./",
    "http://-a.example/",
    "http://a..example/",
    f"http://{'a' * 64}.example/",
    f"http://{'.'.join(['a' * 60] * 5)}/",
    "http://user@example.com/",
    "http://user:word@example.com/",
    "http://@example.com/",
    "http://example.com:80@10.0.0.1/",
    "http://example.com:99999/",
    "http://example.com:x/",
    "http://example.com:8080/",
    "http://example.com:22/",
    "http://example.com\\@10.0.0.1/",
    "http://example.com#@10.0.0.1/",
    "http://example.com?@10.0.0.1/",
    "http://exa mple.com/",
    "http://exa%6dple.com/",
    "http://10.0.0.1%00.example.com/",
    "http://example.com/a b",
    "http://example.com/\r\nHost: 10.0.0.1",
    "http://example.com/\x00",
    "http://example.com/\u2028",
    "http://example.com/\ud800",
    "http://[::1/",
    "http://[fe80::1%25eth0]/",
    "http://[v1.a]/",
    "http://0177.0.0.1/",
    "http://0x7f000001/",
    "http://2130706433/",
    "http://127.1/",
    "http://1.2.3.4.5/",
    "http://example.com/" + "a" * MAX_URL_LENGTH,
]


@pytest.mark.parametrize("url", MALFORMED)
def test_malformed_urls_are_refused(url: str) -> None:
    with pytest.raises(FetchRefused) as refused:
        parse(url)
    assert (refused.value.code, refused.value.cause) == ("unfetchable", "bad_url")


@pytest.mark.parametrize("url", ["http://localhost/", "http://LOCALHOST/x", "http://instance-data/latest/"])
def test_a_host_without_a_dot_is_not_public(url: str) -> None:
    with pytest.raises(FetchRefused) as refused:
        parse(url)
    assert refused.value.cause == "not_public"


@pytest.mark.parametrize(
    ("url", "host", "port", "target"),
    [
        ("http://Example.COM", "example.com", 80, "/"),
        ("https://example.com./a.jpg", "example.com", 443, "/a.jpg"),
        ("https://example.com:443/c%20a+t.jpg?x=1#frag", "example.com", 443, "/c%20a+t.jpg?x=1"),
        ("http://example.com:443/", "example.com", 443, "/"),
        ("https://bücher.example/é.jpg?q=é", "xn--bcher-kva.example", 443, "/%C3%A9.jpg?q=%C3%A9"),
        ("http://127。0。0。1/x", "127.0.0.1", 80, "/x"),
        ("http://①②⑦.0.0.1/x", "127.0.0.1", 80, "/x"),
        ("http://[2606:4700:0:0::1111]/", "2606:4700::1111", 80, "/"),
        ("http://example.com/%zz", "example.com", 80, "/%zz"),
    ],
)
def test_a_url_is_normalised(url: str, host: str, port: int, target: str) -> None:
    found = parse(url)
    assert (found.host.decode(), found.port, found.target.decode()) == (host, port, target)


def assert_refused_or_unambiguous(url: str) -> None:
    """Check that the standard library parses an accepted URL the same way, and that it contains no line break."""
    try:
        found = parse(url)
    except FetchRefused:
        return
    host = found.host.decode("ascii")
    named = f"[{host}]" if ":" in host else host
    again = urlsplit(f"{found.scheme.decode()}://{named}:{found.port}{found.target.decode('ascii')}")
    assert (again.scheme in {"http", "https"}, again.hostname, again.port) == (True, host, found.port)
    assert again.username is None
    assert found.port in {80, 443}
    assert all(0x21 <= byte < 0x7F for byte in found.target)
    assert found.target.startswith(b"/")


@given(st.text(max_size=60), st.sampled_from(["", "http://", "https://", "http://a.example", "http://a.example/"]))
def test_any_text_is_refused_or_unambiguous(text: str, before: str) -> None:
    assert_refused_or_unambiguous(before + text)


@given(
    st.lists(
        st.sampled_from(
            [
                "http:",
                "//",
                "/",
                "\\",
                "@",
                "#",
                "?",
                ":",
                ".",
                "%",
                "%00",
                "[",
                "]",
                "::1",
                "127.0.0.1",
                "a.example",
                "0x7f",
                "\t",
                "é",
                "①",
                "80",
            ]
        )
    )
)
def test_any_mix_of_url_parts_is_refused_or_unambiguous(parts: list[str]) -> None:
    assert_refused_or_unambiguous("http://" + "".join(parts))


def test_collected_urls_are_refused_or_unambiguous() -> None:
    data = os.environ.get("PICTRACE_EVAL_DATA")
    if not data:
        pytest.skip("PICTRACE_EVAL_DATA names no folder")
    seeds = list((Path(data) / "corpus" / "cases" / "url").iterdir())
    assert seeds
    for seed in seeds:
        text = seed.read_bytes().decode("utf-8", "surrogateescape")
        assert_refused_or_unambiguous(text)
        assert_refused_or_unambiguous("http://" + text)
