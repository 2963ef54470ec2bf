"""`make run`: run the whole system on this machine until Ctrl-C."""

import argparse
import logging
import os
import shlex
import signal
import sqlite3
import sys
import threading
import time
from contextlib import closing
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING, Final

from infra.local import memory
from infra.local.arguments import add_common, faces_dir
from infra.local.data_folder import THROW_AWAY, DataFolder, FolderUnusable, data_folder, default_path
from infra.local.serving import LOOPBACK, PortUnusable, bind, serving
from shared.domain.model_card import EXPORT_COMMAND, ModelCard
from shared.embedded.database_format import UnusableDatabase

if TYPE_CHECKING:
    from infra.local.system import LocalSystem

COMMANDS: Final = ("keys", "redrive", "refusals", "backup", "check")


def parse_arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m infra.local",
        description="Run PicTrace on this machine: the API and the web page, over a folder that keeps everything.",
        epilog=f"Commands on a folder: {', '.join(f'python -m infra.local {name} --help' for name in COMMANDS)}",
    )
    add_common(
        parser,
        images="instead of the sample images that a new data folder gets",
        closed="the first is printed once",
    )
    parser.add_argument(
        "--data",
        help=f"folder that keeps everything; {THROW_AWAY}: one that is removed at the end (default: {default_path()})",
    )
    parser.add_argument(
        "--host",
        type=IPv4Address,
        default=LOOPBACK,
        metavar="ADDRESS",
        help="listen on the interface with this address; 0.0.0.0: on all of them, as in a container. If other machines "
        "may reach it, keys are required unless --open is given (default: %(default)s)",
    )
    parser.add_argument("--open", action="store_true", help="with --host: require no keys")
    args = parser.parse_args(argv)
    if args.open and args.closed:
        parser.error("--open and --closed exclude each other")
    args.closed |= not args.host.is_loopback and not args.open
    return args


def main(argv: list[str] | None = None) -> int:
    argv = sys.argv[1:] if argv is None else argv
    if argv and argv[0] in COMMANDS:
        from infra.local import commands

        return commands.main(argv)
    args = parse_arguments(argv)
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    memory.bound_heaps()
    try:
        card = ModelCard.read(args.model_dir)
    except FileNotFoundError:
        return _fail(f"there is no model in {args.model_dir}. To export it: {EXPORT_COMMAND} {args.model_dir}")
    try:
        with closing(bind(args.port, args.host)) as listener, data_folder(args.data) as folder:
            print("starting ...", flush=True)
            if folder.is_new and not folder.throw_away:
                print(f"{folder.path} is a new data folder, with nothing in it yet", flush=True)
            from infra.local.system import local_system

            with (
                local_system(
                    folder, args.model_dir.resolve(), faces_dir=faces_dir(args), closed=args.closed, pdq=args.pdq
                ) as system,
                serving(system.app, listener) as url,
            ):
                add_images(args, folder, system, url)
                announce(folder, system, url, card, args)
                threading.Event().wait()
    except (FolderUnusable, PortUnusable, UnusableDatabase) as unusable:
        return _fail(str(unusable))
    except (sqlite3.OperationalError, OSError) as error:
        from infra.local.outages import explained

        reason = explained(error)
        if reason is None:
            raise
        return _fail(reason)
    except KeyboardInterrupt:
        print("\nstopped.")
    return 0


def add_images(args: argparse.Namespace, folder: DataFolder, system: "LocalSystem", url: str) -> None:
    """Index the files that the caller names or, in a new folder, the sample images."""
    if args.images is None and not folder.is_new:
        return
    from infra.local import seed

    paths = seed.list_files(args.images) if args.images else seed.sample_images()
    if not paths:
        print(f"there is no file in {args.images}: upload images on the page, or choose another folder")
        return
    print(f"indexing {len(paths):,} files; {url} can be used meanwhile", flush=True)
    started = time.monotonic()
    key, text = system.create_admin_key("indexing of a folder") if args.closed else (None, None)
    try:
        print(seed.summary(seed.index(url, paths, key=text), time.monotonic() - started))
    except seed.ServerFailed as failed:
        print(f"pictrace: {failed}", file=sys.stderr)
    finally:
        if key:
            system.keys.delete(key.key_id)


def announce(folder: DataFolder, system: "LocalSystem", url: str, card: ModelCard, args: argparse.Namespace) -> None:
    on_folder = f" --data {shlex.quote(str(folder.path))}" if args.data else ""
    print(f"\n  PicTrace   {url}          (the page)")
    print(f"             {url}/docs     (the API)")
    if folder.throw_away:
        print(f"  data       {folder.path}, which is removed when you stop it")
    else:
        print(f"  data       {folder.path}, where everything is kept")
        if not folder.is_private:
            print("  NOTE: other users of this machine may look into this folder. To keep them out:")
            print(f"        chmod go= {shlex.quote(str(folder.path))}")
    if not args.closed:
        print(f"  OPEN to everyone {'on this machine' if args.host.is_loopback else 'who can reach this port'}.")
    elif system.has_admin_key():
        print(f"  CLOSED: every call on data needs a key. To create one: {_command(f'keys{on_folder} create --help')}")
    else:
        _, text = system.create_admin_key("local admin")
        print("  CLOSED: every call on data needs a key. This key has all rights, and is shown only once:")
        print(f"\n    {text}\n")
        print(f"  Others: {_command(f'keys{on_folder} create --help')}")
    print(f"  model      {card.id}")
    if card.notice:
        print(f"  NOTE: {card.notice}")
        print("        docs/reference/models.md explains how to get them.")
    if missing := system.model_change.missing():
        described = "1 image was described" if missing == 1 else f"{missing:,} images were described"
        print(f"  NOTE: {described} by another model. All are described by {card.id} in the")
        print("        background; until then a search does not find them. If one cannot be described, this says why:")
        print(f"        {_command(f'refusals{on_folder}')}")
    if failed := system.failed_uploads.count():
        print(f"  NOTE: {failed:,} {'file' if failed == 1 else 'files'} could not be indexed. This says which and why:")
        print(f"        {_command(f'redrive --list{on_folder}')}")
        print("        Without --list it has them tried again.")
    print("  Press Ctrl-C to stop.\n", flush=True)


def _command(arguments: str) -> str:
    """Return a command of this module as it can be typed in the current directory."""
    python = Path(sys.executable)
    if python.is_relative_to(Path.cwd()):
        python = python.relative_to(Path.cwd())
    return f"{python} -m infra.local {arguments}"


def _fail(reason: str) -> int:
    print(f"pictrace: {reason}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    os.umask(0o077)  # the database has the names of all images, and signs the links to them
    sys.exit(main())
