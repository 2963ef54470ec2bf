"""Perceptual hashes are stored, and images are found by hashes that somebody else computed, over HTTP."""

import uuid
from typing import Any, Final

import httpx
import imagehash
import numpy as np
import pdqhash
import pytest
from PIL import Image

from infra.local.cloud import STACK
from infra.operate import reindex
from infra.operate.__main__ import main
from shared.domain.access import Scope
from shared.vision.opencv import cv2
from tests.conftest import ClosedApi, PicTrace
from tests.images import Pixels, encoded, pixels

SEARCH: Final = "/v1/search/hashes"
NAMES: Final = ("chelsea.png", "coffee.png", "astronaut.png")


@pytest.fixture(scope="module")
def album(running: PicTrace) -> tuple[str, dict[str, str]]:
    """A collection with three photographs, and their ids by name."""
    collection = f"t-{uuid.uuid4().hex[:12]}"
    return collection, {
        name: running.add(encoded(pixels(name), ".png"), collection=collection, name=name) for name in NAMES
    }


def smaller(name: str) -> Pixels:
    """A copy that somebody else has."""
    return cv2.resize(pixels(name), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA).astype(np.uint8)


def pdq_of(rgb: Pixels) -> tuple[str, int]:
    bits, quality = pdqhash.compute(rgb)
    return np.packbits(bits).tobytes().hex(), int(quality)


