"""Every kind of file that people have is shown as a person sees it, or refused with a sentence; files are made here."""

import hashlib
import io
import json
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from PIL import Image

from bench.formats import kinds
from bench.formats.kinds import PHOTO, Kind, encoded
from shared.domain.errors import PictureRefused
from shared.vision.decode.decoding import decode, decode_in_process
from shared.vision.thumbnail import thumbnail

SAMPLES: Final = Path(__file__).parents[1] / "data" / "decoding"
MADE: Final = {kind.name + kind.group: kind for kind in kinds.everything()}
GROUPS: Final = tuple(dict.fromkeys(kind.group for kind in MADE.values()))


def difference(kind: Kind) -> float | None:
    """Return the mean difference from what a person sees, or None if the file is refused."""
    try:
        shown = decode_in_process(kind.data).rgb
    except PictureRefused as refused:
        assert refused.reason.endswith(".")
        return None
    if kind.shown is None:
        return 255.0
    expected = kind.shown[: len(shown)] if "cut at" in kind.name else kind.shown
    return float(np.abs(shown.astype(int) - expected).mean()) if shown.shape == expected.shape else 255.0


@pytest.mark.parametrize("group", GROUPS)
def test_every_kind_is_shown_as_a_person_sees_it(group: str) -> None:
    found = {kind.name: difference(kind) for kind in MADE.values() if kind.group == group}
    wrong = {
        kind.name: found[kind.name]
        for kind in MADE.values()
        if kind.group == group
        and (found[kind.name] is not None if kind.shown is None else (found[kind.name] or 0) > kind.tolerance)
    }
    refused = [k.name for k in MADE.values() if k.group == group and k.shown is not None and found[k.name] is None]
    assert (wrong, refused) == ({}, [])


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("end", [b"", b"\xff\xd9"], ids=["without an end", "with an end"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_a_jpeg_that_is_cut_off_is_marked_and_shown_without_its_gray_remainder(
    share: float, end: bytes, orientation: int
) -> None:
    whole = encoded(Image.fromarray(PHOTO), "JPEG", quality=92, exif=kinds.exif(orientation))
    found = decode(whole[: int(len(whole) * share)] + end)
    assert found.damaged
    assert abs(found.intact - share) < 0.2
    height, width = PHOTO.shape[:2]
    assert (found.width, found.height) == ((width, height) if orientation == 1 else (height, width))
    rows = found.rgb if orientation == 1 else np.rot90(found.rgb)
    assert len(rows) == round(found.intact * height)
    assert np.abs(rows.astype(int) - PHOTO[: len(rows)]).mean() < 4


def test_a_jpeg_that_lacks_only_its_end_is_marked_and_whole() -> None:
    whole = encoded(Image.fromarray(PHOTO), "JPEG", quality=92)
    found = decode(whole[:-2])
    assert (found.damaged, found.intact) == (True, 1.0)
    assert np.array_equal(found.rgb, decode(whole).rgb)


def test_a_whole_jpeg_with_a_gray_corner_is_not_damaged() -> None:
    gray = PHOTO.copy()
    gray[-64:] = 128
    for progressive in (False, True):
        found = decode(encoded(Image.fromarray(gray), "JPEG", quality=95, progressive=progressive))
        assert (found.damaged, found.intact, len(found.rgb)) == (False, 1.0, len(gray))


def test_a_thumbnail_has_the_colours_of_the_original_and_no_profile() -> None:
    data = encoded(kinds.image_in("ProPhoto"), "JPEG", quality=95, icc_profile=kinds.spaces.profile("ProPhoto"))
    small = thumbnail(decode(data).rgb)
    shown = Image.open(io.BytesIO(small))
    assert "icc_profile" not in shown.info
    expected = Image.fromarray(PHOTO).resize(shown.size, Image.Resampling.BOX)
    assert np.abs(np.asarray(shown.convert("RGB")).astype(int) - np.asarray(expected)).mean() < 5


def test_camera_raw_has_the_size_of_its_sensor_and_its_own_format() -> None:
    preview = encoded(Image.fromarray(PHOTO).resize((800, 600)), "JPEG")
    data = kinds.raw(b"II*\0", b"NIKON CORPORATION\0", {}, preview)
    found = decode(data)
    assert (found.format, found.width, found.height) == ("nef", 800, 600)
    larger = data.replace(b"\xa0\0\0\0", b"\x40\x1f\0\0", 1).replace(b"\x6b\0\0\0", b"\x70\x17\0\0", 1)
    assert (decode(larger).width, decode(larger).height) == (8000, 6000)


def test_a_photograph_of_200_megapixels_is_decoded() -> None:
    large = encoded(Image.fromarray(PHOTO[:250, :200]).resize((16_000, 12_500), Image.Resampling.NEAREST), "JPEG")
    found = decode(large)
    assert (found.width, found.height, max(found.rgb.shape)) == (16_000, 12_500, 1024)


def test_a_screenshot_of_30_000_pixels_keeps_a_quarter_of_the_usual_width() -> None:
    page = Image.fromarray(PHOTO).resize((1080, 30_000), Image.Resampling.NEAREST)
    found = decode(encoded(page, "PNG", compress_level=1))
    assert (found.width, found.height) == (1080, 30_000)
    assert min(found.rgb.shape[:2]) >= 256


def test_pixels_of_lossy_files_do_not_change_with_the_versions_of_the_decoders() -> None:
    """The wheels are pinned; an update that decodes otherwise changes features, and must be seen."""
    golden = json.loads((SAMPLES / "pixels.json").read_text(encoding="utf-8"))
    found = {
        path.name: hashlib.sha256(decode(path.read_bytes()).rgb.tobytes()).hexdigest()
        for path in sorted(SAMPLES.glob("gradient.*"))
    }
    assert found == golden
