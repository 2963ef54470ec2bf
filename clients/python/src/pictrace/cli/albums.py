"""`album` and its commands."""

from typing import Final

import click

from pictrace.answers import AlbumState
from pictrace.cli.common import (
    EXIT_CODES,
    EXIT_REFUSED,
    Commands,
    cell,
    client,
    collection_option,
    console,
    counted,
    json_option,
    plain_table,
    print_json,
    printable,
    url_option,
)
from pictrace.cli.images import IMAGES
from pictrace.client import Client

AT_ONCE: Final = 100
"""Maximum number of images in one call."""
ALBUM: Final = click.argument("name", metavar="ALBUM")


@click.group(cls=Commands, epilog=EXIT_CODES)
def album() -> None:
    """List, fill and share albums. ALBUM is the id of one, or its title if no other has it."""


@album.command(name="list", epilog=EXIT_CODES)
@collection_option
@url_option
@json_option
def list_albums(collection: str | None, url: str | None, as_json: bool) -> None:
    """List the albums of a collection, the newest first."""
    with client(url) as api:
        found = list(api.albums(collection=collection))
    if as_json:
        print_json({"albums": found})
        return
    table = plain_table()
    table.add_column("album")
    table.add_column("images", justify="right")
    table.add_column("album id", no_wrap=True)
    for entry in found:
        table.add_row(cell(entry["title"]), cell(f"{entry['images']:,}"), cell(entry["album_id"]))
    console().print(table)


@album.command(epilog=EXIT_CODES)
@click.argument("title")
@click.option("--description", help="What it is about.")
@collection_option
@url_option
@json_option
def create(title: str, description: str | None, collection: str | None, url: str | None, as_json: bool) -> None:
    """Create an album."""
    with client(url) as api:
        made = api.create_album(title, description=description, collection=collection)
    print_json(made) if as_json else click.echo(made["album_id"])


@album.command(epilog=EXIT_CODES)
@ALBUM
@click.option("--title", help="The new title.")
@click.option("--description", help="What it is about; empty for nothing.")
@click.option("--cover", help="Id of the image that stands for it.")
@collection_option
@url_option
def change(
    name: str,
    title: str | None,
    description: str | None,
    cover: str | None,
    collection: str | None,
    url: str | None,
) -> None:
    """Rename or describe an album, or choose its cover."""
    given = {"title": title, "description": description, "cover": cover}
    with client(url) as api:
        found = find(api, name, collection)
        wanted = {field: value or None for field, value in given.items() if value is not None}
        after = api.change_album(found["album_id"], collection=collection, **wanted)
    click.echo(printable(after["title"]))


@album.command(epilog=EXIT_CODES)
@ALBUM
@IMAGES
@collection_option
@url_option
def add(name: str, images: tuple[str, ...], collection: str | None, url: str | None) -> None:
    """Add each IMAGE, an image id or a file, to an album."""
    missing: list[str] = []
    with client(url) as api:
        found = find(api, name, collection)
        for start in range(0, len(images), AT_ONCE):
            chunk = images[start : start + AT_ONCE]
            changed = api.change_album_images(found["album_id"], collection=collection, add=chunk)
            missing += changed["missing"]
    click.echo(f"{counted(changed['album']['images'])} in {printable(found['title'])}")
    if missing:
        click.echo(f"{len(missing):,} are not in the collection: {', '.join(one[:12] for one in missing)}", err=True)
        raise SystemExit(EXIT_REFUSED)


@album.command(epilog=EXIT_CODES)
@ALBUM
@IMAGES
@collection_option
@url_option
def remove(name: str, images: tuple[str, ...], collection: str | None, url: str | None) -> None:
    """Remove each IMAGE, an image id or a file, from an album; it stays in the collection."""
    with client(url) as api:
        found = find(api, name, collection)
        for start in range(0, len(images), AT_ONCE):
            chunk = images[start : start + AT_ONCE]
            changed = api.change_album_images(found["album_id"], collection=collection, remove=chunk)
    click.echo(f"{counted(changed['album']['images'])} in {printable(found['title'])}")


@album.command(epilog=EXIT_CODES)
@ALBUM
@collection_option
@url_option
def delete(name: str, collection: str | None, url: str | None) -> None:
    """Delete an album and the links to it; its images stay."""
    with client(url) as api:
        found = find(api, name, collection)
        api.delete_album(found["album_id"], collection=collection)
    click.echo(f"{printable(found['title'])} deleted")


@album.command(epilog=EXIT_CODES)
@ALBUM
@click.option("--days", type=click.IntRange(min=1), help="After how many days the link ends [default: 30]")
@collection_option
@url_option
@json_option
def share(name: str, days: int | None, collection: str | None, url: str | None, as_json: bool) -> None:
    """Create a link that shows an album to everybody who has it. The link is not shown again."""
    with client(url) as api:
        found = find(api, name, collection)
        made = api.create_share(found["album_id"], days=days, collection=collection)
        link = f"{api.url.rstrip('/')}{made['url']}"
    print_json({**made, "link": link}) if as_json else click.echo(link)


@album.command(epilog=EXIT_CODES)
@ALBUM
@click.option("--revoke", "revoked", help="End the link with this id.")
@collection_option
@url_option
@json_option
def shares(name: str, revoked: str | None, collection: str | None, url: str | None, as_json: bool) -> None:
    """List the links to an album, or end one."""
    with client(url) as api:
        found = find(api, name, collection)
        if revoked:
            api.revoke_share(found["album_id"], revoked, collection=collection)
        known = api.list_shares(found["album_id"], collection=collection)
    if as_json:
        print_json(known)
        return
    table = plain_table()
    for column in ("created", "ends", "share id"):
        table.add_column(column, no_wrap=True)
    for entry in known["shares"]:
        table.add_row(*(cell(entry[field]) for field in ("created_at", "expires_at", "share_id")))
    console().print(table)


def find(api: Client, name: str, collection: str | None) -> AlbumState:
    """Return the album with an id, or the only one with a title.

    Raises:
        click.UsageError: there is none, or several have the title.
    """
    known = list(api.albums(collection=collection))
    found = [one for one in known if one["album_id"] == name] or [one for one in known if one["title"] == name]
    match found:
        case [only]:
            return only
        case []:
            raise click.UsageError(f"there is no album {name!r}")
        case several:
            ids = ", ".join(one["album_id"] for one in several)
            raise click.UsageError(f"several albums are called {name!r}: {ids}")
