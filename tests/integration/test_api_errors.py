"""The API's responses to invalid requests."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from functions.api.problems import PROBLEMS, problem_type
from shared.domain.limits import MAX_QUERY_BYTES, MAX_REQUEST_BYTES
from tests.conftest import ROOT, PicTrace
from tests.images import noise

ABSENT = "0" * 64
FORM = b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nx\r\n--b--\r\n'


def problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body = answer.json()
    assert {"type", "title", "status", "detail"} <= set(body)
    assert body["status"] == answer.status_code
    slug = body["type"].removeprefix("urn:pictrace:problem:")
    assert PROBLEMS[slug] == (answer.status_code, body["title"])
    return answer.status_code, slug


@pytest.mark.parametrize("image_id", [ABSENT, "x", "A" * 64, "..%2f..%2fetc", "%ff%fe", "0" * 63])
@pytest.mark.parametrize("path", ["", "/content", "/thumbnail", "/similar"])
def test_absent_and_malformed_ids_are_answered_alike(running: PicTrace, image_id: str, path: str) -> None:
    assert problem(running.client.get(f"/v1/images/{image_id}{path}")) == (404, "not-found")


@pytest.mark.parametrize(
    "body",
    [
        {"image_id": ABSENT},
        {"image_id": "../x"},
        {"upload_id": "0" * 32},
        {"upload_id": "x"},
    ],
)
def test_a_search_by_an_unknown_id_answers_404(running: PicTrace, body: dict[str, str]) -> None:
    assert problem(running.client.post("/v1/search", json=body)) == (404, "not-found")


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({"json": {}}, (422, "invalid-request")),
        ({"json": {"image_id": ABSENT, "url": "https://example.com"}}, (422, "invalid-request")),
        ({"json": {"image_id": 7}}, (422, "invalid-request")),
        ({"json": {"other": "x"}}, (422, "invalid-request")),
        ({"json": [1]}, (422, "invalid-request")),
        ({"json": {"image_base64": "@@@"}}, (400, "malformed-body")),
        ({"json": {"image_base64": ""}}, (422, "undecodable-picture")),
        ({"json": {"image_base64": "aGVsbG8="}}, (415, "unsupported-media-type")),
        ({"content": b"{", "headers": {"content-type": "application/json"}}, (400, "malformed-body")),
        ({"content": b"[" * 100_000, "headers": {"content-type": "application/json"}}, (400, "malformed-body")),
        ({"content": b"x", "headers": {"content-type": "text/plain"}}, (415, "unsupported-media-type")),
        ({"content": b"x"}, (415, "unsupported-media-type")),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data"}}, (400, "malformed-body")),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data; boundary=b"}}, (400, "malformed-body")),
        (
            {"content": FORM, "headers": {"content-type": "multipart/form-data; boundary=b; charset=undefined"}},
            (400, "malformed-body"),
        ),
        ({"files": {"other": ("a", b"x")}}, (422, "invalid-request")),
        ({"files": {"file": ("a", b"no image")}}, (415, "unsupported-media-type")),
        ({"files": {"file": ("a", b"")}}, (422, "undecodable-picture")),
        ({"files": {"file": ("a", noise(1)[:100])}}, (422, "undecodable-picture")),
        ({"files": {"file": ("a", bytes(MAX_QUERY_BYTES + 1))}}, (413, "too-large")),
        ({"json": {"image_base64": "A" * (MAX_QUERY_BYTES * 2)}}, (413, "too-large")),
        ({"json": {"url": "http://127.0.0.1:9001/2018-06-01/runtime"}}, (422, "unfetchable-url")),
        ({"json": {"url": "ftp://example.com/a.jpg"}}, (422, "unfetchable-url")),
    ],
)
def test_an_invalid_search_body_is_refused(
    running: PicTrace, request_: dict[str, Any], expected: tuple[int, str]
) -> None:
    assert problem(running.client.post("/v1/search", **request_)) == expected


@pytest.mark.parametrize(
    "parameters",
    [
        {"k": 0},
        {"k": 51},
        {"k": "x"},
        {"min_score": 2},
        {"ranking": "best"},
        {"collection": "Ä"},
        {"collection": "../x"},
        {"label": ""},
    ],
)
def test_an_invalid_search_parameter_is_named(running: PicTrace, parameters: dict[str, Any]) -> None:
    answer = running.client.post("/v1/search", params=parameters, files={"file": ("a", noise(1))})
    assert problem(answer) == (422, "invalid-request")
    assert next(iter(parameters)) in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"filename": "a.svg", "content_type": "image/svg+xml"}, (415, "unsupported-media-type")),
        ({"filename": "a", "content_type": "text/html"}, (415, "unsupported-media-type")),
        ({"filename": "a", "content_type": "video/mp4"}, (415, "unsupported-media-type")),
        ({"content_type": "image/png"}, (422, "invalid-request")),
        ({"filename": "", "content_type": "image/png"}, (422, "invalid-request")),
        ({"filename": "a", "content_type": "image/png", "collection": "a/b"}, (422, "invalid-request")),
        ({"filename": "a", "content_type": "image/png", "more": 1}, (422, "invalid-request")),
    ],
)
def test_an_invalid_upload_request_is_refused(
    running: PicTrace, body: dict[str, Any], expected: tuple[int, str]
) -> None:
    assert problem(running.client.post("/v1/uploads", json=body)) == expected


@pytest.mark.parametrize("path", ["/v1/uploads", "/v1/images", "/v1/search", "/v1/compare"])
@pytest.mark.parametrize("media_type", ["text/plain", "application/octet-stream", "image/jpeg"])
def test_an_unsupported_content_type_is_answered_with_the_supported_ones(
    running: PicTrace, path: str, media_type: str
) -> None:
    answer = running.client.post(path, content=b"x", headers={"content-type": media_type})
    assert problem(answer) == (415, "unsupported-media-type")
    assert "application/json" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/v1/uploads", "/v1/images", "/v1/search", "/v1/compare"])
@pytest.mark.parametrize("content", [b"{", b"\xff", b'{"url": "\xff"}', b"[" * 100_000, b"1" * 5000])
def test_a_body_that_is_not_json_is_malformed(running: PicTrace, path: str, content: bytes) -> None:
    answer = running.client.post(path, content=content, headers={"content-type": "application/json"})
    assert problem(answer) == (400, "malformed-body")


def in_pieces(size: int) -> Iterator[bytes]:
    """Yield a body in chunks, so that its length is not declared."""
    yield b'{"url": "'
    for _ in range(size // 65_536):
        yield b"a" * 65_536
    yield b'"}'


@pytest.mark.parametrize("path", ["/v1/search", "/v1/compare", "/v1/uploads", "/v1/images"])
@pytest.mark.parametrize("declared", [True, False])
def test_no_call_accepts_a_larger_body_than_lambda_does(running: PicTrace, path: str, declared: bool) -> None:
    body = b"".join(in_pieces(MAX_REQUEST_BYTES)) if declared else in_pieces(MAX_REQUEST_BYTES)
    answer = running.client.post(path, content=body, headers={"content-type": "application/json"})
    assert problem(answer) == (413, "too-large")


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "<img src=x onerror=alert(1)>", "a\x00b", "\u202egpj.exe", "x" * 3000]
)
def test_unusual_file_names_are_stored_safely(running: PicTrace, collection: str, name: str) -> None:
    image_id = running.add(noise(len(name)), collection=collection, name=name)
    shown = running.client.get(f"/v1/images/{image_id}").json()["filename"]
    assert len(shown) <= 255
    assert not {"/", "\x00", "\u202e"} & set(shown)
    assert running.client.delete(f"/v1/images/{image_id}", params={"collection": collection}).status_code == 204


@pytest.mark.parametrize("cursor", ["x", "W10", "%00", "é"])
def test_an_invalid_cursor_is_refused(running: PicTrace, cursor: str) -> None:
    assert problem(running.client.get("/v1/images", params={"cursor": cursor})) == (400, "invalid-cursor")


def test_unknown_paths_and_methods_are_problems(running: PicTrace) -> None:
    assert problem(running.client.get("/nothing")) == (404, "not-found")
    assert problem(running.client.get("/static/../app.py")) == (404, "not-found")
    assert problem(running.client.get("/static/absent.js")) == (404, "not-found")
    assert problem(running.client.put("/v1/images")) == (405, "method-not-allowed")
    assert problem(running.client.get("/v1/uploads/x")) == (404, "not-found")
    assert problem(running.client.delete(f"/v1/images/{ABSENT}")) == (404, "not-found")


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/v1/images", "GET, POST"),
        (f"/v1/images/{ABSENT}", "GET, PATCH, DELETE"),
        ("/v1/search", "POST"),
        ("/v1/duplicates/resolve", "POST"),
        (f"/v1/duplicates/{ABSENT}", "GET"),
        ("/health", "GET"),
        ("/upload/", "POST"),
    ],
)
def test_a_wrong_method_is_answered_with_the_allowed_ones(running: PicTrace, path: str, methods: str) -> None:
    answer = running.client.request("TRACE", path)
    assert problem(answer) == (405, "method-not-allowed")
    assert answer.headers["allow"] == methods


def test_no_call_fetches_from_a_private_address(running: PicTrace) -> None:
    url = running.url + "/health"
    assert problem(running.client.post("/v1/images", json={"url": url})) == (422, "unfetchable-url")
    assert problem(running.client.post("/upload_from_url/", data={"image_url": url})) == (422, "unfetchable-url")


def test_every_problem_is_documented() -> None:
    page = (ROOT / "docs" / "reference" / "api.md").read_text(encoding="utf-8")
    for slug, (status, _) in PROBLEMS.items():
        assert f"| `{problem_type(slug)}` | {status} |" in page


ABSENT_UPLOAD = "0" * 32
CALLS = [
    ("POST", "/v1/uploads"),
    ("GET", f"/v1/uploads/{ABSENT_UPLOAD}"),
    ("GET", "/v1/images"),
    ("POST", "/v1/images"),
    ("GET", f"/v1/images/{ABSENT}"),
    ("DELETE", f"/v1/images/{ABSENT}"),
    ("GET", f"/v1/images/{ABSENT}/content"),
    ("GET", f"/v1/images/{ABSENT}/thumbnail"),
    ("GET", f"/v1/images/{ABSENT}/similar"),
    ("POST", "/v1/search"),
    ("POST", "/v1/compare"),
    ("GET", "/v1/duplicates"),
    ("GET", "/v1/stats"),
]


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_unknown_query_parameters_are_refused_and_named(running: PicTrace, method: str, path: str) -> None:
    unknown: list[Any] = [("collection_name", "a"), ("collection_name", "b"), ("x" * 500, "1")]
    answer = running.client.request(method, path, params=unknown)
    assert problem(answer) == (422, "invalid-request")
    assert answer.json()["detail"].startswith("Unknown query parameters `collection_name`, `xxx")
    assert [error["where"][:1] for error in answer.json()["errors"]] == [["query"], ["query"]]
    assert answer.json()["errors"][0]["where"] == ["query", "collection_name"]
    assert len(answer.content) < 2000


def test_every_call_below_v1_refuses_unknown_query_parameters(running: PicTrace) -> None:
    paths = running.client.get("/openapi.json").json()["paths"]
    documented = {(method.upper(), path) for path, methods in paths.items() if "/v1/" in path for method in methods}
    for method, path in sorted(documented):
        answer = running.client.request(method, path.replace("{", "0").replace("}", ""), params={"unknown": "1"})
        assert "`unknown`" in answer.json()["detail"], (method, path)


def test_a_misspelt_query_parameter_is_answered_with_what_may_be_meant(running: PicTrace) -> None:
    answer = running.client.get("/v1/images", params={"collection_name": "a"})
    said = (
        "Unknown query parameter `collection_name`. Did you mean `collection`? This call takes `album`, `collection`, "
    )
    assert answer.json()["detail"].startswith(said)


def test_the_legacy_calls_ignore_unknown_query_parameters(running: PicTrace) -> None:
    assert running.client.get(f"/uploads/{ABSENT}.jpg", params={"v": "2"}).status_code == 404
    assert running.client.get("/health", params={"v": "2"}).status_code == 200
