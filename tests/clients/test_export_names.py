"""Where `pictrace export` saves an image, whatever its record says."""

from pathlib import Path
from typing import Any

import pytest

from pictrace.cli.exporting import _Files


@pytest.mark.parametrize(
    "given",
    [
        {"filename": "../../a.png"},
        {"filename": "..\\..\\a.png"},
        {"filename": "/a.png"},
        {"filename": None, "image_id": "../../a"},
        {"filename": "..", "image_id": "/a"},
        {"filename": None, "format": "/../../a"},
        {"filename": "a.png", "image_id": "x/../../a"},
    ],
)
def test_no_image_is_saved_outside_the_folder(tmp_path: Path, given: dict[str, Any]) -> None:
    folder = tmp_path / "x" / "y"
    folder.mkdir(parents=True)
    record: Any = {"image_id": "0" * 64, "format": "png", "filename": None, **given}
    files = _Files(folder)
    names = [files.add(record, b"x") for _ in range(2)]
    saved = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(saved) == sorted(folder / name for name in names)
    assert len(names) == len(set(names))
