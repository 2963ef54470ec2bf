"""The decoder on the corpus of odd, rare and malformed files, if it is available."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest

from shared.domain.errors import PictureRefused
from shared.vision.decode.decoding import LONGEST_SIDE, decode
from shared.vision.decode.jpeg import MIN_REDUCED_SIDE
from shared.vision.resizing import longest_side, resize_square

DATA = os.environ.get("PICTRACE_EVAL_DATA")
pytestmark = pytest.mark.skipif(not DATA, reason="PICTRACE_EVAL_DATA names no folder with the corpus")

EXCEPTIONS = {
    "synthetic/jpg_scan_bomb_4000x4000_2000scans.jpg": "too_complex",
    **{
        f"libjpeg-turbo-seeds/afl-testcases__{name}.jpg": "corrupt"
        for name in (
            "jpeg__full__images__id_001069_src_000280_op_arith8_pos_165_val_+7",
            "jpeg__full__images__id_005239_sync_jpeg_turbo_src_004016",
            "jpeg_turbo__full__images__id_000698_sync_jpeg9_src_001880",
        )
    },
}
"""Files that we refuse although the manifest, which records measured behaviour, accepts them: by our limits, or because
nothing of them is there, so that libjpeg shows gray."""

ACCEPTED_BY_US = {
    "go-fuzz/gif__all__corpus__70fa80f3387e23835e47b3fde3c0c101562618c0-2",
    "go-fuzz/gif__corpus__b22bb36b62775b04b2450b62e7fcc5a2ece06689-3",
    "go-fuzz/tiff__corpus__8aa4f20975fda63edffa3312244b1729bd060963-1",
    "image-rs/tests__images__bmp__images__V3_X4_R4_G4_B4_Top_Down.bmp",
    "image-rs/tests__images__tiff__testsuite__rgb32f_bw.tiff",
    "image-rs/tests__images__tiff__testsuite__rgb32f_color.tiff",
    "libheif/fuzzing__data__corpus__colors-with-alpha-thumbnail.heic",
    "libheif/fuzzing__data__corpus__colors-with-alpha.heic",
    "libjpeg-turbo-seeds/afl-testcases__gif_im__edges-only__images__id_000689_src_000131_op_havoc_rep_16_+cov.gif",
    "libjpeg-turbo-seeds/afl-testcases__jpeg__full__images__id_005071_sync_jpeg_turbo_src_003816.jpg",
    "pillow/Tests__images__avif__hopper.heif",
    "pillow/Tests__images__bmp__q__rgba16-4444.bmp",
    "pillow/Tests__images__hopper_unknown_pixel_mode.tif",
    "synthetic/png_1x65535.png",
    "thumbor/tests__fixtures__images__image.heic",
}
"""HEIC, floating-point TIFFs, bit fields, and long sides, which the manifest's decoders or its limits refuse."""


def corpus() -> Path:
    return Path(str(DATA)) / "corpus"


def test_every_file_is_an_image_or_refused_with_a_reason() -> None:
    with (corpus() / "manifest.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if (corpus() / "hostile" / row["file"]).is_file()]
    assert len(rows) > 2000
    wrong = []
    for row in rows:
        data = (corpus() / "hostile" / row["file"]).read_bytes()
        damaged = False
        try:
            image = decode(data)
        except PictureRefused as refused:
            outcome = refused.code if refused.reason else "no reason"
        else:
            outcome, damaged = "accept", image.damaged
            assert image.rgb.dtype == np.uint8
            assert image.rgb.ndim == 3
            longest = max(image.rgb.shape[:2])
            whole = min(longest_side(image.width, image.height, LONGEST_SIDE), max(image.height, image.width))
            least = MIN_REDUCED_SIDE * whole // LONGEST_SIDE
            on_sheet = image.pages > 1 and longest <= LONGEST_SIDE
            assert (
                on_sheet or longest == whole or (image.format == "jpeg" and (image.damaged or least <= longest < whole))
            )
        expected = row["expected_40MP_policy"]
        if expected == "accept" and outcome != EXCEPTIONS.get(row["file"], "accept"):
            wrong.append((row["file"], outcome))
        if (
            expected.startswith("refuse")
            and outcome == "accept"
            and "Pillow would accept" not in expected
            and row["file"] not in ACCEPTED_BY_US
            and not damaged
        ):
            wrong.append((row["file"], outcome))
    assert wrong == []


def test_a_photograph_looks_the_same_in_every_orientation() -> None:
    images = [decode(path.read_bytes()).rgb for path in sorted((corpus() / "exif").rglob("Landscape_*.jpg"))]
    assert len(images) >= 8
    assert len({image.shape for image in images}) == 1
    first = resize_square(images[0], 64).astype(int)
    for image in images[1:]:
        assert np.abs(resize_square(image, 64) - first).mean() < 12
