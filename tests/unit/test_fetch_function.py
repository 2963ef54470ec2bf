"""The requests that the fetch function accepts, and how its client handles each response."""

import io
import json
from typing import Any

import pytest

from functions.fetch import image_fetcher
from functions.fetch.image_fetcher import ImageFetcher
from shared.aws.fetch_client import LambdaFetcher
from shared.domain.errors import FETCH_CAUSES, REFUSAL_CODES, FetchFailed, FetchRefused, PictureRefused
from shared.domain.limits import MAX_FETCH_BYTES, MAX_QUERY_BYTES, MAX_URL_LENGTH

KEY = "uploads/default/" + "0" * 32
PNG = b"\x89PNG\r\n\x1a\n" + bytes(50)


class Bucket:
    """A fake of S3Objects that records what was written."""

    def __init__(self) -> None:
        self.written: list[tuple[str, bytes, str]] = []

    def write(self, key: str, data: bytes, media_type: str) -> None:
        self.written.append((key, data, media_type))


@pytest.fixture
def bucket() -> Bucket:
    return Bucket()


@pytest.fixture
def fetcher(bucket: Any) -> ImageFetcher:
    return ImageFetcher(bucket)


def fetch_returns(monkeypatch: pytest.MonkeyPatch, data: bytes, limits: list[int] | None = None) -> None:
    def fetch(_: str, limit: int) -> bytes:
        if limits is not None:
            limits.append(limit)
        return data

    monkeypatch.setattr(image_fetcher, "fetch", fetch)


@pytest.mark.parametrize(
    "event",
    [
        None,
        [],
        "http://example.com/",
        {},
        {"url": None},
        {"url": ["http://example.com/"]},
        {"url": "http://example.com/", "headers": {"a": "b"}},
        {"url": "http://example.com/", "key": 1},
        {"url": "http://example.com/", "key": ""},
        {"url": "http://example.com/", "key": "signatures/m/" + "0" * 64},
        {"url": "http://example.com/", "key": "uploads/default/a.png"},
        {"url": "http://example.com/", "key": "uploads/../" + "0" * 32},
        {"url": "http://example.com/", "key": KEY + "\n"},
    ],
)
def test_malformed_requests_are_refused_without_fetching(
    fetcher: ImageFetcher, bucket: Bucket, event: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits: list[int] = []
    fetch_returns(monkeypatch, PNG, limits)
    assert fetcher.handle(event)["code"] == "bad_request"
    assert (limits, bucket.written) == ([], [])


def test_an_image_is_stored_under_the_type_of_its_bytes(
    fetcher: ImageFetcher, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits: list[int] = []
    fetch_returns(monkeypatch, PNG, limits)
    assert fetcher.handle({"url": "http://example.com/a.jpg", "key": KEY}) == {
        "status": "stored",
        "bytes": len(PNG),
        "media_type": "image/png",
    }
    assert bucket.written == [(KEY, PNG, "image/png")]
    assert limits == [MAX_FETCH_BYTES]


@pytest.mark.parametrize(
    ("data", "code"), [(b"<html>", "unsupported_type"), (b"", "empty"), (b"\xff\xd8", "unsupported_type")]
)
@pytest.mark.parametrize("key", [None, KEY])
def test_a_file_that_is_not_an_image_is_not_stored(
    fetcher: ImageFetcher, bucket: Bucket, data: bytes, code: str, key: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch_returns(monkeypatch, data)
    answer = fetcher.handle({"url": "http://example.com/a.jpg", "key": key})
    assert (answer["status"], answer["code"], bucket.written) == ("refused", code, [])


def test_an_image_too_large_for_a_search_names_the_alternative(
    fetcher: ImageFetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(_: str, limit: int) -> bytes:
        assert limit == MAX_QUERY_BYTES
        raise FetchRefused("too_large", "The file is larger.")

    monkeypatch.setattr(image_fetcher, "fetch", fetch)
    answer = fetcher.handle({"url": "http://example.com/a.jpg"})
    assert (answer["code"], answer["cause"]) == ("unfetchable", "too_large")
    assert "POST /v1/images" in answer["reason"]


class Functions:
    """A fake Lambda client whose function always returns `answer`."""

    def __init__(self, answer: Any, **fields: str) -> None:
        self._answer, self._fields = answer, fields
        self.asked: list[Any] = []

    def invoke(self, **call: Any) -> Any:
        self.asked.append(json.loads(call["Payload"]))
        return {"Payload": io.BytesIO(json.dumps(self._answer).encode()), "StatusCode": 200, **self._fields}


def fetcher_for(answer: Any, **fields: str) -> LambdaFetcher:
    client: Any = Functions(answer, **fields)
    return LambdaFetcher(client, "fetch")


@pytest.mark.parametrize("cause", sorted(FETCH_CAUSES))
def test_each_refusal_of_a_url_reaches_the_caller_unchanged(cause: str) -> None:
    with pytest.raises(FetchRefused, match=r"Why\.") as refused:
        fetcher_for({"status": "refused", "code": "unfetchable", "cause": cause, "reason": "Why."}).read("http://a.b/")
    assert (refused.value.code, refused.value.cause) == ("unfetchable", cause)


@pytest.mark.parametrize("code", sorted(set(REFUSAL_CODES) - {"unfetchable"}))
def test_each_refusal_of_an_image_reaches_the_caller_unchanged(code: str) -> None:
    with pytest.raises(PictureRefused, match=r"Why\.") as refused:
        fetcher_for({"status": "refused", "code": code, "reason": "Why."}).store("http://a.b/", KEY)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("answer", "fields"),
    [
        ({"errorMessage": "out of memory"}, {"FunctionError": "Unhandled"}),
        ({"status": "refused", "code": "bad_request", "reason": "our own mistake"}, {}),
        ({"status": "refused", "code": "unheard of", "reason": "of another version"}, {}),
    ],
)
def test_a_failure_that_the_url_did_not_cause_may_be_retried(answer: Any, fields: dict[str, str]) -> None:
    with pytest.raises(FetchFailed, match="try again") as failed:
        fetcher_for(answer, **fields).store("http://a.b/", KEY)
    assert "our own mistake" not in str(failed.value)


@pytest.mark.parametrize("url", ["http://a.b/" + "a" * MAX_URL_LENGTH, "http://a.b/\ud800", "http://a.b/\n"])
def test_a_url_that_no_payload_can_carry_is_not_sent(url: str) -> None:
    client: Any = Functions({})
    with pytest.raises(FetchRefused) as refused:
        LambdaFetcher(client, "fetch").read(url)
    assert (refused.value.cause, client.asked) == ("bad_url", [])
