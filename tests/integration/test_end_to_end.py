"""The life of an image over HTTP: upload, index, search, show and remove."""

import hashlib
from pathlib import Path

import boto3
import httpx
import numpy as np
import pytest

from shared.domain.features import FEATURE_DIMENSIONS, LOCAL_DIMENSIONS
from shared.domain.model_card import ModelCard
from shared.search.budget import FIRST_BATCH, FIRST_PASS
from shared.vision.decode.decoding import decode
from shared.vision.opencv import cv2
from tests.conftest import PicTrace
from tests.images import Pixels, encoded, noise, pixels, shipped
from tests.integration.conftest import until

NAMES = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "camera.png")


@pytest.fixture(scope="module")
def album(running: PicTrace) -> dict[str, str]:
    """The image ids of the collection `album`, by file name."""
    return {
        name: running.add(
            shipped(name).read_bytes(),
            collection="album",
            name=name,
            media_type="image/png" if name.endswith("png") else "image/jpeg",
        )
        for name in NAMES
    }


def test_the_image_id_is_the_sha256_of_the_bytes(album: dict[str, str]) -> None:
    assert album["chelsea.png"] == hashlib.sha256(shipped("chelsea.png").read_bytes()).hexdigest()


@pytest.mark.parametrize("ranking", ["fused", "classic", "cosine"])
def test_the_same_bytes_rank_first(running: PicTrace, album: dict[str, str], ranking: str) -> None:
    found = running.search(shipped("coffee.png").read_bytes(), collection="album", ranking=ranking)
    first = found["matches"][0]
    assert first["image_id"] == album["coffee.png"]
    assert (first["verdict"], first["score"]) == ("identical", 1.0)
    assert first["cosine"] == pytest.approx(1, abs=1e-3)
    assert first["ssim"] == pytest.approx(1, abs=1e-4)
    assert found["ranking"] == ranking
    scores = [match["score"] for match in found["matches"]]
    assert scores == sorted(scores, reverse=True)


