"""The options of the commands that call the API, and the key with which they do."""

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from infra.operate.deployed_stack import DeployedStack
from infra.operate.progress import EXIT_INTERRUPTED
from infra.operate.prompts import printable
from infra.operate.smoke import KEY_VARIABLE, StackOperator
from infra.operate.upload_client import ServerFailed
from infra.operate.uploader import PARALLEL
from shared.domain.limits import MAX_KEY_CALLS_PER_MINUTE

EXIT_REFUSED: Final = 1
GO_ON: Final = "To go on, run the same command again"
EXIT_STOPPED: Final = 3
"""The server could not be used, so not every image was tried."""
KEY_MINUTES: Final = 30 * 24 * 60
"""The temporary key of a run is deleted at its end; if that fails, it expires after this time."""
MAX_PARALLEL: Final = 64


def add_connection(parser: argparse.ArgumentParser, scopes: str) -> None:
    """Add `--url`, `--key` and `--parallel`.

    Args:
        scopes: what the key must allow, in words.
    """
    parser.add_argument("--url", help="address of the API; with it, AWS is not called (default: the stack's ApiUrl)")
    parser.add_argument(
        "--key",
        default=os.environ.get(KEY_VARIABLE),
        help=f"a key with {scopes}, or a token of your identity provider "
        f"(default: the environment variable {KEY_VARIABLE}, else a temporary key of the stack)",
    )
    parser.add_argument(
        "--parallel", type=_parallel, default=PARALLEL, metavar="N", help="files in progress (default: %(default)s)"
    )


def _parallel(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= MAX_PARALLEL:
        raise argparse.ArgumentTypeError(f"a number from 1 to {MAX_PARALLEL}")
    return int(text)


def api_url(given: str | None, stack: DeployedStack | None) -> str:
    """Return the address that was given, or that of the stack.

    Raises:
        LookupError: there is neither.
    """
    url = given or (stack.outputs.get("ApiUrl") if stack else None)
    if not url:
        raise LookupError("this stack has no output ApiUrl (an emulated one never has). Give the address with --url.")
    return url


def announce(doing: str, url: str, stack: DeployedStack | None, collection: str) -> None:
    """Say where images go: a forgotten `--url` or `--collection` names a deployment and its default collection.

    Args:
        doing: what is done, such as "adding to".
    """
    where = f"the stack {stack.name}, {url}" if stack else url
    print(f"{doing} the collection {collection} of {printable(where)}", file=sys.stderr, flush=True)


@contextmanager
def api_key(
    given: str | None, stack: DeployedStack | None, collection: str, name: str, *, admin: bool = False
) -> Iterator[str | None]:
    """Provide the key that was given, or create one for the stack and delete it at the end.

    Args:
        name: of the key that is created.
        admin: whether it must be allowed to change the settings of the collection.
    """
    if given or stack is None:
        yield given
        return
    operator = StackOperator(stack)
    try:
        yield operator.create_key(
            collection, name=name, minutes=KEY_MINUTES, per_minute=MAX_KEY_CALLS_PER_MINUTE, admin=admin
        )
    finally:
        operator.delete_key()


def run_to_end(work: Callable[[], None], left: Callable[[], str]) -> int:
    """Run; return 0, or say why it was stopped and return the exit status.

    Args:
        left: says what remains to be done.
    """
    try:
        work()
    except KeyboardInterrupt:
        print(f"\npictrace: stopped.{left()} {GO_ON}.", file=sys.stderr)
        return EXIT_INTERRUPTED
    except ServerFailed as failed:
        go_on = "Name a key that may do this: --key, or PICTRACE_KEY" if failed.denied else GO_ON
        print(f"pictrace: {printable(str(failed)).rstrip('.')}. {go_on}.", file=sys.stderr)
        return EXIT_STOPPED
    return 0
