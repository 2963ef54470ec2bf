"""Faces: which are found and where, that their vectors are dlib's, and that a copy's is near the original's."""

from pathlib import Path

import numpy as np
import pytest

from shared.domain.people.face_card import EMBEDDER_FILE
from shared.domain.people.faces import FACE_DIMENSIONS, DetectedFace
from shared.vision.faces.finder import CLEAR_SCORE, FaceFinder, FacesMissing
from shared.vision.faces.network import Network
from shared.vision.faces.similarity import Similarity, fit
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels
from tests.images import pixels, shipped

# What dlib 20.0.1 returns for the pixels of `test_the_embedder_returns_what_dlib_returns`.
DLIB_DESCRIPTOR = """
-0.055008 0.065346 0.007126 0.013063 -0.172184 -0.00902 -0.004979 -0.167271 0.08772 -0.093686 0.193853 -0.117902
-0.291207 -0.036465 0.0508 0.150591 -0.132149 -0.164865 -0.158751 -0.061393 -0.015784 0.047986 0.068334 0.101886
-0.213446 -0.337128 -0.052465 -0.101097 0.05143 -0.078933 -0.092737 0.135167 -0.100903 0.018727 0.093244 0.078091
-0.040267 -0.101815 0.182863 -0.060898 -0.276797 -0.046516 0.03348 0.227351 0.315165 -0.056709 -0.000373 -0.079914
0.109235 -0.287262 0.038896 0.138986 0.062564 0.0865 0.015219 -0.150808 -0.035636 0.19469 -0.256026 -0.027878 0.033545
-0.130779 -0.005223 -0.080555 0.166372 0.136676 -0.158666 -0.153645 0.153102 -0.257633 -0.037596 0.103956 -0.1528
-0.209184 -0.329963 -0.030415 0.441846 0.181477 -0.178708 -0.055649 -0.045532 -0.01839 0.018743 0.060658 -0.069057
-0.108475 -0.117185 0.057 0.216161 -0.064748 -0.038898 0.26044 0.010536 -0.018537 0.051963 0.140552 -0.11077 -0.041664
-0.097534 -0.020254 -0.030468 -0.089354 0.047507 0.168405 -0.156076 0.242031 -0.030709 0.011012 0.006859 -0.053407
-0.03191 -0.044556 0.167578 -0.276755 0.09535 0.170256 0.088117 0.157088 -0.045289 0.04787 -0.040575 -0.041659
-0.17848 -0.049475 0.076101 -0.047853 0.023058 0.042724
"""


@pytest.fixture(scope="module")
def finder(faces_dir: Path) -> FaceFinder:
    return FaceFinder(faces_dir)


@pytest.fixture(scope="module")
def astronaut(finder: FaceFinder) -> DetectedFace:
    [face] = finder.find(pixels("astronaut.png"))
    return face


def turned(rgb: Pixels, degrees: float) -> Pixels:
    height, width = rgb.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    return np.asarray(cv2.warpAffine(rgb, matrix, (width, height)), dtype=np.uint8)


