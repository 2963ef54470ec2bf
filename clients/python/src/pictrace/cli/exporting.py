"""`export`: save the images of a collection and what is known of them."""

import hashlib
import json
import os
import re
from collections.abc import Iterator
from errno import EEXIST
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Final

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pictrace.answers import Image, Stats
from pictrace.cli.common import EXIT_CODES, client, collection_option, json_option, print_json, printable, url_option
from pictrace.client import Client
from pictrace.errors import NotFound

RECORDS: Final = "images.jsonl"
RECORD_FIELDS: Final = {"image_id", "collection", "created_at"}
"""By which a file of records is known to be one."""
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

    Images whose files are there are not fetched again, so the same command continues where it was stopped. Files with
    other bytes are never replaced: where an image's name is taken, its id is added to it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = _Files(folder)
    counts = {"saved": 0, "present": 0, "gone": 0}
    unfinished = folder / f".{RECORDS}.part"
    with client(url) as api:
        stats = api.stats(collection=collection)
        _check_records(folder / RECORDS, stats["collection"])
        with unfinished.open("w", encoding="utf-8") as records:
            for image in _listed(api, stats):
                what, name = ("saved", None) if records_only else _save(api, image, files)
                counts[what] += 1
                if what != "gone":
                    entry = image if name is None else {"file": name, **image}
                    records.write(json.dumps(entry, ensure_ascii=False) + "\n")
    unfinished.replace(folder / RECORDS)
    if as_json:
        print_json({"folder": str(folder), "counts": counts})
    else:
        click.echo(", ".join(f"{number:,} {what}" for what, number in counts.items() if number) or "nothing to save")


class _Files:
    """The files of a folder, which stay what they are."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._taken = {path.name.casefold() for path in folder.iterdir()} | {RECORDS}
        self._exported: set[str] = set()

    def find(self, image: Image) -> str | None:
        """Return the name of the image's file, if it is there."""
        for name in _names(image):
            path = self._folder / name
            if path.is_file() and _sha256(path) == image["image_id"]:
                self._exported.add(name.casefold())
                return name
        return None

    def add(self, image: Image, data: bytes) -> str:
        """Save an image under the first of its names that is free, and return it.

        Raises:
            FileExistsError: none is free.
        """
        names = _names(image)
        name = next((name for name in names if self._is_free(name)), None)
        if name is None:
            raise FileExistsError(EEXIST, "this name of an image is taken by another file; move it away", names[-1])
        part = self._folder / f".{_word(image['image_id'])}.part"
        part.write_bytes(data)
        part.replace(self._folder / name)
        if name != names[0] and names[0].casefold() not in self._exported:
            there = printable(f"{names[0]}: another file has this name, so the image is saved as {name}.")
            click.echo(f"pictrace: {there}", err=True)
        self._taken.add(name.casefold())
        self._exported.add(name.casefold())
        return name

    def _is_free(self, name: str) -> bool:
        """Tell whether no file has the name, whatever the case of letters."""
        return name.casefold() not in self._taken and not os.path.lexists(self._folder / name)


def _check_records(path: Path, collection: str) -> None:
    """Raises click.UsageError if there is such a file, and it is not that of an export of the collection."""
    if not path.exists():
        return
    with path.open("rb") as file:
        first = file.readline()
    try:
        record = json.loads(first) if first else {}
        is_ours = not first or record.keys() >= RECORD_FIELDS
    except (ValueError, AttributeError):
        is_ours = False
    if not is_ours:
        raise click.UsageError(
            f"{path} is not from an export, which would replace it; move it away, or name another folder"
        )
    if (held := record.get("collection", collection)) != collection:
        raise click.UsageError(f"{path.parent} has the collection {held}. Name another folder for {collection}")


def _listed(api: Client, stats: Stats) -> Iterator[Image]:
    """Yield the images of a collection, the oldest first, and show how far it is."""
    console = Console(stderr=True)
    columns = (TextColumn("images"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("images", total=stats["images"])
        for image in api.images(collection=stats["collection"], order="oldest"):
            yield image
            bar.advance(task)


def _names(image: Image) -> tuple[str, ...]:
    """Return the names that an image's file may have, the first choice first; the same in every run."""
    given = PureWindowsPath(PurePosixPath(image["filename"] or "").name).name
    kept = Path("".join(c if c.isprintable() and c not in '<>:"|?*' else "_" for c in given).strip(" ."))
    image_id = _word(image["image_id"])
    stem = kept.stem[:MAX_STEM] or image_id[:12]
    suffix = kept.suffix[:10] or EXTENSIONS.get(image["format"], f".{_word(image['format'])}")
    return f"{stem}{suffix}", f"{stem}-{image_id[:12]}{suffix}", f"{stem}-{image_id}{suffix}"


def _word(text: str) -> str:
    """Return an id or a format as a part of a name: whatever a server sends, no file is saved outside the folder."""
    return re.sub("[^0-9a-z]", "_", text)


def _save(api: Client, image: Image, files: _Files) -> tuple[str, str | None]:
    """Fetch an image unless it is there; return what became of it, and the name of its file."""
    if name := files.find(image):
        return "present", name
    try:
        data = api.download(image["image_id"], collection=image["collection"])
    except NotFound:
        return "gone", None
    return "saved", files.add(image, data)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
