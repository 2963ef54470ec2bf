"""`hashes` and `match-hashes`: exchange perceptual hashes with programs that have no images."""

import csv
import re
import sys
from collections.abc import Iterator, Sequence
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

PDQ_DISTANCE: Final = 31
"""Bits that may differ by default, as for the server."""
AT_ONCE: Final = 100
"""Maximum number of hashes in one call."""

FORMULA: Final = "=+-@"
"""What a formula may begin with in a spreadsheet that opens a CSV file."""

HASH: Final = re.compile(r"(?<![0-9a-fA-F])(?:[0-9a-fA-F]{64}|[0-9a-fA-F]{16})(?![0-9a-fA-F])")
kind_option = click.option(
    "--kind", type=click.Choice([PHASH, PDQ]), default=PHASH, show_default=True, help="Kind of hash."
)


@click.command(epilog=EXIT_CODES)
@collection_option
@kind_option
@url_option
def hashes(collection: str | None, kind: str, url: str | None) -> None:
    """Print the hash of each image as CSV.

    Of `pdq` these are the columns of `pdq-photo-hasher` (hash, quality, file name) and the image id. Where the server
    does not store its hashes, they are computed here, from images that are downloaded.
    """
    with client(url) as api:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(
            ["hash", "quality", "filename", "image_id"] if kind == PDQ else ["hash", "filename", "image_id"]
        )
        for image in api.images(collection=collection, order="oldest"):
            writer.writerow([*_hash(api, image, kind, collection), _inert(image["filename"]), image["image_id"]])


@click.command(name="match-hashes", epilog=EXIT_CODES)
@click.argument("file", type=click.File(encoding="utf-8"))
@collection_option
@click.option(
    "--distance", type=click.IntRange(0, 64), help="Maximum number of bits that differ [default: 10; PDQ: 31]"
)
@url_option
@json_option
def match_hashes(file: TextIO, collection: str | None, distance: int | None, url: str | None, as_json: bool) -> None:
    """Find the images of a collection that are near a hash in FILE.

    FILE is any text: the first word of 16 hex digits (pHash) or 64 (PDQ) in a line is its hash. So it reads lists of
    imagehash, `pdq-photo-hasher` and HMA. `-` reads the standard input.
    """
    wanted: dict[str, list[str]] = {}
    for line in file:
        if found := HASH.search(line):
            wanted.setdefault(DIGITS[len(found[0])], []).append(found[0].lower())
    if not wanted:
        raise click.UsageError(f"{Path(file.name).name} has no hash: 16 hex digits for pHash, 64 for PDQ")
    with client(url) as api:
        matches = [
            match for kind, values in wanted.items() for match in _matches(api, collection, kind, values, distance)
        ]
    matches.sort(key=lambda match: match["distance"])
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
    api: Client, collection: str | None, kind: str, values: Sequence[str], distance: int | None
) -> Iterator[dict[str, Any]]:
    """Yield what the server finds, and what is near among the images of which it has no hash."""
    distinct = list(dict.fromkeys(values))
    without_hash = 0
    for start in range(0, len(distinct), AT_ONCE):
        query: Any = {kind: distinct[start : start + AT_ONCE]}
        cursor = None
        while True:
            page = api.search_hashes(**query, collection=collection, distance=distance, limit=100, cursor=cursor)
            for found in page["matches"]:
                yield _match(found["hash_distance"], kind, found["hash"], found["image"])
            without_hash += page["without_hash"]
            cursor = page["cursor"]
            if cursor is None:
                break
    if without_hash:
        for image in api.images(collection=collection):
            if image["pdq"] is None:
                own = int(_hash(api, image, kind, collection)[0], 16)
                for value in distinct:
                    bits = (own ^ int(value, 16)).bit_count()
                    if bits <= (PDQ_DISTANCE if distance is None else distance):
                        yield _match(bits, kind, value, image)


def _inert(filename: str | None) -> str | None:
    """Return a name as the path of the same file that no spreadsheet runs as a formula: strangers choose names."""
    return f"./{filename}" if filename and filename[0] in FORMULA else filename


def _match(bits: int, kind: str, value: str, image: Image) -> dict[str, Any]:
    return {
        "distance": bits,
        "kind": kind,
        "hash": value,
        "filename": image["filename"],
        "image_id": image["image_id"],
    }


def _hash(api: Client, image: Image, kind: str, collection: str | None) -> list[str]:
    """The hash of an image; of PDQ, also its quality."""
    if kind == PHASH:
        return [image["phash"]]
    if image["pdq"] is not None:
        return [image["pdq"], str(image["pdq_quality"])]
    return _pdq(api.download(image["image_id"], collection=collection))


def _pdq(data: bytes) -> list[str]:
    """The PDQ hash of an image file, and its quality from 0 to 100."""
    try:
        import io

        import numpy as np
        import pdqhash
        from PIL import Image as Pillow
    except ImportError:
        raise click.UsageError(
            "The server has no PDQ hash of some images. To compute it here: pip install './clients/python[pdq]'"
        ) from None
    with Pillow.open(io.BytesIO(data)) as opened:
        bits, quality = pdqhash.compute(np.asarray(opened.convert("RGB")))
    return [np.packbits(bits).tobytes().hex(), str(quality)]
