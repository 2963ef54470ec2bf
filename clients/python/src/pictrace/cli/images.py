"""`list`, `tags`, `tag` and `favourite`."""

import hashlib
import re
from pathlib import Path
from typing import Any, Final, get_args

import click

from pictrace.answers import TagMatch
from pictrace.cli.common import (
    EXIT_CODES,
    cell,
    client,
    collection_option,
    console,
    counted,
    json_option,
    note_if_empty,
    plain_table,
    print_json,
    size_cell,
    url_option,
)

IMAGE_ID: Final = re.compile("[0-9a-f]{64}")


def image_ids(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """Return the ids of images that are named by their ids, or by files with their bytes."""
    return tuple(value if IMAGE_ID.fullmatch(value) else _id_of_file(value) for value in values)


def _id_of_file(name: str) -> str:
    try:
        return hashlib.sha256(Path(name).read_bytes()).hexdigest()
    except OSError as error:
        raise click.BadParameter(
            f"{name!r} is neither a file that can be read nor an image id, which has 64 digits: --json prints it whole"
        ) from error


IMAGES: Final = click.argument("images", nargs=-1, required=True, metavar="IMAGE...", callback=image_ids)


@click.command(name="list", epilog=EXIT_CODES)
@collection_option
@click.option("--tag", help="Only images with one of these tags, separated by commas.")
@click.option("--match", type=click.Choice(get_args(TagMatch)), help="Whether one of the tags is enough.")
@click.option("--favourite/--no-favourite", default=None, help="Only favourites, or only others.")
@click.option("--album", help="Only images of the album with this id.")
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="Maximum number of images.")
@url_option
@json_option
def list_images(url: str | None, as_json: bool, limit: int, **parameters: Any) -> None:
    """List the images of a collection, the newest first."""
    with client(url) as api:
        found = [image for image, _ in zip(api.images(**parameters), range(limit), strict=False)]
        if not found:
            note_if_empty(api, parameters["collection"])
    if as_json:
        print_json({"images": found})
        return
    table = plain_table()
    for name in ("", "file", "size", "tags", "image id"):
        table.add_column(name, no_wrap=name not in ("file", "tags"))
    for image in found:
        heart = "♥" if image["favourite"] else ""
        tags = cell(", ".join(image["tags"]))
        table.add_row(heart, cell(image["filename"]), size_cell(image), tags, cell(image["image_id"][:12]))
    console().print(table)


@click.command(epilog=EXIT_CODES)
@collection_option
@url_option
@json_option
def tags(collection: str | None, url: str | None, as_json: bool) -> None:
    """List the tags of a collection, the most frequent first."""
    with client(url) as api:
        found = api.tags(collection=collection)
        if not found["tags"]:
            note_if_empty(api, collection)
    if as_json:
        print_json(found)
        return
    table = plain_table()
    table.add_column("tag")
    table.add_column("images", justify="right")
    for entry in found["tags"]:
        table.add_row(cell(entry["tag"]), cell(f"{entry['images']:,}"))
    console().print(table)
    if not found["exact"]:
        click.echo(f"Only the newest {found['images']:,} images were counted.", err=True)


@click.command(epilog=EXIT_CODES)
@IMAGES
@click.option("--add", "added", multiple=True, help="A tag to give; may be repeated.")
@click.option("--remove", "removed", multiple=True, help="A tag to remove; may be repeated.")
@collection_option
@url_option
@json_option
def tag(
    images: tuple[str, ...],
    added: tuple[str, ...],
    removed: tuple[str, ...],
    collection: str | None,
    url: str | None,
    as_json: bool,
) -> None:
    """Give each IMAGE, an image id or a file, tags, or remove tags for good."""
    if not added and not removed:
        raise click.UsageError("name a tag: --add or --remove")
    decided: dict[str, bool | None] = {**dict.fromkeys(added, True), **dict.fromkeys(removed, False)}
    with client(url) as api:
        records = [api.change_image(image_id, collection=collection, decided_tags=decided) for image_id in images]
    if as_json:
        print_json({"images": records})
        return
    for record in records:
        click.echo(f"{record['image_id'][:12]}  {', '.join(record['tags'])}")


@click.command(epilog=EXIT_CODES)
@IMAGES
@click.option("--off", is_flag=True, help="Make them favourites no longer.")
@collection_option
@url_option
def favourite(images: tuple[str, ...], off: bool, collection: str | None, url: str | None) -> None:
    """Make each IMAGE, an image id or a file, a favourite of its collection."""
    with client(url) as api:
        for image_id in images:
            api.change_image(image_id, collection=collection, favourite=not off)
    click.echo(f"{counted(len(images))} {'no longer' if off else 'now'} among the favourites")
