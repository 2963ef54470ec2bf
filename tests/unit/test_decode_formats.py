"""Every kind of file that people have is shown as a person sees it, or refused with a sentence; files are made here."""

import hashlib
import io
import json
import time
from functools import partial
from pathlib import Path
from typing import Any, Final

import imagecodecs
import numpy as np
import pytest
from PIL import Image as PillowImage

from bench.formats import kinds, spaces
from bench.formats.combinations import combinations
from bench.formats.kinds import PHOTO, Kind, encoded
from shared.domain.errors import PictureRefused
from shared.domain.limits import MAX_DECODE_CPU_SECONDS, MAX_PAGES_SEARCHED
from shared.domain.matches import Ranking, Verdict
from shared.vision.decode.decoders import decode_in_process
from shared.vision.decode.decoding import Image, decode
from shared.vision.keypoints import QUERY_KEYPOINTS
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels
from shared.vision.ranking import compare
from shared.vision.signature import extract
from shared.vision.thumbnail import thumbnail

SAMPLES: Final = Path(__file__).parents[1] / "data" / "decoding"
MADE: Final = {kind.name + kind.group: kind for kind in (*kinds.everything(), *combinations())}
GROUPS: Final = tuple(dict.fromkeys(kind.group for kind in MADE.values()))


def in_its_size(found: Image) -> Pixels:
    """Return the pixels; of a sheet, those of the first page on it, in its own size."""
    if not found.shown:
        return found.rgb
    return cv2.resize(found.cover, (found.width, found.height), interpolation=cv2.INTER_AREA).astype(np.uint8)


def difference(kind: Kind) -> float | None:
    """Return the mean difference from what a person sees, or None if the file is refused."""
    try:
        shown = in_its_size(decode_in_process(kind.data))
    except PictureRefused:
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
    whole = encoded(PillowImage.fromarray(PHOTO), "JPEG", quality=92, exif=kinds.exif(orientation))
    found = decode(whole[: int(len(whole) * share)] + end)
    assert found.damaged
    assert abs(found.intact - share) < 0.2
    height, width = PHOTO.shape[:2]
    assert (found.width, found.height) == ((width, height) if orientation == 1 else (height, width))
    rows = found.rgb if orientation == 1 else np.rot90(found.rgb)
    assert len(rows) == round(found.intact * height)
    assert np.abs(rows.astype(int) - PHOTO[: len(rows)]).mean() < 4


def test_a_jpeg_that_lacks_only_its_end_is_marked_and_whole() -> None:
    whole = encoded(PillowImage.fromarray(PHOTO), "JPEG", quality=92)
    found = decode(whole[:-2])
    assert (found.damaged, found.intact) == (True, 1.0)
    assert np.array_equal(found.rgb, decode(whole).rgb)


def test_a_whole_jpeg_with_a_gray_corner_is_not_damaged() -> None:
    gray = PHOTO.copy()
    gray[-64:] = 128
    for progressive in (False, True):
        found = decode(encoded(PillowImage.fromarray(gray), "JPEG", quality=95, progressive=progressive))
        assert (found.damaged, found.intact, len(found.rgb)) == (False, 1.0, len(gray))


def test_measured_values_are_not_black() -> None:
    """Negative values, and pixels that have none, as elevations and scans of bodies have them."""
    gray = kinds.GRAY.astype(np.float32)
    for values in (
        gray - 300,
        gray * 1e-4,
        np.where(gray < 20, np.nan, gray * 50 - 9000),
        np.where(gray < 20, -3.4e38, gray - 1),
    ):
        shown = decode(kinds.tiff(values.astype(np.float32), photometric="minisblack")).rgb[:, :, 0].astype(int)
        there = gray >= 20
        assert np.corrcoef(shown[there], gray[there])[0, 1] > 0.99
        assert np.ptp(shown[there]) > 200
    ringing = gray / 255
    ringing[0, :9] = -0.05
    assert np.abs(decode(kinds.tiff(ringing, photometric="minisblack")).rgb[9:, :, 0].astype(int) - gray[9:]).max() <= 1


