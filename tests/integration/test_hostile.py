"""Hostile images, passed to the real ingest handler and the search endpoint."""

import io
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import numpy as np
import pytest
from PIL import Image

from bench import hostile
from functions.ingest.subprocess_runner import IN_PROCESS_ATTEMPTS
from shared.domain.images import upload_key
from shared.domain.limits import MAX_JPEG_SCANS, MAX_QUERY_BYTES, MAX_UPLOAD_BYTES
from shared.vision.decode import decoding
from shared.vision.decode.sandbox import Sandbox
from shared.vision.ranking import SIMILAR_FROM
from tests.conftest import PicTrace
from tests.images import Pixels, encoded, noise, pixels, shipped
from tests.integration.conftest import invoke_ingest
from tests.unit import test_decode_headers as made

EVAL_DATA = os.environ.get("PICTRACE_EVAL_DATA")
PHOTOGRAPHS = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg")
EVERY = 24

WHOLE_PNG = encoded(pixels("coffee.png"), ".png")
GIF_FRAME = b"\x2c" + b"\0" * 4 + b"\1\0\1\0\0" + b"\x02\x02\x44\x01\0"
FILES: dict[str, tuple[bytes, str | None]] = {
    "nothing": (b"", "empty"),
    "a web page": (b"<html>", "unsupported_type"),
    "JPEG 2000": (b"\0\0\0\x0cjP  \r\n\x87\n" + b"\0" * 30, "unsupported_type"),
    "WebP of 34 bytes, 16383 x 16383": (made.webp(16_383, 16_383), "too_many_pixels"),
    "JPEG whose header lies, 20000 x 20000": (made.jpeg(20_000, 20_000), "too_many_pixels"),
    "PNG, 65536 x 1": (made.png(65_536, 1), "too_many_pixels"),
    "PNG whose chunk claims 2 GB": (WHOLE_PNG[:33] + b"\x7f\xff\xff\xffIDAT" + WHOLE_PNG[41:], "corrupt"),
    "JPEG of very many scans": (made.jpeg(64, 64, MAX_JPEG_SCANS + 1), "too_complex"),
    "PNG of very many chunks": (made.PARTS["png"], "too_complex"),
    "GIF of very many frames": (made.gif(4, 4)[:13] + GIF_FRAME * 100_000 + b";", None),
    "PNG cut in the middle of its header": (WHOLE_PNG[:20], "corrupt"),
    "JPEG of noise": (b"\xff\xd8\xff" + bytes(range(256)) * 20, "corrupt"),
}


@pytest.fixture
def gauntlet(running: PicTrace, put: Callable[..., str]) -> hostile.Gauntlet:
    """The gauntlet; the fixture `put` disables S3 events meanwhile."""
    return hostile.Gauntlet(running.cloud, running.client)


@pytest.mark.parametrize(("data", "code"), FILES.values(), ids=FILES)
def test_a_hostile_file_is_stored_or_refused_with_its_cause(
    gauntlet: hostile.Gauntlet, data: bytes, code: str | None
) -> None:
    result = gauntlet.run("made", data)
    assert list(hostile.complaints(result)) == []
    assert result.code == code
    assert result.reason is None if code is None else str(result.reason).endswith(".")


@pytest.mark.skipif(not EVAL_DATA, reason="PICTRACE_EVAL_DATA names no folder with the corpus")
def test_the_corpus_is_stored_or_refused_with_its_cause(gauntlet: hostile.Gauntlet) -> None:
    """Every 24th file; `python -m bench.hostile` runs all of them."""
    folder = Path(str(EVAL_DATA)) / "corpus" / "hostile"
    results = hostile.run(gauntlet, folder, every=EVERY)
    assert len(results) > 2000 / EVERY
    found = [f"{result.file}: {complaint}" for result in results for complaint in hostile.complaints(result)]
    assert found == []
    assert {"stored", "corrupt", "too_many_pixels"} <= {result.outcome for result in results}
    print(hostile.report(results))


def test_more_bytes_than_the_limit_are_refused(gauntlet: hostile.Gauntlet) -> None:
    result = gauntlet.run("large", noise(1) + bytes(MAX_UPLOAD_BYTES))
    assert (result.status, result.code) == ("rejected", "too_large")
    assert result.search == httpx.codes.REQUEST_ENTITY_TOO_LARGE
    assert result.memory < hostile.MEMORY
    assert len(noise(1)) < MAX_QUERY_BYTES


FRAGILE = """
from shared.vision.decode import decoding
from shared.vision.decode.sandbox import Sandbox
decoding.SANDBOX = Sandbox("tests.unit.crashing_decoders:decode_unless_13_wide")
"""


