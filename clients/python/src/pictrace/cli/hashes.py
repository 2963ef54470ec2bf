"""`hashes` and `match-hashes`: exchange perceptual hashes with programs that have no images."""

import csv
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TextIO

import click

from pictrace.answers import Image
from pictrace.cli.common import (
    EXIT_CODES,
    cell,
    client,
    collection_option,
    console,
    json_option,
    plain_table,
    print_json,
    url_option,
)
from pictrace.client import Client

PHASH, PDQ = "phash", "pdq"
DIGITS: Final = {16: PHASH, 64: PDQ}
"""The kind of a hash by its number of hex digits."""

DISTANCES: Final = {PHASH: 10, PDQ: 31}
"""Bits that may differ by default; 31 of 256 is what PDQ's authors recommend."""

HASH: Final = re.compile(r"(?<![0-9a-fA-F])(?:[0-9a-fA-F]{64}|[0-9a-fA-F]{16})(?![0-9a-fA-F])")
kind_option = click.option(
    "--kind", type=click.Choice([PHASH, PDQ]), default=PHASH, show_default=True, help="PDQ needs `pictrace[pdq]`."
)


@click.command(epilog=EXIT_CODES)
@collection_option
@kind_option
@url_option
def hashes(collection: str | None, kind: str, url: str | None) -> None:
    """Print the hash of each image as CSV.

    Of `pdq` these are the columns of `pdq-photo-hasher` (hash, quality, file name) and the image id. Its hashes are
    computed here, from images that are downloaded.
    """
    with client(url) as api:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(
            ["hash", "quality", "filename", "image_id"] if kind == PDQ else ["hash", "filename", "image_id"]
        )
        for image in api.images(collection=collection, order="oldest"):
            writer.writerow([*_hash(api, image, kind, collection), image["filename"], image["image_id"]])


@click.command(name="match-hashes", epilog=EXIT_CODES)
@click.argument("file", type=click.File(encoding="utf-8"))
@collection_option
@click.option(
    "--distance", type=click.IntRange(0, 256), help="Maximum number of bits that differ [default: 10; PDQ: 31]"
)
@url_option
@json_option
def match_hashes(file: TextIO, collection: str | None, distance: int | None, url: str | None, as_json: bool) -> None:
    """Find the images of a collection that are near a hash in FILE.

    FILE is any text: the first word of 16 hex digits (pHash) or 64 (PDQ) in a line is its hash. So it reads lists of
    imagehash, `pdq-photo-hasher` and HMA. `-` reads the standard input.
    """
    wanted: dict[str, list[tuple[int, str]]] = {}
    for line in file:
        if found := HASH.search(line):
            wanted.setdefault(DIGITS[len(found[0])], []).append((int(found[0], 16), found[0].lower()))
    if not wanted:
        raise click.UsageError(f"{Path(file.name).name} has no hash: 16 hex digits for pHash, 64 for PDQ")
    with client(url) as api:
        matches = list(_matches(api, collection, wanted, distance))
    if as_json:
        print_json({"matches": matches})
        return
    table = plain_table()
    for name in ("bits", "hash", "file", "image id"):
        table.add_column(name, no_wrap=True, justify="right" if name == "bits" else "left")
    for match in matches:
        short = (str(match["distance"]), match["hash"][:16], match["filename"], match["image_id"][:12])
        table.add_row(*map(cell, short))
    if matches:
        console().print(table)
    else:
        click.echo("No matches.")


def _matches(
    api: Client, collection: str | None, wanted: dict[str, list[tuple[int, str]]], distance: int | None
) -> Iterator[dict[str, Any]]:
    for image in api.images(collection=collection, order="oldest"):
        for kind, listed in wanted.items():
            own = int(_hash(api, image, kind, collection)[0], 16)
            for value, text in listed:
                bits = (own ^ value).bit_count()
                if bits <= (DISTANCES[kind] if distance is None else distance):
                    yield {
                        "distance": bits,
                        "kind": kind,
                        "hash": text,
                        "filename": image["filename"],
                        "image_id": image["image_id"],
                    }


def _hash(api: Client, image: Image, kind: str, collection: str | None) -> list[str]:
    """The hash of an image; of PDQ, also its quality."""
    return [image["phash"]] if kind == PHASH else _pdq(api.download(image["image_id"], collection=collection))


def _pdq(data: bytes) -> list[str]:
    """The PDQ hash of an image file, and its quality from 0 to 100."""
    try:
        import io

        import numpy as np
        import pdqhash
        from PIL import Image as Pillow
    except ImportError:
        raise click.UsageError("PDQ needs more packages: pip install 'pictrace[pdq]'") from None
    with Pillow.open(io.BytesIO(data)) as opened:
        bits, quality = pdqhash.compute(np.asarray(opened.convert("RGB")))
    return [np.packbits(bits).tobytes().hex(), str(quality)]
