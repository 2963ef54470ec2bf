"""The API calls other than upload and search."""

from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from bench.quality.alterations import ALTERATIONS
from shared.domain.model_card import ModelCard
from shared.vision.decode.decoding import decode
from tests.conftest import PicTrace
from tests.images import encoded, noise, pixels, shipped


def test_health_and_stats_describe_the_running_system(running: PicTrace, model_dir: Path) -> None:
    assert running.client.get("/health").json()["status"] == "ok"
    stats = running.client.get("/v1/stats").json()
    card = ModelCard.read(model_dir)
    named = {"id": card.id, "network": card.network, "instead_of": card.instead_of}
    assert stats["model"] == named | {"labels": True, "untrained": False}
    assert stats["notice"] == card.notice
    assert stats["versions"]["opencv-python-headless"].startswith("4.14")
    assert stats["limits"]["max_query_bytes"] == 4_400_000


def test_two_files_are_compared(running: PicTrace) -> None:
    rgb = pixels("chelsea.png")
    files = {"a": ("a", encoded(rgb)), "b": ("b", encoded(rgb[:200, :300].copy(), ".png"))}
    answer = running.client.post("/v1/compare", files=files).json()
    assert answer["verdict"] == "near-duplicate"
    assert answer["ssim_aligned"] > answer["ssim"]
    assert answer["cosine"] > 0.7


def test_a_comparison_examines_as_many_views_as_a_search(running: PicTrace, collection: str) -> None:
    """Taken as a whole, this image has no geometry in common with the stored page that is inset in it."""
    page = running.add(shipped("page.png").read_bytes(), collection=collection)
    host = ALTERATIONS["inset of a third"](pixels("page.png"), np.random.default_rng(1))
    asked: dict[str, Any] = {"files": {"a": ("a", encoded(host))}, "data": {"b": page}}
    assert running.client.post("/v1/compare", **asked).json()["verdict"] == "near-duplicate"
    classic = running.client.post("/v1/compare", params={"ranking": "classic"}, **asked).json()
    assert classic["verdict"] == "near-duplicate", "the verdict is that of the details, however matches are ordered"


@pytest.mark.parametrize("drawing", ["matches", "difference"])
def test_a_comparison_can_be_drawn(running: PicTrace, drawing: str) -> None:
    files = {"a": ("a", shipped("chelsea.png").read_bytes()), "b": ("b", shipped("coffee.png").read_bytes())}
    answer = running.client.post("/v1/compare", params={"picture": drawing}, files=files)
    assert answer.headers["content-type"] == "image/png"
    assert decode(answer.content).format == "png"


def test_stored_images_are_compared_by_id(running: PicTrace, collection: str) -> None:
    a, b = (running.add(noise(seed), collection=collection) for seed in (70, 71))
    same = running.client.post("/v1/compare", json={"a": a, "b": a}).json()
    assert (same["verdict"], same["score"]) == ("identical", 1.0)
    assert running.client.post("/v1/compare", json={"a": a, "b": b}).json()["verdict"] == "similar", (
        "noise is like noise"
    )
    drawn = running.client.post("/v1/compare", params={"picture": "matches"}, json={"a": a, "b": b})
    assert drawn.headers["content-type"] == "image/png"
    mixed = running.client.post("/v1/compare", files={"a": ("a", noise(70))}, data={"b": a})
    assert mixed.json()["verdict"] == "identical"
    assert running.client.post("/v1/compare", json={"a": a}).status_code == 422
    assert running.client.post("/v1/compare", content=b"x").status_code == 415


def test_the_legacy_api_answers_as_before(running: PicTrace) -> None:
    data = encoded(pixels("coffee.png"), ".jpg", 1, 77)
    answer = running.client.post("/upload/", files={"file": ("../c.jpg", data)})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["message"] == "File uploaded successfully"
    assert body["filename"] == "c.jpg"
    import hashlib
    import time

    assert body["hash"] == hashlib.sha256(data).hexdigest()
    assert all(url.startswith("/uploads/") and url.endswith(".jpg") for url in body["similar_images"])
    for _ in range(200):
        redirect = running.client.get(f"/uploads/{body['hash']}.jpg")
        if redirect.status_code == 307:
            break
        time.sleep(0.05)
    assert httpx.get(redirect.headers["location"]).content == data
    again = running.client.post("/upload/", files={"file": ("c.jpg", encoded(pixels("coffee.png"), ".jpg", 1, 60))})
    assert f"/uploads/{body['hash']}.jpg" in again.json()["similar_images"][:2]
    for image_id in (body["hash"], again.json()["hash"]):
        for _ in range(200):
            if running.client.delete(f"/v1/images/{image_id}").status_code == 204:
                break
            time.sleep(0.05)
    assert running.client.get(f"/uploads/{body['hash']}.jpg").status_code == 404


def test_the_page_and_its_files_are_served(running: PicTrace) -> None:
    page = running.client.get("/")
    assert page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert running.cloud.endpoint in policy
    script = running.client.get("/static/app.js")
    assert "javascript" in script.headers["content-type"]
    assert running.client.get("/static/app.js", headers={"if-none-match": script.headers["etag"]}).status_code == 304


def test_swagger_ui_is_served_without_other_hosts(running: PicTrace) -> None:
    page = running.client.get("/docs")
    assert page.status_code == 200
    assert "http" not in page.text.replace(running.url, "")
    schema = running.client.get("/openapi.json").json()
    assert set(schema["paths"]) >= {
        "/health",
        "/upload/",
        "/upload_from_url/",
        "/uploads/{image_id}.jpg",
        "/v1/collections",
        "/v1/collections/{collection}",
        "/v1/compare",
        "/v1/duplicates",
        "/v1/duplicates/check",
        "/v1/duplicates/decisions",
        "/v1/duplicates/resolve",
        "/v1/duplicates/{image_id}",
        "/v1/duplicates/{image_id}/kept",
        "/v1/images",
        "/v1/images/{image_id}",
        "/v1/images/{image_id}/content",
        "/v1/images/{image_id}/similar",
        "/v1/images/{image_id}/thumbnail",
        "/v1/search",
        "/v1/stats",
        "/v1/trash",
        "/v1/trash/{image_id}",
        "/v1/trash/{image_id}/restore",
        "/v1/uploads",
        "/v1/uploads/{upload_id}",
    }
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], (path, method)
            if path.startswith("/v1"):
                problems = [code for code, answer in operation["responses"].items() if int(code) >= 400]
                assert problems, (path, method)
                for code in problems:
                    assert list(operation["responses"][code]["content"]) == ["application/problem+json"]


def test_every_field_of_the_openapi_document_has_an_example(running: PicTrace) -> None:
    schema = running.client.get("/openapi.json").json()

    def shows_itself(field: dict[str, Any]) -> bool:
        parts = [field, *field.get("anyOf", []), field.get("items", {})]
        parts += [part["items"] for part in parts if "items" in part]
        return any(
            part.get("examples") or part.get("enum") or part.get("$ref") or part.get("type") == "boolean"
            for part in parts
        ) or field.get("format", field.get("contentMediaType")) in ("binary", "application/octet-stream")

    for name, model in schema["components"]["schemas"].items():
        for field, described in model.get("properties", {}).items():
            assert shows_itself(described), f"{name}.{field}: {described}"
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            for parameter in operation.get("parameters", []):
                assert parameter.get("description"), (path, method, parameter["name"])
