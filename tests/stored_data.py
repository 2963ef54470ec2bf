"""Store what this version stores, for later versions to read: `python -m tests.stored_data` writes tests/data/stored.

`folder-<version>.tar.gz` is a data folder with two images, one a copy of the other. `table-<version>.json.gz`
are the table's items and the bucket's objects, dumped from an emulated stack of that version.
"""

import gzip
import io
import json
import tarfile
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np

from infra.local.data_folder import data_folder
from infra.local.serving import bind, serving
from infra.local.system import local_system
from pictrace import Client
from shared.version import VERSION
from shared.vision.opencv import cv2
from tests.images import encoded, pixels

STORED: Final = Path(__file__).with_name("data") / "stored"
COLLECTION: Final = "kept"


def images() -> dict[str, bytes]:
    """The two images, by file name."""
    small = cv2.resize(pixels("chelsea.png"), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA).astype(np.uint8)
    return {"cat.jpg": encoded(small, ".jpg"), "cat-crop.png": encoded(small[10:, 10:], ".png")}


def table(version: str) -> dict[str, Any]:
    """The bucket's name, the table's items and the bucket's objects that a version stored."""
    stored: dict[str, Any] = json.loads(gzip.decompress((STORED / f"table-{version}.json.gz").read_bytes()))
    return stored


def unpack_folder(version: str, target: Path) -> None:
    """Write the data folder that a version stored to `target`."""
    with tarfile.open(STORED / f"folder-{version}.tar.gz") as archive:
        archive.extractall(target, filter="data")


def write_folder(model_dir: Path) -> Path:
    """Store a data folder of this version."""
    target = STORED / f"folder-{VERSION}.tar.gz"
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        with (
            data_folder(temporary) as folder,
            bind(0) as listener,
            local_system(folder, model_dir, closed=False) as system,
            serving(system.app, listener) as url,
            Client(url) as client,
        ):
            for name, data in images().items():
                client.add(data, filename=name, collection=COLLECTION)
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            archive.add(temporary, arcname=".", filter=_anonymous)
        target.write_bytes(gzip.compress(buffer.getvalue(), mtime=0))
    return target


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Without the owner's name."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


if __name__ == "__main__":
    print(write_folder(Path(".build/model").resolve()))
