"""`people`."""

from typing import Any

import click

from pictrace.answers import Person
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

SHOWN = 12
"""Digits of an id that a table shows, and that suffice on the command line."""


@click.group(invoke_without_command=True, epilog=EXIT_CODES)
@collection_option
@click.option("--hidden", is_flag=True, help="Those who are hidden.")
@url_option
@json_option
@click.pass_context
def people(context: click.Context, collection: str | None, hidden: bool, url: str | None, as_json: bool) -> None:
    """List the persons of a collection, or name, merge and hide them.

    PERSON is the beginning of an id, or a name.
    """
    context.obj = {"collection": collection, "url": url}
    if context.invoked_subcommand:
        return
    with client(url) as api:
        found = list(api.people(collection=collection, hidden=hidden))
    if as_json:
        print_json({"people": found})
    else:
        _print(found)


@people.command()
@click.argument("person")
@click.argument("name")
@click.pass_obj
def name(chosen: dict[str, Any], person: str, name: str) -> None:
    """Give a person a name; an empty one removes it."""
    with client(chosen["url"]) as api:
        wanted = _find(api, chosen, person)
        _print([api.change_person(wanted["person_id"], collection=chosen["collection"], name=name or None)])


@people.command()
@click.argument("person")
@click.argument("into", metavar="INTO")
@click.pass_obj
def merge(chosen: dict[str, Any], person: str, into: str) -> None:
    """Merge PERSON into another one, INTO."""
    with client(chosen["url"]) as api:
        gone, stays = _find(api, chosen, person), _find(api, chosen, into)
        _print([api.merge_people(gone["person_id"], stays["person_id"], collection=chosen["collection"])])


@people.command()
@click.argument("person_id")
@click.pass_obj
def unmerge(chosen: dict[str, Any], person_id: str) -> None:
    """Undo the merge of a person, by the whole id that `people --json` lists under `merged`."""
    with client(chosen["url"]) as api:
        _print([api.unmerge_person(person_id, collection=chosen["collection"])])


@people.command()
@click.argument("person")
@click.option("--show", is_flag=True, help="Show the person again.")
@click.pass_obj
def hide(chosen: dict[str, Any], person: str, show: bool) -> None:
    """Hide a person from lists and suggestions."""
    with client(chosen["url"]) as api:
        wanted = _find(api, chosen, person, hidden=show)
        _print([api.change_person(wanted["person_id"], collection=chosen["collection"], hidden=not show)])


@people.command()
@click.argument("collection")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@click.pass_obj
def erase(chosen: dict[str, Any], collection: str, yes: bool) -> None:
    """Erase all faces and persons of COLLECTION for ever, with their names. The images stay."""
    if not (yes or click.confirm(f"Erase all faces and persons of {collection} for ever?", err=True)):
        return
    with client(chosen["url"]) as api:
        erased = api.erase_faces(collection)["faces"]
    click.echo(f"{erased:,} faces erased; the rest, if any, follows within minutes")


def _find(api: Client, chosen: dict[str, Any], text: str, *, hidden: bool = False) -> Person:
    """Return the only person whose id begins with a text, or whose name it is."""
    found = [
        one
        for one in api.people(collection=chosen["collection"], hidden=hidden)
        if one["person_id"].startswith(text) or (one["name"] or "").casefold() == text.casefold()
    ]
    if len(found) != 1:
        raise click.UsageError(f"{len(found) or 'no'} persons match {text!r}; `people` lists them")
    return found[0]


def _print(found: list[Person]) -> None:
    if not found:
        click.echo("No persons.")
        return
    table = plain_table()
    table.add_column("person")
    table.add_column("name")
    table.add_column("faces", justify="right")
    for one in found:
        table.add_row(cell(one["person_id"][:SHOWN]), cell(one["name"]), cell(f"{one['faces']:,}"))
    console().print(table)