def find(client: httpx.Client, collection: str, body: Any, **parameters: Any) -> dict[str, Any]:
    answer = client.post(SEARCH, params={"collection": collection, **parameters}, json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_images_are_found_by_the_hashes_of_other_programs(running: PicTrace, album: tuple[str, dict[str, str]]) -> None:
    """The program that computed them has a smaller copy, and never had our image."""
    collection, known = album
    copy = smaller("chelsea.png")
    for body in ({"phash": str(imagehash.phash(Image.fromarray(copy)))}, {"pdq": pdq_of(copy)[0].upper()}):
        found = find(running.client, collection, body)
        [match] = found["matches"]
        assert match["image_id"] == match["image"]["image_id"] == known["chelsea.png"]
        assert 0 <= match["hash_distance"] <= 31
        assert match["hash"] == next(iter(body.values())).lower()
        assert "verdict" not in match
        assert (found["examined"], found["without_hash"], found["cursor"]) == (3, 0, None)


def test_the_record_has_the_hash_that_pdqhash_computes(running: PicTrace, album: tuple[str, dict[str, str]]) -> None:
    collection, known = album
    for name, image_id in known.items():
        record = running.client.get(f"/v1/images/{image_id}", params={"collection": collection}).json()
        assert (record["pdq"], record["pdq_quality"]) == pdq_of(pixels(name))
    listed = running.client.get("/v1/images", params={"collection": collection}).json()["images"]
    assert {image["pdq"] for image in listed} == {pdq_of(pixels(name))[0] for name in NAMES}


def test_several_hashes_are_searched_at_once_page_by_page(running: PicTrace, album: tuple[str, dict[str, str]]) -> None:
    collection, known = album
    wanted = {pdq_of(pixels(name))[0]: known[name] for name in NAMES}
    hashes = [*wanted, "5" * 64]
    found = find(running.client, collection, {"pdq": hashes}, distance=0)
    assert {match["hash"]: match["image_id"] for match in found["matches"]} == wanted
    pages = [find(running.client, collection, {"pdq": hashes}, limit=2)]
    pages.append(find(running.client, collection, {"pdq": hashes}, limit=2, cursor=pages[0]["cursor"]))
    assert [len(page["matches"]) for page in pages] == [2, 1]
    assert {match["hash"]: match["image_id"] for page in pages for match in page["matches"]} == wanted
    assert pages[1]["cursor"] is None


@pytest.mark.parametrize(
    ("body", "parameters", "said"),
    [
        ({}, {}, "either `phash` or `pdq`"),
        ({"phash": "0" * 16, "pdq": "0" * 64}, {}, "either `phash` or `pdq`"),
        ({"phash": "0" * 64}, {}, "phash"),
        ({"pdq": "x" * 64}, {}, "pdq"),
        ({"pdq": []}, {}, "pdq"),
        ({"pdq": ["0" * 64] * 101}, {}, "pdq"),
        ({"phash": "0" * 16}, {"distance": 17}, "at most 16 for phash"),
        ({"pdq": "0" * 64}, {"distance": 65}, "distance"),
    ],
)
def test_what_is_no_hash_is_refused(running: PicTrace, body: Any, parameters: Any, said: str) -> None:
    answer = running.client.post(SEARCH, params=parameters, json=body)
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:pictrace:problem:invalid-request")
    assert said in answer.json()["detail"]


def test_cursors_of_others_are_refused(running: PicTrace, album: tuple[str, dict[str, str]]) -> None:
    hashes = [pdq_of(pixels(name))[0] for name in NAMES]
    cursor = find(running.client, album[0], {"pdq": hashes}, limit=1)["cursor"]
    assert cursor
    answer = running.client.post(SEARCH, params={"cursor": cursor}, json={"phash": "0" * 16})
    assert answer.json()["type"] == "urn:pictrace:problem:invalid-cursor"


def test_a_search_takes_a_hash_instead_of_an_image(running: PicTrace, album: tuple[str, dict[str, str]]) -> None:
    collection, known = album
    body = {"pdq": pdq_of(smaller("chelsea.png"))[0].upper()}
    answer = running.client.post("/v1/search", params={"collection": collection, "k": 1}, json=body).json()
    assert answer == find(running.client, collection, body, limit=1)
    assert [match["image_id"] for match in answer["matches"]] == [known["chelsea.png"]]


@pytest.mark.parametrize(
    ("body", "parameters", "told"),
    [
        ({"pdq": "0" * 63}, {}, "`pdq` must be 64 hex digits."),
        ({"phash": ["0" * 16]}, {}, "`phash` must be 16 hex digits."),
        ({"phash": "0" * 16, "pdq": "0" * 64}, {}, "Send exactly one of "),
        ({"phash": "0" * 16}, {"label": "cat"}, "does not take `label`. See POST /v1/search/hashes."),
    ],
)
def test_a_search_for_a_hash_says_what_it_takes(
    running: PicTrace, body: dict[str, Any], parameters: dict[str, str], told: str
) -> None:
    answer = running.client.post("/v1/search", params=parameters, json=body)
    assert answer.status_code == 422
    assert told in answer.json()["detail"]


def test_a_search_stays_in_the_collections_of_the_key(closed: ClosedApi, album: tuple[str, dict[str, str]]) -> None:
    collection, known = album
    body = {"pdq": pdq_of(pixels("chelsea.png"))[0]}
    with closed.client(closed.key(Scope.SEARCH, collections={collection})) as client:
        assert [match["image_id"] for match in find(client, collection, body)["matches"]] == [known["chelsea.png"]]
    with closed.client(closed.key(Scope.SEARCH, collections={"others"})) as client:
        assert client.post(SEARCH, params={"collection": collection}, json=body).status_code == 403
        assert find(client, "others", body)["matches"] == []
    with closed.client(closed.key(Scope.WRITE)) as client:
        assert client.post(SEARCH, json=body).status_code == 403
    assert httpx.post(f"{closed.url}{SEARCH}", json=body).status_code == 401


@pytest.mark.usefixtures("completed_here")
def test_the_operator_has_hashes_of_earlier_images_stored(
    running: PicTrace, collection: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    image_id = running.add(encoded(pixels("rocket.jpg"), ".png"), collection=collection)
    running.forget_pdq(image_id, collection)
    wanted, quality = pdq_of(pixels("rocket.jpg"))
    found = find(running.client, collection, {"pdq": wanted})
    assert (found["matches"], found["examined"], found["without_hash"]) == ([], 1, 1)
    assert main(["--stack", STACK, "reindex", "--hashes", "--yes"]) == 1
    assert "Set pdq to on in cdk.json" in capsys.readouterr().err
    monkeypatch.setattr(reindex, "default_context", lambda: {"pdq": "on", "ingest_memory_mb": 1769})
    assert main(["--stack", STACK, "reindex", "--hashes", "--yes"]) == 0
    assert "1 images without a PDQ hash" in capsys.readouterr().out
    [match] = find(running.client, collection, {"pdq": wanted}, distance=0)["matches"]
    assert (match["image_id"], match["image"]["pdq_quality"]) == (image_id, quality)