def test_a_thumbnail_has_the_colours_of_the_original_and_no_profile() -> None:
    data = encoded(kinds.image_in("ProPhoto"), "JPEG", quality=95, icc_profile=spaces.profile("ProPhoto"))
    small = thumbnail(decode(data).rgb)
    shown = PillowImage.open(io.BytesIO(small))
    assert "icc_profile" not in shown.info
    expected = PillowImage.fromarray(PHOTO).resize(shown.size, PillowImage.Resampling.BOX)
    assert np.abs(np.asarray(shown.convert("RGB")).astype(int) - np.asarray(expected)).mean() < 5


def test_camera_raw_has_the_size_of_its_sensor_and_its_own_format() -> None:
    preview = encoded(PillowImage.fromarray(PHOTO).resize((800, 600)), "JPEG")
    data = kinds.raw(b"II*\0", b"NIKON CORPORATION\0", {}, preview)
    found = decode(data)
    assert (found.format, found.width, found.height) == ("nef", 800, 600)
    larger = data.replace(b"\xa0\0\0\0", b"\x40\x1f\0\0", 1).replace(b"\x6b\0\0\0", b"\x70\x17\0\0", 1)
    assert (decode(larger).width, decode(larger).height) == (8000, 6000)


def test_a_photograph_of_200_megapixels_is_decoded() -> None:
    large = encoded(
        PillowImage.fromarray(PHOTO[:250, :200]).resize((16_000, 12_500), PillowImage.Resampling.NEAREST), "JPEG"
    )
    found = decode(large)
    assert (found.width, found.height, max(found.rgb.shape)) == (16_000, 12_500, 1024)


def test_a_screenshot_of_30_000_pixels_keeps_a_quarter_of_the_usual_width() -> None:
    page = PillowImage.fromarray(PHOTO).resize((1080, 30_000), PillowImage.Resampling.NEAREST)
    found = decode(encoded(page, "PNG", compress_level=1))
    assert (found.width, found.height) == (1080, 30_000)
    assert min(found.rgb.shape[:2]) >= 256


def drawn(seed: int, size: tuple[int, int] = (320, 240)) -> PillowImage.Image:
    """Return an image of coloured rectangles that is like no other one."""
    rng = np.random.default_rng(seed)
    page = np.full((size[1], size[0], 3), 245, np.uint8)
    for _ in range(60):
        x, y, w, h = rng.integers(0, size[0] - 40), rng.integers(0, size[1] - 40), *rng.integers(8, 40, 2)
        page[y : y + h, x : x + w] = rng.integers(0, 255, 3)
    return PillowImage.fromarray(page)


@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("GIF", {"duration": 100}),
        ("WEBP", {"duration": 100, "lossless": True}),
        ("PNG", {"duration": 100}),
        ("AVIF", {"duration": 100, "quality": 95}),
        ("TIFF", {}),
        ("MPO", {"quality": 95}),
    ],
)
def test_pages_and_scenes_that_differ_are_on_one_sheet(form: str, options: dict[str, Any]) -> None:
    scenes = [drawn(seed) for seed in range(3)]
    data = encoded(scenes[0], form, save_all=True, append_images=scenes[1:], **options)
    found = decode(data)
    assert (found.pages, found.width, found.height) == (3, 320, 240)
    assert found.rgb.shape == (768, 1024, 3)
    assert found.cover.shape == (240, 320, 3)
    for number, scene in enumerate(scenes):
        top, left = number // 2 * 384, number % 2 * 512
        cell = found.rgb[top : top + 384, left : left + 512]
        assert np.abs(cell.astype(int) - np.asarray(scene.resize((512, 384)))).mean() < 8
        assert np.abs(found.shown[number].rgb.astype(int) - np.asarray(scene)).mean() < 8
    assert [page.number for page in found.shown] == [1, 2, 3]
    animated = "duration" in options
    assert [page.seconds for page in found.shown] == ([0, 0.1, 0.2] if animated else [None] * 3)


def test_a_preview_and_a_gain_map_in_a_jpeg_are_not_images_of_their_own() -> None:
    scene, other = drawn(6), drawn(7)
    preview = decode(encoded(scene, "MPO", save_all=True, append_images=[other.resize((160, 120))]))
    gain_map = encoded(scene, "MPO", save_all=True, append_images=[other], exif=b"Exif\0\0hdrgm:Version")
    for found in (preview, decode(gain_map)):
        assert (found.pages, found.rgb.shape) == (1, (240, 320, 3))


