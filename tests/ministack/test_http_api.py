"""Requests and responses of API Gateway's HTTP API in payload format 2.0."""

import pytest

from tests.conftest import PicTrace
from tests.images import noise


def test_the_page_and_the_openapi_document_are_served(deployed: PicTrace) -> None:
    page = deployed.client.get("/")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert page.headers["x-content-type-options"] == "nosniff"
    assert deployed.client.get("/openapi.json").json()["info"]["title"] == "PicTrace"


def test_file_names_in_any_script_are_kept(deployed: PicTrace, collection: str) -> None:
    image_id = deployed.add(noise(40), collection=collection, name="é 日本+%2B😀.png")
    record = deployed.client.get(f"/v1/images/{image_id}", params={"collection": collection}).json()
    assert record["filename"] == "é 日本+%2B😀.png"


def test_a_cursor_survives_the_query_string(deployed: PicTrace, collection: str) -> None:
    added = {deployed.add(noise(seed), collection=collection) for seed in (41, 42, 43)}
    found, cursor = [], None
    for _ in added:
        wanted = {"collection": collection, "limit": "1"} | ({"cursor": cursor} if cursor else {})
        page = deployed.client.get("/v1/images", params=wanted).json()
        found += [record["image_id"] for record in page["images"]]
        cursor = page["cursor"]
    assert (set(found), cursor) == (added, None)


def test_binary_bodies_pass_in_both_directions(deployed: PicTrace) -> None:
    files = {"a": ("a", noise(44)), "b": ("b", noise(45))}
    drawn = deployed.client.post("/v1/compare", params={"picture": "difference"}, files=files)
    assert (drawn.status_code, drawn.headers["content-type"]) == (200, "image/png")
    assert drawn.content.startswith(b"\x89PNG\r\n\x1a\n")


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/v1/images/" + "0" * 64, None, 404),
        ("GET", "/v1/nothing", None, 404),
        ("PUT", "/v1/uploads", None, 405),
        ("POST", "/v1/search", b"{", 400),
        ("POST", "/v1/search", b"\xff\xfe", 400),
        ("POST", "/v1/search?k=0", b"{}", 422),
    ],
)
def test_errors_are_problem_details(
    deployed: PicTrace, method: str, path: str, body: bytes | None, status: int
) -> None:
    answer = deployed.client.request(method, path, content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    assert answer.json()["status"] == status


def test_a_removal_has_an_empty_response(deployed: PicTrace, collection: str) -> None:
    image_id = deployed.add(noise(46), collection=collection)
    gone = deployed.client.delete(f"/v1/images/{image_id}", params={"collection": collection})
    assert (gone.status_code, gone.content) == (204, b"")
    assert deployed.search(noise(46), collection=collection)["matches"] == []


def test_other_sites_get_no_cors_headers(deployed: PicTrace) -> None:
    asked = {"origin": "https://elsewhere.example", "access-control-request-method": "POST"}
    answers = [
        deployed.client.options("/v1/search", headers=asked),
        deployed.client.get("/v1/stats", headers=asked),
    ]
    for answer in answers:
        assert "access-control-allow-origin" not in answer.headers
