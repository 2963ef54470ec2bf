"""The arguments that the local run and the emulated stack have in common."""

import argparse
from pathlib import Path

from shared.domain.people.face_card import CARD_FILE


def add_common(parser: argparse.ArgumentParser, *, images: str, closed: str) -> None:
    """Add `--port`, `--pictures`, `--model-dir`, `--faces-dir`, `--pdq` and `--closed`.

    Args:
        images, closed: help of the arguments whose effect differs.
    """
    parser.add_argument("--port", type=int, default=8000, help="port for the page and the API (default: %(default)s)")
    parser.add_argument(
        "--pictures", dest="images", type=lambda name: Path(name).expanduser(), help=f"folder to index, {images}"
    )
    parser.add_argument(
        "--model-dir",
        type=Path,
        default=Path(".build/model"),
        help="folder that `python -m layers.models.export` wrote (default: %(default)s)",
    )
    parser.add_argument(
        "--faces-dir",
        type=Path,
        default=Path(".build/faces"),
        help="folder that `make faces` wrote; without it, no collection can have faces on (default: %(default)s)",
    )
    parser.add_argument("--pdq", action="store_true", help="store the PDQ hash of each image, to exchange with peers")
    parser.add_argument("--closed", action="store_true", help=f"require keys, as in AWS; {closed}")


def faces_dir(args: argparse.Namespace) -> Path | None:
    """Return the folder of the networks for faces, or None if it does not hold them."""
    folder: Path = args.faces_dir
    return folder.resolve() if (folder / CARD_FILE).is_file() else None
