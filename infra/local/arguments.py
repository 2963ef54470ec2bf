"""The arguments that the local run and the emulated stack have in common."""

import argparse
from pathlib import Path


def add_common(parser: argparse.ArgumentParser, *, images: str, closed: str) -> None:
    """Add `--port`, `--pictures`, `--model-dir` and `--closed`.

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
    parser.add_argument("--closed", action="store_true", help=f"require keys, as in AWS; {closed}")
