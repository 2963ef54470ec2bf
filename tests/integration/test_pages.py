"""Files with several pages or frames, through the API: each of them is found, and the match names it."""

import io
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from shared.domain.formats import ENDINGS
from tests.conftest import PicTrace
from tests.images import pixels

PHOTOGRAPHS = ("astronaut.png", "chelsea.png", "coffee.png")


def photographs(size: tuple[int, int] = (480, 360)) -> list[Image.Image]:
    return [Image.fromarray(pixels(name)).resize(size) for name in PHOTOGRAPHS]


def made(form: str, images: list[Image.Image], **options: Any) -> bytes:
    out = io.BytesIO()
    images[0].save(out, form, save_all=True, append_images=images[1:], **options)
    return out.getvalue()


def copy_of(image: Image.Image) -> bytes:
    """Return a smaller JPEG of an image."""
    out = io.BytesIO()
    image.resize((300, 225)).save(out, "JPEG", quality=80)
    return out.getvalue()


@pytest.mark.parametrize(
    ("form", "leading", "options", "times"),
    [
        ("TIFF", 0, {}, (None, None, None)),
        ("MPO", 0, {"quality": 90}, (None, None, None)),
        ("GIF", 1, {"duration": 500}, (0.5, 1.0, 1.5)),
        ("WEBP", 1, {"duration": 500}, (0.5, 1.0, 1.5)),
    ],
)
def test_every_page_and_scene_is_found_and_named(
    running: PicTrace,
    collection: str,
    form: str,
    leading: int,
    options: dict[str, Any],
    times: tuple[float | None, ...],
) -> None:
    """An animation begins with a black frame, which nobody searches for."""
    images = photographs()
    black = [Image.new("RGB", images[0].size)] * leading
    image_id = running.add(made(form, [*black, *images], **options), collection=collection, name="file")
    for number, (image, seconds) in enumerate(zip(images, times, strict=True), leading + 1):
        [match] = running.search(copy_of(image), collection=collection)["matches"]
        assert (match["image_id"], match["verdict"]) == (image_id, "near-duplicate")
        assert (match["page"], match["at"]) == (number, seconds)
        assert match["image"]["pages"] == match["image"]["pages_searched"] == len(black) + len(images)
        assert 0.9 < match["overlap"]["query"] <= 1
        assert match["overlap"]["match"] < 0.4


def test_two_faxes_with_one_cover_sheet_stay_apart(running: PicTrace, collection: str) -> None:
    cover, *others = photographs()
    turned = [image.transpose(Image.Transpose.FLIP_TOP_BOTTOM) for image in others]
    first, second = (running.add(made("TIFF", [cover, *pages]), collection=collection) for pages in (others, turned))
    groups = running.client.get("/v1/duplicates", params={"collection": collection}).json()["groups"]
    assert groups == []
    found = running.client.post("/v1/compare", json={"a": first, "b": second}).json()
    assert found["verdict"] == "variant"


def test_the_page_reads_the_endings_of_images_from_the_server(running: PicTrace) -> None:
    assert running.client.get("/v1/stats").json()["endings"] == list(ENDINGS)
    shown = httpx.get(running.url + "/static/files.js").text
    assert "nef" not in shown
    assert {"jpg", "heic", "hif", "nef", "cr3", "tif", "jpg_large"} < set(ENDINGS)
    assert len(np.unique(ENDINGS)) == len(ENDINGS)