def test_only_so_many_pages_as_are_stated_are_looked_at() -> None:
    pages = [drawn(seed) for seed in range(20, 20 + MAX_PAGES_SEARCHED + 2)]
    found = decode(encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
    assert found.pages == len(pages)
    assert [page.number for page in found.shown] == list(range(1, MAX_PAGES_SEARCHED + 1))


def test_an_animation_that_fades_in_is_represented_by_what_it_shows() -> None:
    scene = np.asarray(drawn(4))
    steps = [PillowImage.fromarray((scene * share).astype(np.uint8)) for share in (0, 0.3, 0.6, 1)]
    found = decode(encoded(steps[0], "WEBP", save_all=True, append_images=steps[1:], lossless=True, duration=100))
    assert found.pages == 4
    assert np.abs(found.rgb.astype(int) - scene).mean() < 1
    assert [(page.number, round(page.seconds or 0, 2)) for page in found.shown] == [(4, 0.3)]


def test_an_animation_of_one_scene_is_represented_by_its_first_frame() -> None:
    scene = np.asarray(drawn(5))
    moved = [PillowImage.fromarray(np.roll(scene, shift, axis=1)) for shift in range(4)]
    found = decode(encoded(moved[0], "WEBP", save_all=True, append_images=moved[1:], lossless=True, duration=100))
    assert (found.pages, found.rgb.shape) == (4, scene.shape)
    assert np.array_equal(found.rgb, scene)


def test_a_page_is_found_in_its_file_and_files_with_one_cover_sheet_are_not_near_duplicates() -> None:
    cover, *others = (drawn(seed, (400, 560)) for seed in range(10, 14))
    first, second = (
        extract(decode(encoded(cover, "TIFF", save_all=True, append_images=pages)).rgb)
        for pages in (others[:2], others[2:])
    )
    page = extract(decode(encoded(others[1], "PNG")).rgb, keypoints=QUERY_KEYPOINTS)
    compared = partial(compare, cosine=None, ranking=Ranking.FUSED)
    assert compared(page, first).verdict is Verdict.NEAR_DUPLICATE
    assert compared(page, second).verdict is Verdict.UNRELATED
    assert compared(first, second).verdict is not Verdict.NEAR_DUPLICATE


def test_a_long_animation_costs_a_limited_amount() -> None:
    frames = [drawn(seed, (640, 480)) for seed in range(6)]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames * 60, duration=20)
    started = time.process_time()
    assert decode_in_process(data).pages == 360
    assert time.process_time() - started < MAX_DECODE_CPU_SECONDS


def test_pixels_of_lossy_files_do_not_change_with_the_versions_of_the_decoders() -> None:
    """The wheels are pinned; an update that decodes otherwise changes features, and must be seen."""
    golden = json.loads((SAMPLES / "pixels.json").read_text(encoding="utf-8"))
    found = {
        path.name: hashlib.sha256(decode(path.read_bytes()).rgb.tobytes()).hexdigest()
        for path in sorted(SAMPLES.glob("gradient.*"))
    }
    assert found == golden


@pytest.mark.parametrize(
    ("data", "described"),
    [
        (imagecodecs.jpeg_encode(PHOTO.astype(np.uint16) * 16, bitspersample=12), "a JPEG of 12 bits a colour"),
        (imagecodecs.ljpeg_encode(PHOTO.astype(np.uint16)[:, :, 0] * 257), "a lossless JPEG of 16 bits a colour"),
        (imagecodecs.jpegls_encode(PHOTO), "a JPEG-LS image"),
    ],
    ids=["12 bits", "lossless", "JPEG-LS"],
)
def test_a_jpeg_that_is_not_decoded_is_refused_by_its_name(data: bytes, described: str) -> None:
    with pytest.raises(PictureRefused) as refused:
        decode(data)
    assert refused.value.code == "unsupported_type"
    assert refused.value.reason.startswith(f"The file is {described}, ")
