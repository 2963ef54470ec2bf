"""Kinds of files through the API: their bytes decide what they are, and refusals name it."""

import io

import pytest
from PIL import Image

from bench.formats import kinds
from tests.conftest import PicTrace
from tests.images import noise

MADE = {kind.name: kind.data for kind in kinds.raws()}


def test_a_raw_file_and_its_jpeg_are_near_duplicates_and_the_raw_file_is_kept(
    running: PicTrace, collection: str
) -> None:
    shown = Image.open(io.BytesIO(MADE["CR3"][MADE["CR3"].index(b"\xff\xd8\xff") :]))
    out = io.BytesIO()
    shown.save(out, "JPEG", quality=85)
    jpeg = running.add(out.getvalue(), collection=collection, name="IMG_1.JPG", media_type="image/jpeg")
    raw = running.add(MADE["DNG"], collection=collection, name="IMG_1.DNG", media_type="image/tiff")
    [group] = running.client.get("/v1/duplicates", params={"collection": collection}).json()["groups"]
    assert (group["best"], {image["image_id"] for image in group["images"]}) == (raw, {raw, jpeg})
    assert group["reasons"] == {jpeg: "It is the camera's raw file."}
    assert [(image["format"], image["raw"]) for image in group["images"]] == [("dng", True), ("jpeg", False)]


@pytest.mark.parametrize(
    ("name", "media_type"), [("photo", "application/octet-stream"), ("photo.txt", "text/plain"), ("photo.HEIC", "")]
)
def test_the_bytes_of_a_query_decide_whatever_its_name_and_type(
    running: PicTrace, collection: str, name: str, media_type: str
) -> None:
    part = (name, noise(50), media_type)
    found = running.client.post("/v1/search", params={"collection": collection}, files={"file": part})
    assert found.status_code == 200, found.text
    compared = running.client.post("/v1/compare", files={"a": part, "b": ("a.png", noise(50), "image/png")})
    assert compared.json()["verdict"] == "identical"


@pytest.mark.parametrize(
    ("data", "code", "named", "advice"),
    [
        (MADE["DNG without a preview"], "camera_raw", "a camera RAW file (Adobe DNG)", "Export it as a JPEG or TIFF."),
        (b"8BPS\0\1" + bytes(40), "unsupported_type", "a Photoshop document", "convert others to one of them."),
        (b"%PDF-1.7" + bytes(40), "unsupported_type", "a PDF or PostScript document", "convert others to one of them."),
    ],
)
def test_a_refusal_names_what_the_file_is_and_what_to_do(
    running: PicTrace, collection: str, data: bytes, code: str, named: str, advice: str
) -> None:
    state = running.wait_for_upload(running.upload(data, collection=collection, media_type="image/jpeg", name="a.jpg"))
    query = running.client.post("/v1/search", params={"collection": collection}, files={"file": ("a.jpg", data)})
    assert (state["code"], query.json()["code"], query.status_code) == (code, code, 415)
    for reason in (state["reason"], query.json()["detail"]):
        assert f"The file is {named}" in reason
        assert reason.endswith(advice)
