"""Commands on the data folder of a local run, whether or not it is running."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from infra.local.backup import backup
from infra.local.check import check
from infra.local.data_folder import FolderUnusable, default_path, existing_folder
from infra.operate import keys
from infra.operate.prompts import confirm, printable, shortened
from shared.domain.errors import NotFound
from shared.embedded.api_keys import EmbeddedApiKeys
from shared.embedded.database import Database
from shared.embedded.database_format import UnusableDatabase
from shared.embedded.migrations import open_database
from shared.embedded.queue import DeadLetter, Queue
from shared.embedded.refusals import EmbeddedRefusals

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def parse_arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.local", description=__doc__)
    subparsers = parser.add_subparsers(metavar="command", required=True, dest="command")
    redrive = subparsers.add_parser(
        "redrive",
        help="show the messages that failed for good, and have them processed again",
        description="Show the messages that failed in every attempt and, once confirmed, have them processed again.",
    )
    choice = redrive.add_mutually_exclusive_group()
    choice.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    choice.add_argument("--list", action="store_true", help="only show the messages")
    refusals = subparsers.add_parser(
        "refusals",
        help="show the images that another model could not describe",
        description="Show the images that the model of a run could not describe, and why. No search by that model "
        "finds them. Each start with the model tries again.",
    )
    copy = subparsers.add_parser(
        "backup",
        help="copy the data folder",
        description="Copy the data folder to another one, also while a run uses it. On the same disk the files of the "
        "images are linked, and take no space of their own; on another one they are copied.",
    )
    copy.add_argument("folder", type=Path, help="a folder that is empty, or does not exist")
    checking = subparsers.add_parser(
        "check",
        help="check the database and the files",
        description="Check that the database is intact, that the files are there which it names, and no others. "
        "It may be used while a run uses the folder. The exit status is 1 if something is wrong.",
    )
    for command in (keys.add_parser(subparsers), redrive, refusals, copy, checking):
        command.add_argument("--data", help=f"the data folder (default: {default_path()})")
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    """Run a command; return its exit status."""
    args = parse_arguments(argv)
    try:
        folder = existing_folder(args.data)
        database = open_database(folder.database, upgrade=False)
        try:
            # The run itself moves the log into the database, and two processes must not do so at the same time.
            with database.transaction() as connection:
                connection.execute("PRAGMA wal_autocheckpoint = 0")
            match args.command:
                case "keys":
                    return keys.manage(args, EmbeddedApiKeys(database))
                case "refusals":
                    return _show_refusals(database)
                case "backup":
                    return backup(folder, database, args.folder.expanduser().absolute())
                case "check":
                    return check(folder, database)
                case _:
                    return _redrive(args, database)
        finally:
            database.close()
    except (FolderUnusable, UnusableDatabase, LookupError, NotFound) as error:
        print(f"pictrace: {error}", file=sys.stderr)
        return 1


def _show_refusals(database: Database) -> int:
    refusals = EmbeddedRefusals(database).list_all()
    for one in refusals:
        name = one.filename or "no file name"
        print(printable(f"{one.image_key.collection}  {one.image_key.image_id}  {name}"))
        print(printable(f"    {one.model}: {one.reason} ({one.code})"))
    if not refusals:
        print("every image could be described")
    return 0


def _described(letter: DeadLetter) -> str:
    died = datetime.fromtimestamp(letter.died_at, UTC).isoformat(timespec="seconds")
    return f"{died}  {printable(letter.body)}\n    {printable(letter.reason)}"


def _redrive(args: argparse.Namespace, database: Database) -> int:
    queue = Queue(database)
    dead = queue.dead_letters()
    if not dead:
        print("no message has failed for good")
        return 0
    for line in shortened([_described(letter) for letter in dead]):
        print(line)
    if args.list:
        return 0
    if not args.yes and not confirm(f"Have all {len(dead):,} processed again?"):
        return 1
    sent = queue.redrive()
    print(f"{sent:,} {'message is' if sent == 1 else 'messages are'} processed again while PicTrace runs")
    return 0
