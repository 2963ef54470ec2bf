"""Indexing of sample images or a folder when a local run starts, through the API as any client does it."""

from collections.abc import Sequence
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from infra.operate.add_report import AddReport, summary
from infra.operate.local_files import FoundFile, files_below
from infra.operate.upload_client import ServerFailed, UploadClient
from infra.operate.uploader import AddResult, Uploader
from shared.domain.limits import DEFAULT_COLLECTION

__all__ = ["ServerFailed", "index", "list_files", "sample_images", "summary"]

SAMPLES: Final = (
    "astronaut.png",
    "brick.png",
    "camera.png",
    "chelsea.png",
    "coffee.png",
    "coins.png",
    "grass.png",
    "gravel.png",
    "hubble_deep_field.jpg",
    "ihc.png",
    "moon.png",
    "motorcycle_left.png",
    "motorcycle_right.png",
    "page.png",
    "retina.jpg",
    "rocket.jpg",
)
"""Images in the scikit-image wheel."""


def sample_images() -> list[Path]:
    found = find_spec("skimage")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("scikit-image, which holds the sample images, is not installed")
    return [Path(found.origin).parent / "data" / name for name in SAMPLES]


def list_files(folder: Path) -> list[Path]:
    """Return all files below `folder`, sorted, except hidden ones."""
    return list(files_below(folder))


def index(
    api_url: str, paths: Sequence[Path], collection: str = DEFAULT_COLLECTION, key: str | None = None
) -> list[AddResult]:
    """Add files and wait until each is indexed, a duplicate or rejected, with a progress bar.

    Args:
        key: an API key, if the API requires one.

    Raises:
        ServerFailed: the API cannot be used.
    """
    report = AddReport(api_url, collection)
    with UploadClient(api_url, key, collection) as client:
        uploader = Uploader(client)
        uploader.look_up(len(paths))
        with closing(uploader.add_all(map(FoundFile, paths))) as results:
            return list(report.follow(results, len(paths)))
