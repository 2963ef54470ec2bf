"""`add`: upload files and folders, several at a time, and wait until they are indexed."""

import asyncio
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from pictrace.cli.common import (
    EXIT_CODES,
    EXIT_INTERRUPTED,
    EXIT_REFUSED,
    EXIT_SERVER,
    async_client,
    collection_option,
    exit_code,
    explained,
    json_option,
    print_json,
    printable,
    url_option,
)
from pictrace.cli.destination import Added, Destination
from pictrace.errors import Forbidden, PicTraceError, Unauthenticated

SUFFIX: Final = re.compile(
    r"\.(jpe?g|jpe|jfif|mpo|jpg_large|a?png|webp|gif|bmp|dib|tiff?|avifs?|hei[cf]s?|hif|jxl"
    r"|dng|nef|cr[23w]|arw|orf|rw2|raf|pef|srw|3fr|dcr|erf|iiq|mef|mos|mrw|x3f)",
    re.IGNORECASE,
)
"""Of the files of a folder, those with such a name are sent; files that are named themselves always are."""
PARALLEL: Final = 8
MAX_LISTED: Final = 20
"""Maximum number of files that the summary names; the JSON names all."""


@click.command(epilog=EXIT_CODES)
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="DIR|FILE...")
@collection_option
@click.option("--parallel", type=click.IntRange(1, 64), default=PARALLEL, show_default=True, help="Files in progress.")
@url_option
@json_option
def add(paths: tuple[Path, ...], collection: str | None, parallel: int, url: str | None, as_json: bool) -> None:
    """Add files, and folders with all images in them, and wait until they are indexed.

    Images that the collection has are not sent, so the same command continues where it was stopped.
    """
    files = list(dict.fromkeys(find_files(paths)))
    results: list[Added] = []
    status, message, may_pass = 0, "", True
    try:
        asyncio.run(_add_all(files, results, url, collection, parallel))
    except KeyboardInterrupt:
        status, message = EXIT_INTERRUPTED, "stopped."
    except PicTraceError as error:
        status, message = exit_code(error), explained(error)
        may_pass = status == EXIT_SERVER and not isinstance(error, Unauthenticated | Forbidden)
    counts = Counter(result.status for result in results)
    refused = [result for result in results if result.code]
    if as_json:
        print_json({"counts": counts, "files": [asdict(result) for result in results]})
    else:
        if results or not message:
            click.echo(", ".join(f"{number:,} {name}" for name, number in counts.items()) or "nothing to add")
        for result in refused[:MAX_LISTED]:
            click.echo(printable(f"  {result.path}: {result.status}: {result.reason}"))
        if len(refused) > MAX_LISTED:
            click.echo(f"  ... and {len(refused) - MAX_LISTED:,} more")
    if message:
        left = len(files) - len(results)
        click.echo(f"pictrace: {message}", err=True)
        go_on = " To go on, run the same command again." if may_pass else ""
        click.echo(f"{left:,} of {len(files):,} files are left.{go_on}", err=True)
    if status or refused:
        click.get_current_context().exit(status or EXIT_REFUSED)


def find_files(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the files that are named, and all images below the folders, sorted and without what is hidden."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        for parent, folders, names in os.walk(path):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            found = (Path(parent, name) for name in sorted(names) if not name.startswith("."))
            yield from (file for file in found if SUFFIX.fullmatch(file.suffix))


async def _add_all(
    files: list[Path], results: list[Added], url: str | None, collection: str | None, parallel: int
) -> None:
    """Add files, and append to `results` what became of each.

    Raises:
        PicTraceError: the server cannot be used.
    """
    waiting = iter(files)
    columns = (TextColumn("{task.description}"), BarColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        sizes = {file: _size(file) for file in files}
        task = bar.add_task(f"{len(files):,} files", total=sum(sizes.values()))

        async def work(destination: Destination) -> None:
            for file in waiting:
                shown = 0

                def show(sent: int, _total: int) -> None:
                    nonlocal shown
                    bar.advance(task, sent - shown)
                    shown = sent

                results.append(await destination.add(file, show))
                show(sizes[file], 0)
                bar.update(task, description=f"{len(results):,} of {len(files):,} files")

        async with async_client(url) as api:
            destination = await Destination.find(api, collection)
            await asyncio.gather(*(work(destination) for _ in range(min(parallel, len(files)))))


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0
