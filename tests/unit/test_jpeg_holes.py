"""A JPEG with a hole, in whose place are zeros or erased memory, is marked and shown as far as it goes."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from shared.vision.decode import headers
from shared.vision.decode.decoders import decode_in_process
from shared.vision.pixels import Pixels
from tests.images import pixels

PHOTO = pixels("coffee.png")
ZEROS, ERASED = b"\0", b"\xff"


def encoded(rgb: Pixels, **options: Any) -> bytes:
    out = io.BytesIO()
    Image.fromarray(rgb).save(out, "JPEG", quality=90, **options)
    return out.getvalue()


def with_hole(data: bytes, share: float, fill: bytes, size: int = 600) -> bytes:
    at = int(len(data) * share)
    return data[:at] + size * fill + data[at + size :]


@pytest.mark.parametrize("fill", [ZEROS, ERASED], ids=["zeros", "erased"])
@pytest.mark.parametrize(
    "options", [{}, {"optimize": True}, {"restart_marker_rows": 1}], ids=["plain", "optimised", "restarts"]
)
@pytest.mark.parametrize("share", [0.3, 0.8])
def test_what_follows_a_hole_is_not_shown(options: dict[str, object], share: float, fill: bytes) -> None:
    whole = encoded(PHOTO, **options)
    found = decode_in_process(with_hole(whole, share, fill))
    assert found.damaged
    assert abs(found.intact - share) < 0.2
    assert (found.width, found.height) == PHOTO.shape[1::-1]
    # The last row of blocks may be incomplete, so its colours are not all there.
    rows = found.rgb[:-16].astype(int)
    assert np.abs(rows - PHOTO[: len(rows)]).mean() < 5


def test_a_file_that_ends_in_zeros_is_cut_off_where_they_begin() -> None:
    whole = encoded(PHOTO)
    found = decode_in_process(whole[: len(whole) // 2].ljust(len(whole), ZEROS))
    assert found.damaged
    assert found.intact < 0.7


def test_a_progressive_jpeg_with_a_hole_is_shown_as_its_earlier_scans_have_it() -> None:
    whole = encoded(PHOTO, progressive=True)
    for fill, share in ((ZEROS, 0.3), (ERASED, 0.3), (ERASED, 0.8)):
        found = decode_in_process(with_hole(whole, share, fill))
        assert (found.damaged, found.intact) == (True, 1.0)
        assert np.abs(found.rgb.astype(int) - PHOTO).mean() < 8


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("ground", [0, 60, 255])
def test_areas_of_one_colour_are_no_holes(ground: int, progressive: bool) -> None:
    page = np.full((1200, 1600, 3), ground, np.uint8)
    page[500:600, 200:900] = 255 - ground
    found = decode_in_process(encoded(page, optimize=True, progressive=progressive))
    assert (found.damaged, found.intact) == (False, 1.0)


def test_zeros_before_the_end_marker_are_no_hole() -> None:
    whole = encoded(PHOTO)
    found = decode_in_process(whole[:-2] + 400 * ZEROS + whole[-2:])
    assert (found.damaged, found.intact) == (False, 1.0)


def test_zeros_in_metadata_are_no_hole() -> None:
    data = encoded(PHOTO, comment=bytes(2000))
    assert headers.check(data).hole is None
