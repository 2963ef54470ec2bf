"""Write a collection's images, and what is known of them, into a folder."""

import argparse
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from infra.operate.add_report import AddReport, require_writable
from infra.operate.collection_client import CollectionClient
from infra.operate.collection_folder import CollectionFolder, FolderUnusable
from infra.operate.connection import EXIT_REFUSED, add_connection, api_key, api_url, run_to_end
from infra.operate.deployed_stack import DeployedStack
from infra.operate.exporter import Exporter, ExportStatus
from infra.operate.index import parse_collection
from shared.domain.limits import DEFAULT_COLLECTION

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(subparsers: "Subparsers") -> None:
    parser = subparsers.add_parser(
        "export",
        help="write a collection of a local run or a deployment into a folder",
        description="Download the images of a collection into a folder, with a manifest of their names, annotations, "
        "tags, groups and albums, and of who is in them if the collection has faces on. Images that the folder has are "
        "not downloaded, so the same command goes on where it was stopped.",
        epilog="Exit status: 0 if every image is in the folder, 1 if not, 2 for a wrong command line, 3 if the "
        "server could not be used, 130 after Ctrl-C.",
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="an empty folder, or one that was exported to")
    add_connection(parser, "the scope search")
    parser.add_argument(
        "--collection", type=parse_collection, default=DEFAULT_COLLECTION, help="what to export (default: %(default)s)"
    )
    parser.add_argument(
        "--without-people",
        action="store_true",
        help="leave out who is in the images: persons, their names, and the places of their faces",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write a report of what was not exported, and why")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, stack: DeployedStack | None) -> int:
    url = api_url(args.url, stack)
    folder = CollectionFolder(args.folder.expanduser())
    if args.json:
        require_writable(args.json)
    report = AddReport(url, args.collection, statuses=ExportStatus, doing="exporting", listed_as="not_exported")
    total = persons = 0
    with (
        api_key(args.key, stack, args.collection, "export") as key,
        CollectionClient(url, key, args.collection) as client,
    ):

        def work() -> None:
            nonlocal total, persons
            stats = client.stats()
            total = stats["images"]
            if not total:
                raise LookupError(f"the collection {args.collection} of {url} has no images.")
            try:
                folder.prepare(args.collection)
                exporter = Exporter(client, folder, parallel=args.parallel, people=not args.without_people)
                with closing(exporter.export_all(stats["title"])) as results:
                    for _ in report.follow(results, total):
                        pass
                persons = exporter.persons
            except OSError as error:
                raise FolderUnusable(
                    f"{error.filename or folder.path} cannot be written: {error.strerror}. To go on, run the same "
                    "command again."
                ) from error

        status = run_to_end(work, lambda: report.left(total))
    print(report.summary())
    if persons:
        print(f"  The folder says where the faces of {persons:,} persons are. To leave that out, add --without-people.")
    if args.json:
        report.write(args.json)
    return status or (EXIT_REFUSED if report.refused else 0)
