"""`duplicates` and `collections`."""

import click

from pictrace.answers import DuplicateGroup, ResolvedGroup
from pictrace.cli.common import (
    EXIT_CODES,
    cell,
    client,
    collection_option,
    console,
    json_option,
    note_if_empty,
    plain_table,
    print_json,
    size_cell,
    url_option,
)


@click.command(epilog=EXIT_CODES)
@url_option
@json_option
def collections(url: str | None, as_json: bool) -> None:
    """List the collections, with the number of their images."""
    with client(url) as api:
        found = list(api.collections())
    if as_json:
        print_json({"collections": found})
        return
    table = plain_table()
    table.add_column("collection")
    table.add_column("images", justify="right")
    table.add_column("title")
    for entry in found:
        more = "" if entry["exact"] else "+"
        table.add_row(cell(entry["collection"]), cell(f"{entry['images']:,}{more}"), cell(entry["title"]))
    console().print(table)


@click.command(epilog=EXIT_CODES)
@collection_option
@click.option("--resolve", is_flag=True, help="Keep the best image of each group, and move the others into the trash.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@url_option
@json_option
def duplicates(collection: str | None, resolve: bool, yes: bool, url: str | None, as_json: bool) -> None:
    """List the groups of near-duplicates, each with the image to keep first."""
    with client(url) as api:
        if not resolve:
            groups = list(api.duplicates(collection=collection))
            if not groups:
                note_if_empty(api, collection)
            if as_json:
                print_json({"groups": groups})
            else:
                _print_groups(groups)
            return
        resolved = list(api.resolutions(collection=collection, dry_run=True))
        count = sum(len(group["deleted"]) for group in resolved)
        if not as_json:
            _print_resolved(resolved)
        if count and (yes or click.confirm(f"Move these {count:,} into the trash?", err=True)):
            resolved = list(api.resolutions(collection=collection, dry_run=False))
            count = sum(len(group["deleted"]) for group in resolved)
        else:
            count = 0
    if as_json:
        print_json({"groups": resolved, "deleted": count})
    else:
        click.echo(f"{count:,} moved into the trash")


def _print_groups(groups: list[DuplicateGroup]) -> None:
    if not groups:
        click.echo("No near-duplicates.")
        return
    table = plain_table()
    for name in ("", "file", "size", "image id", "reason"):
        table.add_column(name, no_wrap=name not in ("file", "reason"))
    for group in groups:
        for image in group["images"]:
            is_best = image["image_id"] == group["best"]
            table.add_row(
                "keep" if is_best else "",
                cell(image["filename"]),
                size_cell(image),
                cell(image["image_id"][:12]),
                cell(group["reasons"].get(image["image_id"])),
            )
        table.add_section()
    console().print(table)


def _print_resolved(groups: list[ResolvedGroup]) -> None:
    table = plain_table()
    for name in ("to the trash", "image id", "reason"):
        table.add_column(name)
    for group in groups:
        for image in group["deleted"]:
            table.add_row(cell(image["filename"]), cell(image["image_id"][:12]), cell(image["reason"]))
    if table.row_count:
        console().print(table)
