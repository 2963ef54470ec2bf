"""The command line: `pictrace search photo.jpg`."""

import click

from pictrace.cli.adding import add
from pictrace.cli.albums import album
from pictrace.cli.common import EXIT_CODES, Commands
from pictrace.cli.exporting import export
from pictrace.cli.hashes import hashes, match_hashes
from pictrace.cli.images import favourite, list_images, tag, tags
from pictrace.cli.listing import collections, duplicates
from pictrace.cli.people import people
from pictrace.cli.searching import compare, search
from pictrace.cli.setup import completion, login


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]}, epilog=EXIT_CODES)
@click.version_option(package_name="pictrace")
def main() -> None:
    """Find out whether an image, or one like it, has been seen before."""


for command in (
    *(search, add, compare, list_images, tags, tag, favourite, album),
    *(duplicates, collections, people, export, hashes, match_hashes, login, completion),
):
    main.add_command(command)
