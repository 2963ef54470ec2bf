"""What the commands share: options, exit codes and output."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pictrace.answers import Image
from pictrace.cli.credentials import Credentials, chosen
from pictrace.client import AsyncClient, Client
from pictrace.errors import (
    ApiError,
    ConnectionFailed,
    Forbidden,
    PicTraceError,
    RateLimited,
    TooLarge,
    Unauthenticated,
)
from pictrace.image_files import IMAGE_ID, UPLOAD_ID, URL

EXIT_REFUSED: Final = 1
EXIT_USAGE: Final = 2
EXIT_SERVER: Final = 3
EXIT_INTERRUPTED: Final = 130
EXIT_CODES: Final = (
    "Exit status: 0 if all went well, 1 if something was refused, 2 for a wrong command line or file, 3 if the server "
    "cannot be used, 130 after Ctrl-C."
)
BACK_END_ERROR: Final = 500
SHORT_ID: Final = re.compile("[0-9a-f]{12,63}")
WIDTH_OF_FILES: Final = 200
"""Columns of a table that is not shown on a terminal."""

Command = TypeVar("Command", bound=Callable[..., Any])


class Commands(click.Group):
    """Commands whose errors end in a sentence and an exit code."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except PicTraceError as error:
            click.echo(f"pictrace: {explained(error)}", err=True)
            context.exit(exit_code(error))
        except OSError as error:
            click.echo(f"pictrace: {error.filename or 'error'}: {error.strerror or error}", err=True)
            context.exit(EXIT_USAGE)
        except KeyboardInterrupt:
            click.echo("pictrace: stopped.", err=True)
            context.exit(EXIT_INTERRUPTED)


def exit_code(error: PicTraceError) -> int:
    """Return `EXIT_SERVER` if every other call would fail too, else `EXIT_REFUSED`."""
    match error:
        case ConnectionFailed() | Unauthenticated() | Forbidden() | RateLimited():
            return EXIT_SERVER
        case ApiError() if error.status >= BACK_END_ERROR:
            return EXIT_SERVER
        case _:
            return EXIT_REFUSED


def explained(error: PicTraceError) -> str:
    """Return what is wrong and, where the command line can tell, what to do next."""
    sentence = printable(str(error))
    match error:
        case ConnectionFailed():
            return f"{sentence} Is PicTrace running there? --url or PICTRACE_URL names another address."
        case Unauthenticated():
            return f"{sentence}. `pictrace login` stores one, and the variable PICTRACE_API_KEY is read, too."
        case TooLarge():
            return f"{sentence} `pictrace add --json` uploads it, and prints its `image_id`, which also does."
        case _:
            return sentence


def image_argument(_: click.Context, __: click.Parameter, value: str) -> str:
    """Return the name of an image, unless it is the beginning of an id, as tables show it."""
    is_id = IMAGE_ID.fullmatch(value) or UPLOAD_ID.fullmatch(value)
    if SHORT_ID.fullmatch(value) and not is_id and not Path(value).exists():
        raise click.BadParameter(f"there is no file {value!r}, and an image id has 64 digits: --json prints it whole")
    return value


def note_if_empty(api: Client, collection: str | None) -> None:
    """Say that a collection has no images, if so: its name may be misspelt."""
    stats = api.stats(collection=collection)
    if not stats["images"]:
        click.echo(f"The collection {stats['collection']} has no images; `pictrace collections` lists all.", err=True)


def url_option(command: Command) -> Command:
    return click.option(
        "--url", help="Address of the API [default: PICTRACE_URL, else that of the login, else a local run]"
    )(command)


def json_option(command: Command) -> Command:
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


def collection_option(command: Command) -> Command:
    return click.option("--collection", help="Name of a collection [default: default, or the key's only one]")(command)


def client(url: str | None) -> Client:
    credentials = _chosen(url)
    return Client(credentials.url, credentials.key)


def async_client(url: str | None) -> AsyncClient:
    credentials = _chosen(url)
    return AsyncClient(credentials.url, credentials.key)


def _chosen(url: str | None) -> Credentials:
    credentials = chosen(url)
    check_address(credentials.url)
    return credentials


def check_address(url: str) -> None:
    """Raises click.UsageError if it is not the address of a server."""
    if not URL.match(url):
        raise click.UsageError(f"{url!r} is not a web address: begin it with http:// or https://")


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def console() -> Console:
    return Console(width=None if sys.stdout.isatty() else WIDTH_OF_FILES, highlight=False)


def plain_table() -> Table:
    """Return a table without lines, with a header."""
    return Table(box=None, pad_edge=False, header_style="bold")


def printable(text: str) -> str:
    """Escape control characters, which could move the terminal's cursor: strangers choose the names of images."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def counted(images: int) -> str:
    """Return a number of images in words: `1 image`, `1,200 images`."""
    return f"{images:,} image{'' if images == 1 else 's'}"


def cell(value: object) -> Text:
    """Return the text of a table's cell; without markup, which a name may contain."""
    return Text("" if value is None else printable(str(value)))


def size_cell(image: Image) -> Text:
    """Return the cell of an image's size and format."""
    return cell(f"{image['width']}x{image['height']} {image['format']}")