class TestCrashingDecoder:
    """An image that is 13 pixels wide crashes the process that decodes it."""

    @pytest.fixture(autouse=True)
    def _fragile(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        fragile = Sandbox("tests.unit.crashing_decoders:decode_unless_13_wide")
        monkeypatch.setattr(decoding, "SANDBOX", fragile)
        yield
        fragile.close()

    def test_the_rest_of_the_batch_is_indexed(
        self, running: PicTrace, put: Callable[..., str], collection: str
    ) -> None:
        images = [noise(600), noise(601, side=13), noise(602), noise(603, side=13), noise(604)]
        states = self.states(running, put, collection, images, attempt=1)
        assert [state["status"] for state in states] == ["indexed", "rejected", "indexed", "rejected", "indexed"]
        assert states[1]["code"] == "decoder_failed"
        assert "SIGSEGV" in states[1]["reason"]

    def test_a_message_handled_in_a_subprocess_is_just_as_safe(
        self,
        running: PicTrace,
        put: Callable[..., str],
        collection: str,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """A message that failed twice is handled in a subprocess, which starts its own decoder."""
        (tmp_path / "sitecustomize.py").write_text(FRAGILE, encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.setattr(decoding, "SANDBOX", None)
        images = [noise(610), noise(611, side=13), b"no image"]
        states = self.states(running, put, collection, images, attempt=IN_PROCESS_ATTEMPTS + 1)
        assert [state["status"] for state in states] == ["indexed", "rejected", "rejected"]
        assert [state["code"] for state in states] == [None, "decoder_failed", "unsupported_type"]
        assert "SIGSEGV" in states[1]["reason"]

    def states(
        self, running: PicTrace, put: Callable[..., str], collection: str, images: list[bytes], *, attempt: int
    ) -> list[dict[str, Any]]:
        """Handle the images as one batch, in which no message may fail, and return the states of their uploads."""
        bucket = running.cloud.outputs["BucketName"]
        uploads, records = [], []
        for data in images:
            form = {"filename": "a.png", "content_type": "image/png", "collection": collection}
            uploads.append(running.client.post("/v1/uploads", json=form).json()["upload_id"])
            key = put(data, upload_key(collection, uploads[-1]))
            records.append(
                {
                    "messageId": uploads[-1],
                    "eventSource": "aws:sqs",
                    "attributes": {"ApproximateReceiveCount": str(attempt)},
                    "body": json.dumps({"bucket": bucket, "key": key}),
                }
            )
        assert invoke_ingest({"Records": records}) == {"batchItemFailures": []}
        return [running.client.get(f"/v1/uploads/{upload_id}").json() for upload_id in uploads]

    def test_a_search_with_it_is_refused_and_the_next_one_succeeds(self, running: PicTrace, collection: str) -> None:
        for _ in range(2):
            refused = running.client.post("/v1/search", files={"file": ("a", noise(605, side=13))})
            assert (refused.status_code, refused.json()["code"]) == (422, "decoder_failed")
            assert running.search(noise(606), collection=collection)["matches"] == []
        refused = running.client.post("/v1/compare", files={"a": noise(607), "b": noise(605, side=13)})
        assert (refused.status_code, refused.json()["code"]) == (422, "decoder_failed")


def png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def of_noise(height: int, width: int) -> Pixels:
    return np.random.default_rng(height + width).integers(0, 256, (height, width, 3), dtype=np.uint8)


LOW_INFORMATION = {
    "one pixel": png(Image.new("RGB", (1, 1), (90, 10, 200))),
    "black": png(Image.new("RGB", (400, 300), "black")),
    "white": png(Image.new("RGB", (400, 300), "white")),
    "one colour": encoded(np.full((200, 333, 3), (200, 90, 40), np.uint8)),
    "transparent": png(Image.new("RGBA", (320, 200), (255, 0, 0, 0))),
    "transparent over a photograph": png(
        Image.fromarray(np.dstack([pixels("coffee.png"), np.zeros(pixels("coffee.png").shape[:2], np.uint8)]))
    ),
    "a line of noise": encoded(of_noise(1, 16_384), ".png"),
    "a column of noise": encoded(of_noise(16_384, 1), ".png"),
}


@pytest.fixture(scope="module")
def album(running: PicTrace) -> dict[str, str]:
    """Photographs and low-information images in one collection."""
    ids = {name: running.add(shipped(name).read_bytes(), collection="nothing", name=name) for name in PHOTOGRAPHS}
    return ids | {name: running.add(data, collection="nothing", name=name) for name, data in LOW_INFORMATION.items()}


class TestLowInformationImages:
    def test_only_they_are_marked_as_low_information(self, running: PicTrace, album: dict[str, str]) -> None:
        page = running.client.get("/v1/images", params={"collection": "nothing", "limit": 100}).json()
        marked = {image["image_id"] for image in page["images"] if image["low_information"]}
        assert marked == {album[name] for name in LOW_INFORMATION}
        record = running.client.get(f"/v1/images/{album['black']}", params={"collection": "nothing"}).json()
        assert record["low_information"]

    @pytest.mark.parametrize("ranking", ["fused", "classic", "cosine"])
    def test_none_ranks_above_a_photograph(self, running: PicTrace, album: dict[str, str], ranking: str) -> None:
        """Neither for a copy of a stored photograph nor for an image that resembles nothing stored."""
        dark = (pixels("rocket.jpg") // 12).astype(np.uint8)
        for query in (encoded(pixels("chelsea.png"), ".jpg", 1, 50), noise(700), encoded(dark, ".png")):
            matches = self.matches(running, query, ranking=ranking)
            assert len(matches) == len(album)
            shown = [match["image_id"] in {album[name] for name in PHOTOGRAPHS} for match in matches]
            assert shown == [True] * len(PHOTOGRAPHS) + [False] * len(LOW_INFORMATION)
            for match in matches[len(PHOTOGRAPHS) :]:
                assert (match["score"], match["verdict"], match["low_information"]) == (0, "unrelated", True)
            assert not matches[0]["low_information"]

    @pytest.mark.parametrize("ranking", ["fused", "classic", "cosine"])
    @pytest.mark.parametrize("name", LOW_INFORMATION)
    def test_as_a_query_each_finds_only_itself(
        self, running: PicTrace, album: dict[str, str], name: str, ranking: str
    ) -> None:
        first, *others = self.matches(running, LOW_INFORMATION[name], ranking=ranking)
        assert (first["image_id"], first["verdict"], first["score"]) == (album[name], "identical", 1.0)
        assert {match["verdict"] for match in others} <= {"similar", "unrelated"}
        assert max(match["score"] for match in others) <= SIMILAR_FROM
        for match in others:
            if not match["image"]["low_information"]:
                assert (match["score"], match["verdict"]) == (0, "unrelated")

    def test_the_response_marks_them(self, running: PicTrace, album: dict[str, str]) -> None:
        found = running.search(LOW_INFORMATION["black"], collection="nothing")
        assert found["low_information"]
        assert found["notice"].startswith("The query has too little to recognise it by")
        assert not running.search(noise(701), collection="nothing")["low_information"]
        scores = running.client.post("/v1/compare", json={"a": album["black"], "b": album["coffee.png"]}).json()
        assert (scores["score"], scores["low_information"]) == (0, True)

    def test_they_are_never_near_duplicates_of_each_other(self, running: PicTrace, album: dict[str, str]) -> None:
        similar = running.client.get(f"/v1/images/{album['white']}/similar", params={"collection": "nothing"}).json()
        assert similar["low_information"]
        assert {match["verdict"] for match in similar["matches"]} <= {"similar", "unrelated"}

    def matches(self, running: PicTrace, query: bytes, **parameters: Any) -> list[dict[str, Any]]:
        """Every image of the collection, best first; a response that is not strict JSON fails the test."""
        answer = running.client.post(
            "/v1/search", params=parameters | {"collection": "nothing", "k": 50}, files={"file": ("a", query)}
        )
        assert answer.status_code == 200, answer.text
        found = json.loads(answer.text, parse_constant=lambda name: pytest.fail(f"the response contains {name}"))
        matches: list[dict[str, Any]] = found["matches"]
        return matches

    def test_their_stored_features_are_finite(self, running: PicTrace, album: dict[str, str]) -> None:
        dynamodb, table = boto3.client("dynamodb"), running.cloud.outputs["TableName"]
        for name in LOW_INFORMATION:
            key = {"pk": {"S": f"image#{album[name]}"}, "sk": {"S": "collection#nothing"}}
            features = dynamodb.get_item(TableName=table, Key=key)["Item"]["features"]["L"]
            assert all(np.isfinite(float(number["N"])) for number in features)


def test_the_thinnest_images_have_thumbnails(running: PicTrace, collection: str) -> None:
    started = time.monotonic()
    image_id = running.add(LOW_INFORMATION["a line of noise"], collection=collection)
    link = running.client.get(f"/v1/images/{image_id}/thumbnail", params={"collection": collection})
    assert link.status_code == 307
    assert Image.open(io.BytesIO(httpx.get(link.headers["location"]).content)).size == (320, 1)
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("media_type", ["IMAGE/JPG", "image/pjpeg", "application/octet-stream", ""])
def test_the_bytes_decide_whatever_the_content_type_says(running: PicTrace, collection: str, media_type: str) -> None:
    data = cut_off(noise(40 + len(media_type)))
    image_id = running.add(data, collection=collection, media_type=media_type, name="photo")
    found = running.client.get(f"/v1/images/{image_id}", params={"collection": collection}).json()
    assert (found["format"], found["damaged"], found["pages"], found["raw"]) == ("jpeg", True, 1, False)
    assert 0.3 < found["intact"] < 0.9
    listed = running.client.get("/v1/images", params={"collection": collection}).json()["images"]
    assert [(one["damaged"], one["intact"]) for one in listed] == [(True, found["intact"])]


def cut_off(png: bytes) -> bytes:
    """Return the first part of a PNG's image as a JPEG."""
    out = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").save(out, "JPEG", quality=90)
    return out.getvalue()[: len(out.getvalue()) * 3 // 5]
