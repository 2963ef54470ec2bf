"""What the API calls copies, variants and look-alikes, whichever way it is asked."""

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bench.negatives import kinds
from bench.negatives.canvas import Content, Style
from shared.vision.pixels import Pixels
from tests.conftest import PicTrace
from tests.images import encoded, pixels
from tests.integration.conftest import until

ORDER = ["identical", "near-duplicate", "variant", "similar", "unrelated"]


def invoice(seed: int, changed: bool = False) -> Pixels:
    first = Content([seed, 1])
    drawn = kinds.DRAWN["invoice"](Style([seed]), first)
    return kinds.DRAWN["invoice"](Style([seed]), Content([seed, 1], first.numbers[-1:])) if changed else drawn


def with_comment(data: bytes) -> bytes:
    """The same pixels, and a comment that JPEG readers skip."""
    return data[:2] + b"\xff\xfe\x00\x0ftaken one day" + data[2:]


def test_an_answer_is_ordered_by_verdict(running: PicTrace, collection: str) -> None:
    original = encoded(invoice(1))
    copy = encoded(np.ascontiguousarray(invoice(1)[40:-60]), ".png")
    ids = {
        "identical": running.add(with_comment(original), collection=collection),
        "near-duplicate": running.add(copy, collection=collection),
        "variant": running.add(encoded(invoice(1, changed=True)), collection=collection),
    }
    running.add(encoded(pixels("coffee.png")), collection=collection)
    asked: dict[str, Any] = {"files": {"file": ("a", original)}, "params": {"collection": collection, "k": 10}}
    matches = running.client.post("/v1/search", **asked).json()["matches"]
    assert {match["verdict"]: match["image_id"] for match in matches[:3]} == ids
    assert [match["verdict"] for match in matches[:3]] == ORDER[:3]
    scores = [match["score"] for match in matches]
    assert scores == sorted(scores, reverse=True)
    assert [score == 1 for score in scores] == [True, False, False, False]
    assert (matches[0]["same_bytes"], matches[0]["reason"], matches[1]["reason"]) == (False, "same pixels", None)
    [part, *_] = matches[2]["differences"]
    assert part["match"]["width"] * part["match"]["height"] < 0.05
    assert matches[1]["overlap"]["match"] == pytest.approx(1, abs=0.02)


def test_the_same_pixels_are_found_among_any_number_of_lookalikes(running: PicTrace, collection: str) -> None:
    """A look-up finds them: 40 images of one flat colour have neither keypoints nor features of their own."""
    flat = [encoded(np.full((64, 64 + step, 3), 120, np.uint8), ".png") for step in range(40)]
    ids = [running.add(data, collection=collection) for data in flat]
    image = Image.open(BytesIO(flat[-1]))
    again = BytesIO()
    image.save(again, "webp", lossless=True)
    for data, reason in ((flat[-1], "same bytes"), (again.getvalue(), "same pixels")):
        for effort in ("fast", "balanced"):
            params = {"collection": collection, "effort": effort}
            asked = running.client.post("/v1/search", params=params, files={"file": ("a", data)})
            first = asked.json()["matches"][0]
            assert (first["image_id"], first["verdict"], first["reason"]) == (ids[-1], "identical", reason)


@pytest.mark.parametrize(("least", "count"), [("near-duplicate", 1), ("variant", 2), ("unrelated", 3)])
def test_callers_choose_the_least_verdict(running: PicTrace, collection: str, least: str, count: int) -> None:
    for image in (invoice(2)[:-80], invoice(2, changed=True), pixels("rocket.jpg")):
        running.add(encoded(np.ascontiguousarray(image)), collection=collection)
    params: dict[str, Any] = {"collection": collection, "min_verdict": least, "k": 10}
    answer = running.client.post("/v1/search", params=params, files={"file": ("a", encoded(invoice(2)))}).json()
    assert len(answer["matches"]) == count
    assert all(ORDER.index(match["verdict"]) <= ORDER.index(least) for match in answer["matches"])


def test_documents_of_one_template_are_in_no_group(running: PicTrace, collection: str) -> None:
    drawn = [kinds.DRAWN["invoice"](Style([3]), Content([3, seed])) for seed in range(4)]
    for image in (*drawn, drawn[0][:-50].copy()):
        running.add(encoded(image), collection=collection)

    def grouped() -> Any:  # an image is compared after its upload has ended
        return running.client.get("/v1/duplicates", params={"collection": collection}).json()["groups"]

    assert [len(group["images"]) for group in until(grouped)] == [2]


def test_one_verdict_whichever_way_one_asks(running: PicTrace, collection: str) -> None:
    shown = Image.fromarray(pixels("chelsea.png"))
    mirrored = BytesIO()
    shown.transpose(Image.Transpose.FLIP_LEFT_RIGHT).resize((300, 200)).save(mirrored, "jpeg")
    a, b = encoded(pixels("chelsea.png")), mirrored.getvalue()
    ids = [running.add(data, collection=collection) for data in (a, b)]
    said = []
    for first, second in ((0, 1), (1, 0)):
        files = [a, b]
        said.append(running.client.post("/v1/compare", json={"a": ids[first], "b": ids[second]}))
        given = {"a": ("a", files[first]), "b": ("b", files[second])}
        said.append(running.client.post("/v1/compare", files=given))
        said.append(running.client.post("/v1/compare", files={"a": given["a"]}, data={"b": ids[second]}))
    assert {answer.json()["verdict"] for answer in said} == {"near-duplicate"}
    assert all(answer.json()["mirrored"] for answer in said)
    for index in (0, 1):
        found = running.client.get(f"/v1/images/{ids[index]}/similar", params={"collection": collection}).json()
        assert [match["verdict"] for match in found["matches"]] == ["near-duplicate"]


def test_a_group_is_no_chain(running: PicTrace, collection: str) -> None:
    wide = np.hstack([pixels("coffee.png")[:300, :500], pixels("rocket.jpg")[:300, :500]])
    ids = [
        running.add(encoded(wide[:, left : left + 400].copy()), collection=collection) for left in range(0, 601, 100)
    ]

    def grouped() -> Any:
        found = running.client.get("/v1/duplicates", params={"collection": collection}).json()["groups"]
        return found if sum(len(group["images"]) for group in found) >= len(ids) - 1 else None

    for group in until(grouped):
        pairs = [{"a": group["group_id"], "b": image["image_id"]} for image in group["images"]]
        said = [running.client.post("/v1/compare", json=pair).json()["verdict"] for pair in pairs]
        assert set(said) <= {"identical", "near-duplicate"}


def test_mirror_images_are_grouped(running: PicTrace, collection: str) -> None:
    for image in (pixels("chelsea.png"), pixels("chelsea.png")[:, ::-1].copy()):
        running.add(encoded(image), collection=collection)
    found = until(lambda: running.client.get("/v1/duplicates", params={"collection": collection}).json()["groups"])
    assert [len(group["images"]) for group in found] == [2]
