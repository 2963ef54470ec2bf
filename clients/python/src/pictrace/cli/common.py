"""What the commands share: options, exit codes and output."""

import json
import sys
from collections.abc import Callable
from typing import Any, Final, TypeVar

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pictrace.answers import Image
from pictrace.cli.credentials import chosen
from pictrace.client import AsyncClient, Client
from pictrace.errors import ApiError, ConnectionFailed, Forbidden, PicTraceError, RateLimited, Unauthenticated

EXIT_REFUSED: Final = 1
EXIT_USAGE: Final = 2
EXIT_SERVER: Final = 3
EXIT_INTERRUPTED: Final = 130
EXIT_CODES: Final = (
    "Exit status: 0 if all went well, 1 if something was refused, 2 for a wrong command line or file, 3 if the server "
    "cannot be used, 130 after Ctrl-C."
)
BACK_END_ERROR: Final = 500
WIDTH_OF_FILES: Final = 200
"""Columns of a table that is not shown on a terminal."""

Command = TypeVar("Command", bound=Callable[..., Any])


class Commands(click.Group):
    """Commands whose errors end in a sentence and an exit code."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except PicTraceError as error:
            click.echo(f"pictrace: {printable(str(error))}", err=True)
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


def url_option(command: Command) -> Command:
    return click.option(
        "--url", help="Address of the API [default: PICTRACE_URL, else that of the login, else a local run]"
    )(command)


def json_option(command: Command) -> Command:
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


def collection_option(command: Command) -> Command:
    return click.option("--collection", help="Name of a collection [default: default, or the key's only one]")(command)


def client(url: str | None) -> Client:
    credentials = chosen(url)
    return Client(credentials.url, credentials.key)


def async_client(url: str | None) -> AsyncClient:
    credentials = chosen(url)
    return AsyncClient(credentials.url, credentials.key)


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
