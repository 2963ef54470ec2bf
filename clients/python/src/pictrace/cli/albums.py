"""`album` and its commands."""

from collections.abc import Sequence
from typing import Final, TypeVar

import click

from pictrace.answers import AlbumState, TrashedAlbum
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
Found = TypeVar("Found", AlbumState, TrashedAlbum)
ALBUM: Final = click.argument("name", metavar="ALBUM")


@click.group(cls=Commands, epilog=EXIT_CODES)
def album() -> None:
    """List, fill and share albums. ALBUM is the id of one, or its title if no other has it."""


@album.command(name="list", epilog=EXIT_CODES)
@click.option("--trash", is_flag=True, help="List the deleted ones, which can be restored, the last deleted first.")
@collection_option
@url_option
@json_option
def list_albums(trash: bool, collection: str | None, url: str | None, as_json: bool) -> None:
    """List the albums of a collection, the newest first."""
    with client(url) as api:
        deleted = list(api.trashed_albums(collection=collection)) if trash else []
        found: Sequence[AlbumState | TrashedAlbum] = deleted if trash else list(api.albums(collection=collection))
    if as_json:
        print_json({"albums": found})
        return
    table = plain_table()
    table.add_column("album")
    table.add_column("images", justify="right")
    if trash:
        table.add_column("purged", no_wrap=True)
    table.add_column("album id", no_wrap=True)
    ends = {entry["album_id"]: [cell(entry["purged_at"])] for entry in deleted}
    for entry in found:
        album_id = entry["album_id"]
        table.add_row(cell(entry["title"]), cell(f"{entry['images']:,}"), *ends.get(album_id, []), cell(album_id))
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
    """Move an album into the trash. Links to it end; its images stay."""
    with client(url) as api:
        found = find(api, name, collection)
        api.delete_album(found["album_id"], collection=collection)
    click.echo(f"{printable(found['title'])} deleted; `pictrace album restore {found['album_id']}` brings it back")


@album.command(epilog=EXIT_CODES)
@ALBUM
@collection_option
@url_option
def restore(name: str, collection: str | None, url: str | None) -> None:
    """Restore a deleted album with its images and links."""
    with client(url) as api:
        found = only(list(api.trashed_albums(collection=collection)), name)
        after = api.restore_album(found["album_id"], collection=collection)
    click.echo(f"{counted(after['images'])} in {printable(after['title'])}")


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
    return only(list(api.albums(collection=collection)), name)


def only(known: Sequence[Found], name: str) -> Found:
    """Return the one of these albums that has an id, or a title; see `find`."""
    found = [one for one in known if one["album_id"] == name] or [one for one in known if one["title"] == name]
    match found:
        case [single]:
            return single
        case []:
            raise click.UsageError(f"there is no album {name!r}")
        case several:
            ids = ", ".join(one["album_id"] for one in several)
            raise click.UsageError(f"several albums are called {name!r}: {ids}")