def altered(name: str, how: str) -> bytes:
    rgb = pixels(name)
    height, width = rgb.shape[:2]
    match how:
        case "re-encoded":
            return encoded(rgb, ".jpg", 1, 40)
        case "cropped":
            return encoded(rgb[height // 10 : height * 9 // 10, width // 10 : width * 9 // 10].copy())
        case "turned":
            return encoded(np.ascontiguousarray(np.rot90(rgb)))
        case _:
            gray = rgb.mean(axis=2, keepdims=True).astype(np.uint8)
            return encoded(np.repeat(gray, 3, axis=2))


@pytest.mark.parametrize("how", ["re-encoded", "cropped", "turned", "gray"])
def test_an_altered_copy_finds_its_original(running: PicTrace, album: dict[str, str], how: str) -> None:
    first = running.search(altered("chelsea.png", how), collection="album")["matches"][0]
    assert first["image_id"] == album["chelsea.png"]
    assert first["verdict"] == "near-duplicate"
    assert first["orb"]["inliers"] >= 10


def test_an_unrelated_image_has_the_verdict_unrelated(running: PicTrace, album: dict[str, str]) -> None:
    found = running.search(noise(1), collection="album")
    assert len(found["matches"]) == len(album)
    assert {match["verdict"] for match in found["matches"]} == {"unrelated"}


def test_similar_images_exclude_the_image_itself(running: PicTrace, album: dict[str, str]) -> None:
    answer = running.client.get(f"/v1/images/{album['coffee.png']}/similar", params={"collection": "album", "k": 50})
    assert answer.status_code == 200
    assert {match["image_id"] for match in answer.json()["matches"]} == set(album.values()) - {album["coffee.png"]}


def test_a_search_accepts_an_id_an_upload_or_base64(running: PicTrace, album: dict[str, str]) -> None:
    import base64

    upload_id = running.upload(noise(2), collection="album")
    image_id = running.wait_for_upload(upload_id)["image_id"]
    try:
        for body in (
            {"image_id": image_id},
            {"upload_id": upload_id},
            {"image_base64": base64.b64encode(noise(2)).decode()},
        ):
            answer = running.client.post("/v1/search", params={"collection": "album"}, json=body)
            assert answer.status_code == 200, answer.text
            assert answer.json()["matches"][0]["image_id"] == image_id
            assert answer.json()["matches"][0]["verdict"] == "identical"
    finally:
        gone = running.client.delete(f"/v1/images/{image_id}", params={"collection": "album"})
        assert gone.status_code == 204


def test_k_and_min_score_limit_the_matches(running: PicTrace, album: dict[str, str]) -> None:
    data = shipped("rocket.jpg").read_bytes()
    assert len(running.search(data, collection="album", k=2)["matches"]) == 2
    near = running.search(data, collection="album", min_score=0.9)["matches"]
    assert [match["image_id"] for match in near] == [album["rocket.jpg"]]


def test_a_mirrored_copy_is_found_whatever_the_effort(running: PicTrace, album: dict[str, str]) -> None:
    copy = encoded(np.ascontiguousarray(pixels("astronaut.png")[:, ::-1]))
    for effort in ("fast", "balanced", "thorough"):
        answer = running.search(copy, collection="album", effort=effort)
        first = answer["matches"][0]
        assert answer["effort"] == effort
        assert (first["image_id"], first["verdict"], first["mirrored"]) == (
            album["astronaut.png"],
            "near-duplicate",
            True,
        )


def test_an_inset_is_found_by_a_thorough_search(running: PicTrace, album: dict[str, str]) -> None:
    host = pixels("motorcycle_left.png")
    small = pixels("astronaut.png")[::2, ::2]
    host[-small.shape[0] :, -small.shape[1] :] = small
    answer = running.search(encoded(host), collection="album", effort="thorough")
    first = answer["matches"][0]
    assert (first["image_id"], first["verdict"]) == (album["astronaut.png"], "near-duplicate")
    fast = running.search(encoded(host), collection="album", effort="fast")
    files = {"a": ("host.png", encoded(host))}
    compared = running.client.post("/v1/compare", files=files, data={"b": first["image_id"]}).json()
    assert (compared["verdict"], compared["mirrored"]) == ("near-duplicate", first["mirrored"])
    assert answer["bytes_examined"] > fast["bytes_examined"] == len(album) * 4 * (FEATURE_DIMENSIONS + LOCAL_DIMENSIONS)


def test_the_images_of_a_collage_are_found(running: PicTrace, album: dict[str, str]) -> None:
    names = ("coffee.png", "astronaut.png", "chelsea.png", "camera.png", "rocket.jpg", "brick.png")
    assert set(names[:3]) < set(album)
    cells = [cv2.resize(pixels(name), (300, 220), interpolation=cv2.INTER_AREA).astype(np.uint8) for name in names]
    collage = np.vstack([np.hstack(cells[:3]), np.hstack(cells[3:])])
    answer = running.search(encoded(collage, ".jpg", cv2.IMWRITE_JPEG_QUALITY, 85), collection="album")
    found = {match["image_id"] for match in answer["matches"] if match["verdict"] == "near-duplicate"}
    assert found >= {album[name] for name in names[:3]}


def test_a_search_stops_comparing_after_a_run_of_unrelated_candidates(running: PicTrace, collection: str) -> None:
    cat, cup = pixels("chelsea.png"), pixels("coffee.png")
    cups = [encoded(cup, ".jpg", cv2.IMWRITE_JPEG_QUALITY, quality) for quality in range(60, 87, 3)]
    running.add_all([encoded(cat), *cups, *map(noise, range(100, 112))], collection=collection)

    def compared(rgb: Pixels) -> int:
        answer = running.search(encoded(rgb, ".jpg", cv2.IMWRITE_JPEG_QUALITY, 50), collection=collection)
        assert answer["matches"][0]["verdict"] == "near-duplicate"
        return int(answer["candidates"])

    assert compared(cat) == FIRST_BATCH
    assert compared(cup) == FIRST_PASS, "an image with many copies may have more of them"


def test_the_response_reports_the_cost_of_the_search(running: PicTrace, album: dict[str, str], model_dir: Path) -> None:
    found = running.search(shipped("camera.png").read_bytes(), collection="album")
    assert found["candidates"] == len(album)
    # Searched by the whole image and its keypoints; a copy is found, so by no further views.
    assert found["bytes_examined"] == len(album) * 4 * (FEATURE_DIMENSIONS + LOCAL_DIMENSIONS)
    assert {"decode", "features", "candidates", "signatures", "rerank", "total"} <= set(found["took_ms"])
    card = ModelCard.read(model_dir)
    assert (found["model"], found["notice"]) == (card.id, card.notice)


def test_a_record_describes_the_image_and_its_source(running: PicTrace, album: dict[str, str]) -> None:
    record = running.client.get(f"/v1/images/{album['astronaut.png']}", params={"collection": "album"}).json()
    assert (record["width"], record["height"], record["format"]) == (512, 512, "png")
    assert record["bytes"] == shipped("astronaut.png").stat().st_size
    assert record["filename"] == "astronaut.png"
    assert record["label"] == (record["labels"][0]["name"] if record["labels"] else None)
    [source] = record["sources"]
    assert source["bucket"] == running.cloud.outputs["BucketName"]
    assert source["key"].startswith("uploads/album/")


def test_content_and_thumbnail_redirect_to_the_images(running: PicTrace, album: dict[str, str]) -> None:
    base = f"/v1/images/{album['astronaut.png']}"
    redirect = running.client.get(f"{base}/content")
    assert redirect.status_code == 307
    content = httpx.get(redirect.headers["location"])
    assert content.content == shipped("astronaut.png").read_bytes()
    assert content.headers["content-type"] == "image/png"
    for _ in range(2):
        small = httpx.get(running.client.get(f"{base}/thumbnail").headers["location"])
        image = decode(small.content)
        assert (image.format, max(image.width, image.height)) == ("webp", 320)


def test_pages_list_a_collection_newest_first(running: PicTrace, collection: str) -> None:
    ids = [running.add(noise(seed), collection=collection) for seed in range(10, 15)]
    seen: list[str] = []
    cursor = None
    for _ in range(4):
        parameters: dict[str, str | int] = {"collection": collection, "limit": 2}
        parameters |= {"cursor": cursor} if cursor else {}
        page = running.client.get("/v1/images", params=parameters).json()
        seen += [image["image_id"] for image in page["images"]]
        cursor = page["cursor"]
        if cursor is None:
            break
    assert seen == ids[::-1]
    assert running.client.get("/v1/stats", params={"collection": collection}).json()["images"] == 5


def test_the_same_bytes_uploaded_twice_are_one_image_with_two_sources(running: PicTrace, collection: str) -> None:
    image_id = running.add(noise(20), collection=collection)
    again = running.wait_for_upload(running.upload(noise(20), collection=collection, name="b.png"))
    assert (again["status"], again["image_id"]) == ("duplicate", image_id)
    record = running.client.get(f"/v1/images/{image_id}").json()
    assert len(record["sources"]) == 2
    assert record["filename"] == "a.png"
    assert running.client.get("/v1/stats", params={"collection": collection}).json()["images"] == 1


def test_collections_are_isolated(running: PicTrace, collection: str) -> None:
    other = f"{collection}-b"
    image_id = running.add(noise(30), collection=collection)
    assert running.search(noise(30), collection=other)["matches"] == []
    assert running.add(noise(30), collection=other) == image_id
    assert running.client.delete(f"/v1/images/{image_id}", params={"collection": other}).status_code == 204
    assert running.search(noise(30), collection=other)["matches"] == []
    assert running.search(noise(30), collection=collection)["matches"][0]["verdict"] == "identical"


def test_a_removal_leaves_nothing_behind(running: PicTrace, collection: str) -> None:
    s3, bucket = boto3.client("s3"), running.cloud.outputs["BucketName"]
    here = {"collection": collection}
    image_id = running.add(noise(40), collection=collection)

    def keys() -> set[str]:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        listed = [entry for page in pages for entry in page.get("Contents", [])]
        return {entry["Key"] for entry in listed if image_id in entry["Key"] or f"/{collection}/" in entry["Key"]}

    assert len(keys()) == 3
    assert running.client.delete(f"/v1/images/{image_id}", params=here).status_code == 204
    assert running.client.delete(f"/v1/trash/{image_id}", params=here).status_code == 204
    assert keys() == set()
    assert running.search(noise(40), collection=collection)["matches"] == []
    for path in ("", "/content", "/thumbnail", "/similar"):
        assert running.client.get(f"/v1/images/{image_id}{path}").status_code == 404
    assert running.client.delete(f"/v1/images/{image_id}", params=here).status_code == 404
    found = boto3.client("dynamodb").query(
        TableName=running.cloud.outputs["TableName"],
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"image#{image_id}"}},
    )
    assert found["Items"] == []
    assert running.add(noise(40), collection=collection) == image_id


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"<html>no image</html>", "unsupported_type"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR" + (20_000).to_bytes(4, "big") * 2 + bytes(9), "too_many_pixels"),
        (noise(50)[:200], "corrupt"),
    ],
)
def test_a_file_that_is_not_an_image_is_rejected_with_a_reason(
    running: PicTrace, collection: str, data: bytes, code: str
) -> None:
    upload_id = running.upload(data, collection=collection)
    state = running.wait_for_upload(upload_id)
    assert (state["status"], state["code"]) == ("rejected", code)
    assert state["reason"].endswith(".")
    tags = boto3.client("s3").get_object_tagging(
        Bucket=running.cloud.outputs["BucketName"], Key=f"uploads/{collection}/{upload_id}"
    )
    assert tags["TagSet"] == [{"Key": "pictrace", "Value": "rejected"}]
    refused = running.client.post("/v1/search", json={"upload_id": upload_id})
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:pictrace:problem:upload-rejected")


def test_an_object_under_any_uploads_key_is_indexed(running: PicTrace) -> None:
    data = noise(60)
    image_id = hashlib.sha256(data).hexdigest()
    key = "uploads/some folder/ä+b %41.png"
    boto3.client("s3").put_object(Bucket=running.cloud.outputs["BucketName"], Key=key, Body=data)
    answer = until(lambda: (found := running.client.get(f"/v1/images/{image_id}")).status_code == 200 and found)
    assert answer.json()["sources"][0]["key"] == key
    assert answer.json()["collection"] == "default"
    assert running.client.delete(f"/v1/images/{image_id}").status_code == 204