def halved(rgb: Pixels) -> Pixels:
    return np.asarray(cv2.resize(rgb, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def as_jpeg(rgb: Pixels, quality: int) -> Pixels:
    _, data = cv2.imencode(".jpg", rgb[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.ascontiguousarray(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), dtype=np.uint8)[:, :, ::-1])


def covered(rgb: Pixels) -> Pixels:
    """The astronaut without hair and forehead, which the detector is less sure about."""
    return np.concatenate([np.full_like(rgb[:105], 40), rgb[105:]])


def gray(rgb: Pixels) -> Pixels:
    return np.asarray(cv2.cvtColor(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB), dtype=np.uint8)


COPIES = {
    "JPEG of quality 30": lambda rgb: as_jpeg(rgb, 30),
    "half the size": halved,
    "mirrored": lambda rgb: np.ascontiguousarray(rgb[:, ::-1]),
    "turned by 20 degrees": lambda rgb: turned(rgb, 20),
    "turned by -20 degrees": lambda rgb: turned(rgb, -20),
    "turned by 90 degrees": lambda rgb: np.ascontiguousarray(np.rot90(rgb)),
    "turned by 270 degrees": lambda rgb: np.ascontiguousarray(np.rot90(rgb, 3)),
    "dark": lambda rgb: (rgb * 0.35).astype(np.uint8),
    "gray": gray,
}


def test_a_face_is_described_by_where_it_is_and_how_sure_that_is(astronaut: DetectedFace) -> None:
    left, top, width, height = astronaut.box
    assert (left + width / 2, top + height / 2) == pytest.approx((0.44, 0.24), abs=0.03)
    assert (width, height) == pytest.approx((0.19, 0.21), abs=0.02)
    assert astronaut.score >= CLEAR_SCORE
    assert astronaut.presence >= 0.99
    assert astronaut.eye_distance == pytest.approx(43, abs=2)
    assert astronaut.vector.shape == (FACE_DIMENSIONS,)
    assert astronaut.vector.dtype == np.float32


@pytest.mark.parametrize("copy", COPIES)
def test_a_copy_of_a_face_is_near_it(finder: FaceFinder, astronaut: DetectedFace, copy: str) -> None:
    [face] = finder.find(COPIES[copy](pixels("astronaut.png")))
    assert np.linalg.norm(face.vector - astronaut.vector) <= 0.25


def test_another_person_is_far(finder: FaceFinder, astronaut: DetectedFace) -> None:
    [face] = finder.find(pixels("camera.png"))
    assert np.linalg.norm(face.vector - astronaut.vector) >= 0.6


@pytest.mark.parametrize("name", ["chelsea.png", "coffee.png", "rocket.jpg", "horse.png", "text.png", "retina.jpg"])
def test_other_images_have_no_faces(finder: FaceFinder, name: str) -> None:
    assert finder.find(pixels(name)) == []


def test_faces_of_people_are_told_from_other_pictures_of_their_size(finder: FaceFinder) -> None:
    """The first 100 are faces, the others are not; both are 25 pixels a side. Every tenth is looked at."""
    images = np.load(shipped("lfw_subset.npy"))[::10]

    def found(image: Pixels) -> bool:
        large = cv2.resize((image * 255).astype(np.uint8), (200, 200), interpolation=cv2.INTER_CUBIC)
        framed = cv2.copyMakeBorder(large, 50, 50, 50, 50, cv2.BORDER_REPLICATE)
        return bool(finder.find(np.asarray(cv2.cvtColor(framed, cv2.COLOR_GRAY2RGB), dtype=np.uint8)))

    assert sum(map(found, images[:10])) >= 9
    assert not any(map(found, images[10:]))


def test_the_largest_face_comes_first_and_small_ones_are_found_beside_it(finder: FaceFinder) -> None:
    """The small one is too small for the whole image, and found in one of its parts."""
    large = pixels("astronaut.png")
    scene = np.full((1024, 1024, 3), 128, dtype=np.uint8)
    scene[:512, :512] = large
    scene[700:912, 800:1012] = cv2.resize(large, (212, 212), interpolation=cv2.INTER_AREA)
    first, second = finder.find(scene)
    assert first.eye_distance == pytest.approx(43, abs=2)
    assert second.eye_distance == pytest.approx(43 * 212 / 512, abs=1.5)
    assert second.box[0] > 0.75
    again = finder.find(scene)
    assert [face.box for face in again] == [first.box, second.box]


@pytest.mark.parametrize("place", [(0, 0), (330, 430), (500, 700)])
def test_small_faces_alone_in_a_large_image_are_found(finder: FaceFinder, place: tuple[int, int]) -> None:
    """A face of 4 % of the width of the image, which nothing larger draws attention to."""
    canvas = np.asarray(cv2.resize(pixels("coffee.png"), (1024, 768)), dtype=np.uint8)
    person = pixels("astronaut.png")[40:220, 130:310]
    small = np.asarray(cv2.resize(person, None, fx=0.45, fy=0.45, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    top, left = place
    canvas[top : top + len(small), left : left + small.shape[1]] = small
    [face] = finder.find(canvas)
    assert 15 <= face.eye_distance <= 22
    assert face.box[0] + face.box[2] / 2 == pytest.approx((left + small.shape[1] / 2) / 1024, abs=0.02)


def test_a_face_that_is_too_small_is_left_out(finder: FaceFinder) -> None:
    small = cv2.resize(pixels("astronaut.png"), (150, 150), interpolation=cv2.INTER_AREA)
    assert finder.find(np.asarray(small, dtype=np.uint8)) == []


def test_a_face_at_the_place_of_an_animal_is_left_out_unless_it_is_clear(finder: FaceFinder) -> None:
    clear = pixels("astronaut.png")
    unclear = covered(clear)
    [face] = finder.find(unclear)
    assert face.score < CLEAR_SCORE
    assert finder.find(unclear, animal=lambda _: 0.9) == []
    assert len(finder.find(unclear, animal=lambda _: 0.1)) == 1
    assert len(finder.find(clear, animal=lambda _: 0.9)) == 1


def test_the_place_that_is_judged_is_the_face(finder: FaceFinder, astronaut: DetectedFace) -> None:
    seen: list[Pixels] = []

    def look(part: Pixels) -> float:
        seen.append(part)
        return 0.0

    finder.find(covered(pixels("astronaut.png")), look)
    [part] = seen
    assert part.shape[0] == pytest.approx(astronaut.box[3] * 512, rel=0.15)
    assert part.shape[0] == pytest.approx(part.shape[1], abs=2)


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (900, 1), (30, 2000)])
def test_an_image_of_any_shape_can_be_looked_at(finder: FaceFinder, shape: tuple[int, int]) -> None:
    assert finder.find(np.full((*shape, 3), 90, dtype=np.uint8)) == []


def test_the_embedder_returns_what_dlib_returns(faces_dir: Path) -> None:
    """The network was read from dlib's file and built again; float16 weights differ by less than 0.001."""
    [vector] = Network(faces_dir / EMBEDDER_FILE).run(np.ascontiguousarray(pixels("astronaut.png")[50:200, 150:300]))
    expected = np.array([float(value) for value in DLIB_DESCRIPTOR.split()])
    assert np.linalg.norm(vector - expected) < 1e-3


def test_a_folder_without_networks_is_refused_with_the_command_that_makes_them(tmp_path: Path) -> None:
    with pytest.raises(FacesMissing, match="make faces"):
        FaceFinder(tmp_path)


def test_a_similarity_is_fitted_to_points() -> None:
    known = Similarity(2 * np.exp(0.7j), 5 - 3j)
    points = np.random.default_rng(3).uniform(0, 100, (5, 2))
    fitted = fit(points, known.apply(points))
    assert [fitted.turn, fitted.shift] == pytest.approx([known.turn, known.shift])
    assert fitted.inverse().apply(known.apply(points)) == pytest.approx(points)


@pytest.mark.parametrize("reduction", [1, 4])
def test_a_cut_shows_the_part_and_black_outside(reduction: int) -> None:
    """What is cut smaller is averaged: a pattern of single pixels becomes gray."""
    rgb = np.zeros((80, 80, 3), dtype=np.uint8)
    rgb[::2] = 200
    cut = Similarity(1 / reduction, 8).cut(rgb, 16)
    assert not cut[:, :7].any()
    inside = cut[2:14, 9:15]
    if reduction == 1:
        assert (inside == rgb[2:14, 1:7]).all()
    else:
        assert np.abs(inside.astype(int) - 100).max() <= 2
