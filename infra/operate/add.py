"""Add files from this machine to a local run or a deployment."""

import argparse
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from infra.operate.add_report import AddReport, require_writable
from infra.operate.connection import EXIT_REFUSED, add_connection, announce, api_key, api_url, run_to_end
from infra.operate.deployed_stack import DeployedStack
from infra.operate.index import parse_collection
from infra.operate.local_files import FoundFile, find_files
from infra.operate.progress import EXIT_INTERRUPTED
from infra.operate.prompts import printable
from infra.operate.upload_client import UploadClient
from infra.operate.uploader import AddResult, Uploader
from shared.domain.limits import DEFAULT_COLLECTION

if TYPE_CHECKING:
    from infra.operate.folder_watch import FolderWatch

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(subparsers: "Subparsers") -> None:
    parser = subparsers.add_parser(
        "add",
        help="add files from this machine to a local run or a deployment",
        description="Upload files, folders with all that is in them, or patterns in quotes, and wait until they are "
        "indexed. Images that the collection has are not sent, so the same command continues where it was stopped.",
        epilog="Exit status: 0 if every image is in, 1 if some were refused, 2 for a wrong command line, 3 if the "
        "server could not be used, 130 after Ctrl-C.",
    )
    parser.add_argument("paths", nargs="+", metavar="DIR|FILE|GLOB", help="what to add")
    add_connection(parser, "the scopes search and write")
    parser.add_argument(
        "--collection",
        type=parse_collection,
        default=DEFAULT_COLLECTION,
        help="where the images go (default: %(default)s)",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write a report of what was not added, and why")
    parser.add_argument("--watch", action="store_true", help="then follow the folders and add new files, until Ctrl-C")
    parser.add_argument("--delete", action="store_true", help="with --watch: delete the images of deleted files")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, stack: DeployedStack | None) -> int:
    url = api_url(args.url, stack)
    if args.delete and not args.watch:
        raise LookupError("--delete needs --watch: without it, it is not known which files were deleted.")
    folders = [Path(name).expanduser().resolve() for name in args.paths if Path(name).expanduser().is_dir()]
    if args.watch and not folders:
        raise LookupError("--watch needs a folder.")
    if args.json:
        require_writable(args.json)
    watch = _watch(folders) if args.watch else None
    files = list(find_files(args.paths))
    report = AddReport(url, args.collection)
    announce("adding to", url, stack, args.collection)
    with api_key(args.key, stack, args.collection, "add") as key, UploadClient(url, key, args.collection) as client:
        uploader = Uploader(client, parallel=args.parallel)
        status = _run(uploader, report, files, watch, delete=args.delete)
    print(report.summary())
    if args.json:
        report.write(args.json)
    return status or (EXIT_REFUSED if report.refused else 0)


def _run(
    uploader: Uploader, report: AddReport, files: list[FoundFile], watch: "FolderWatch | None", *, delete: bool
) -> int:
    """Add files and follow folders; return the exit status if it did not end by itself."""
    held: dict[Path, str] = {}

    def work() -> None:
        uploader.look_up(len(files))
        with closing(uploader.add_all(files)) as results:
            for result in report.follow(results, len(files)):
                _note(held, result)
        if watch:
            print(f"{report.summary()}\nfollowing the folder. Press Ctrl-C to stop.", flush=True)
            _follow(uploader, report, watch, held, delete=delete)

    status = run_to_end(work, lambda: report.left(len(files), uploader.unsettled))
    ended = watch and report.counts.total() >= len(files)
    return 0 if ended and status == EXIT_INTERRUPTED else status


def _follow(
    uploader: Uploader, report: AddReport, watch: "FolderWatch", held: dict[Path, str], *, delete: bool
) -> None:
    """Add what comes; what goes is removed last, so that a file that moved keeps its image."""
    for change in watch.changes():
        replaced = [held[path.resolve()] for path in change.came if path.resolve() in held]
        with closing(uploader.add_all(map(FoundFile, change.came))) as results:
            for result in results:
                report.add(result)
                _note(held, result)
                print(
                    printable(f"{result.status}: {result.path}" + (f": {result.reason}" if result.reason else "")),
                    flush=True,
                )
        gone = [path for entry in change.gone for path in _held_below(held, entry.resolve())]
        left = [(str(path), held.pop(path)) for path in gone]
        left += [("an earlier version", image_id) for image_id in replaced]
        for name, image_id in left:
            if image_id in held.values():
                continue
            if delete:
                uploader.remove(image_id)
            print(printable(f"{'removed' if delete else 'kept'}: the image {image_id[:12]}… of {name}"), flush=True)


def _held_below(held: dict[Path, str], gone: Path) -> list[Path]:
    """Return the files at or below a path that is gone."""
    return [gone] if gone in held else [path for path in held if path.is_relative_to(gone)]


def _watch(folders: list[Path]) -> "FolderWatch":
    from infra.operate.folder_watch import FolderWatch

    watch = FolderWatch(folders)
    watch.start()
    return watch


def _note(held: dict[Path, str], result: AddResult) -> None:
    """Remember which image a file holds."""
    path = result.path.resolve()
    if result.image_id:
        held[path] = result.image_id
    else:
        held.pop(path, None)
