"""Bring an exported collection into a local run or a deployment."""

import argparse
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from infra.operate.add_report import AddReport, require_writable
from infra.operate.album_importer import AlbumImporter
from infra.operate.collection_client import CollectionClient
from infra.operate.collection_folder import CollectionFolder
from infra.operate.connection import EXIT_REFUSED, add_connection, announce, api_key, api_url, run_to_end
from infra.operate.deployed_stack import DeployedStack
from infra.operate.importer import GROUP_SECONDS, Importer
from infra.operate.index import parse_collection
from infra.operate.people_importer import PeopleImporter
from infra.operate.prompts import printable
from infra.operate.uploader import AddStatus, Uploader

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(subparsers: "Subparsers") -> None:
    parser = subparsers.add_parser(
        "import",
        help="bring an exported collection into a local run or a deployment",
        description="Upload the images of a folder that `export` wrote, wait until they are indexed, and restore their "
        "names, annotations, tags, albums, people, choices of images to keep and decisions on duplicates. Images that "
        "the collection has are not sent, so the same command goes on where it was stopped.",
        epilog="Exit status: 0 if everything is in, 1 if something could not be restored or the folder cannot be used, "
        "2 for a wrong command line, 3 if the server could not be used, 130 after Ctrl-C.",
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="the folder that `export` wrote")
    add_connection(parser, "the scopes search and write, and admin if faces have to be turned on")
    parser.add_argument(
        "--collection", type=parse_collection, help="where the images go (default: the collection that was exported)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write a report of what was not added, and why")
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="replace annotations, choices and decisions that the collection has already",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, stack: DeployedStack | None) -> int:
    url = api_url(args.url, stack)
    folder = CollectionFolder(args.folder.expanduser())
    contents = folder.check()
    if args.json:
        require_writable(args.json)
    collection = args.collection or contents.about.collection
    report = AddReport(url, collection)
    announce("importing into", url, stack, collection)
    unrestored: list[str] = []
    with (
        api_key(args.key, stack, collection, "import", admin=contents.about.faces) as key,
        CollectionClient(url, key, collection) as client,
    ):
        uploader = Uploader(client, parallel=args.parallel)
        people = PeopleImporter(client, folder, parallel=args.parallel, overwrite=args.overwrite)
        importer = Importer(client, uploader, folder, parallel=args.parallel, overwrite=args.overwrite)

        def work() -> None:
            unrestored.extend(importer.restore_decisions(contents.decisions))
            unrestored.extend(people.restore(contents))
            with closing(importer.import_all(contents.images)) as results:
                for _ in report.follow(results, contents.images):
                    pass
            importer.restore_title(contents.about.title)
            albums = AlbumImporter(client, overwrite=args.overwrite)
            unrestored.extend(albums.restore(contents.albums, importer.held))
            patience = GROUP_SECONDS if report.counts[AddStatus.INDEXED] else 0
            unrestored.extend(importer.restore_choices(contents.chosen, patience=patience))

        status = run_to_end(work, lambda: report.left(contents.images, uploader.unsettled))
    print(report.summary())
    for sentence in unrestored:
        print(printable(f"  {sentence}"))
    if importer.differing:
        print(
            f"  {importer.differing:,} images have other annotations in the collection, which stayed. To replace "
            "them, add --overwrite."
        )
    if args.json:
        report.write(args.json)
    return status or (EXIT_REFUSED if report.refused or unrestored else 0)
