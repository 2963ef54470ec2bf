"""`export`: save the images of a collection and what is known of them."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Final

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pictrace.answers import Image
from pictrace.cli.common import EXIT_CODES, client, collection_option, json_option, print_json, url_option
from pictrace.client import Client
from pictrace.errors import NotFound

RECORDS: Final = "images.jsonl"
MAX_STEM: Final = 100
"""Characters of a name that are kept; file systems allow 255 bytes."""
EXTENSIONS: Final = {"jpeg": ".jpg", "tiff": ".tif"}
"""Of formats whose files have no name; the others end in their own."""


@click.command(epilog=EXIT_CODES)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@collection_option
@click.option("--records-only", is_flag=True, help="Save what is known of the images, and not the images.")
@url_option
@json_option
def export(folder: Path, collection: str | None, records_only: bool, url: str | None, as_json: bool) -> None:
    """Save all images of a collection in FOLDER, with what is known of them in images.jsonl.

    Files that are there are not fetched again, so the same command continues where it was stopped.
    """
    folder.mkdir(parents=True, exist_ok=True)
    counts = {"saved": 0, "present": 0, "gone": 0}
    unfinished = folder / f".{RECORDS}.part"
    with client(url) as api, unfinished.open("w", encoding="utf-8") as records:
        for image, name in _named(_listed(api, collection)):
            what = "saved" if records_only else _save(api, image, folder / name)
            counts[what] += 1
            if what != "gone":
                entry = image if records_only else {"file": name, **image}
                records.write(json.dumps(entry, ensure_ascii=False) + "\n")
    unfinished.replace(folder / RECORDS)
    if as_json:
        print_json({"folder": str(folder), "counts": counts})
    else:
        click.echo(", ".join(f"{number:,} {what}" for what, number in counts.items() if number) or "nothing to save")


def _listed(api: Client, collection: str | None) -> Iterator[Image]:
    """Yield the images of a collection, the oldest first, and show how far it is."""
    stats = api.stats(collection=collection)
    console = Console(stderr=True)
    columns = (TextColumn("images"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("images", total=stats["images"])
        for image in api.images(collection=collection, order="oldest"):
            yield image
            bar.advance(task)


def _named(images: Iterator[Image]) -> Iterator[tuple[Image, str]]:
    """Yield images with names for their files, each once whatever the case of letters; the same in every run."""
    taken = {RECORDS}
    for image in images:
        given = PureWindowsPath(PurePosixPath(image["filename"] or "").name).name
        kept = Path("".join(c if c.isprintable() and c not in '<>:"|?*' else "_" for c in given).strip(" ."))
        short = image["image_id"][:12]
        stem = kept.stem[:MAX_STEM] or short
        suffix = kept.suffix[:10] or EXTENSIONS.get(image["format"], f".{image['format']}")
        name = f"{stem}{suffix}" if f"{stem}{suffix}".casefold() not in taken else f"{stem}-{short}{suffix}"
        taken.add(name.casefold())
        yield image, name


def _save(api: Client, image: Image, path: Path) -> str:
    """Fetch an image unless its file is there with its bytes; return what became of it."""
    if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == image["image_id"]:
        return "present"
    try:
        data = api.download(image["image_id"], collection=image["collection"])
    except NotFound:
        return "gone"
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(data)
    part.replace(path)
    return "saved"
