"""Add files from this machine to a local run or a deployment."""

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from infra.operate.add_report import AddReport
from infra.operate.deployed_stack import DeployedStack
from infra.operate.index import parse_collection
from infra.operate.local_files import FoundFile, find_files
from infra.operate.progress import EXIT_INTERRUPTED
from infra.operate.prompts import printable
from infra.operate.smoke import KEY_VARIABLE, StackOperator
from infra.operate.upload_client import ServerFailed, UploadClient
from infra.operate.uploader import PARALLEL, AddResult, Uploader
from shared.domain.limits import DEFAULT_COLLECTION, MAX_KEY_CALLS_PER_MINUTE

if TYPE_CHECKING:
    from infra.operate.folder_watch import FolderWatch

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

EXIT_REFUSED: Final = 1
EXIT_STOPPED: Final = 3
"""The server could not be used, so not every file was tried."""
KEY_MINUTES: Final = 30 * 24 * 60
"""The temporary key of a run is deleted at its end; if that fails, it expires after this time."""
MAX_PARALLEL: Final = 64


def add_parser(subparsers: "Subparsers") -> None:
    parser = subparsers.add_parser(
        "add",
        help="add files from this machine to a local run or a deployment",
        description="Upload files, folders with all that is in them, or patterns in quotes, and wait until they are "
        "indexed. Images that the collection has are not sent, so the same command goes on where it was stopped.",
        epilog="Exit status: 0 if every image is in, 1 if some were refused, 2 for a wrong command line, 3 if the "
        "server could not be used, 130 after Ctrl-C.",
    )
    parser.add_argument("paths", nargs="+", metavar="DIR|FILE|GLOB", help="what to add")
    parser.add_argument("--url", help="address of the API; with it, AWS is not called (default: the stack's ApiUrl)")
    parser.add_argument(
        "--key",
        default=os.environ.get(KEY_VARIABLE),
        help="a key with the scopes search and write, or a token of your identity provider "
        f"(default: the environment variable {KEY_VARIABLE}, else a temporary key of the stack)",
    )
    parser.add_argument(
        "--collection",
        type=parse_collection,
        default=DEFAULT_COLLECTION,
        help="where the images go (default: %(default)s)",
    )
    parser.add_argument(
        "--parallel", type=_parallel, default=PARALLEL, metavar="N", help="files in progress (default: %(default)s)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write a report of what was not added, and why")
    parser.add_argument("--watch", action="store_true", help="go on with files that come, until Ctrl-C")
    parser.add_argument("--delete", action="store_true", help="with --watch: remove the images of files that go")
    parser.set_defaults(run=run)


def _parallel(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= MAX_PARALLEL:
        raise argparse.ArgumentTypeError(f"a number from 1 to {MAX_PARALLEL}")
    return int(text)


def run(args: argparse.Namespace, stack: DeployedStack | None) -> int:
    url = args.url or (stack.outputs.get("ApiUrl") if stack else None)
    if not url:
        raise LookupError("this stack has no output ApiUrl (a local run never has one). Give the address with --url.")
    if args.delete and not args.watch:
        raise LookupError("--delete needs --watch: without it, nothing tells which files are gone.")
    folders = [Path(name).expanduser().resolve() for name in args.paths if Path(name).expanduser().is_dir()]
    if args.watch and not folders:
        raise LookupError("--watch needs a folder.")
    watch = _watch(folders) if args.watch else None
    files = list(find_files(args.paths))
    report = AddReport(url, args.collection)
    with _key(args.key, stack, args.collection) as key, UploadClient(url, key, args.collection) as client:
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
    try:
        uploader.look_up(len(files))
        with closing(uploader.add_all(files)) as results:
            for result in report.follow(results, len(files)):
                _note(held, result)
        if watch:
            print(f"{report.summary()}\nfollowing the folder. Press Ctrl-C to stop.", flush=True)
            _follow(uploader, report, watch, held, delete=delete)
    except KeyboardInterrupt:
        done = report.counts.total()
        left = "" if done >= len(files) else f" {len(files) - done:,} of {len(files):,} files are left."
        sent = f" {uploader.unsettled} were sent and will still be indexed." if uploader.unsettled else ""
        print(f"\npictrace: stopped.{left}{sent} To go on, run the same command again.", file=sys.stderr)
        return 0 if watch and done >= len(files) else EXIT_INTERRUPTED
    except ServerFailed as failed:
        print(f"pictrace: {printable(str(failed))}. To go on, run the same command again.", file=sys.stderr)
        return EXIT_STOPPED
    return 0


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


@contextmanager
def _key(given: str | None, stack: DeployedStack | None, collection: str) -> Iterator[str | None]:
    """Provide the key that was given, or create one for the stack and delete it at the end."""
    if given or stack is None:
        yield given
        return
    operator = StackOperator(stack)
    try:
        yield operator.create_key(collection, name="add", minutes=KEY_MINUTES, per_minute=MAX_KEY_CALLS_PER_MINUTE)
    finally:
        operator.delete_key()
