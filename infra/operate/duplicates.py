"""Compare every image of a collection again, and put it into its group of near-duplicates."""

import argparse
import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from infra.operate.collection_client import CollectionClient
from infra.operate.connection import EXIT_STOPPED
from infra.operate.deployed_stack import DeployedStack
from infra.operate.index import parse_collection
from infra.operate.progress import EXIT_INTERRUPTED
from infra.operate.prompts import printable
from infra.operate.smoke import KEY_VARIABLE
from infra.operate.upload_client import ServerFailed
from shared.aws.clients import dynamodb_client, sqs_client
from shared.aws.dynamodb.catalogue import DynamoCatalogue
from shared.aws.dynamodb.duplicate_scans import DynamoScans
from shared.aws.ingest_messages import IngestMessages
from shared.domain.duplicate_scans import DuplicateScan, ScanStatus
from shared.domain.limits import DEFAULT_COLLECTION
from shared.search.duplicate_scans import DuplicateScans

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

SECONDS: Final = 2.0
"""Time between two looks at the progress."""


def add_parser(subparsers: "Subparsers") -> None:
    parser = subparsers.add_parser(
        "duplicates",
        help="compare every image of a collection again, and group near-duplicates",
        description="Compare every image of a collection with its nearest ones again, for example those that an older "
        "version stored. The ingest function does it; this command shows its progress and may be stopped.",
        epilog="Exit status: 0 if all were compared, 1 if it was given up, 2 for a wrong command line, 3 if the server "
        "could not be used, 130 after Ctrl-C, which does not stop the comparison.",
    )
    parser.add_argument("--look-again", action="store_true", required=True, help="start comparing")
    parser.add_argument(
        "--collection", type=parse_collection, default=DEFAULT_COLLECTION, help="(default: %(default)s)"
    )
    parser.add_argument("--url", help="address of the API; with it, AWS is not called")
    parser.add_argument(
        "--key",
        default=os.environ.get(KEY_VARIABLE),
        help=f"a key with the scopes search and write, for --url (default: the variable {KEY_VARIABLE})",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, stack: DeployedStack | None) -> int:
    try:
        if stack is None:
            return _through_api(args.url, args.key, args.collection)
        return _through_stack(stack, args.collection)
    except ServerFailed as failed:
        print(printable(f"pictrace: {failed}"), file=sys.stderr)
        return EXIT_STOPPED
    except KeyboardInterrupt:
        print("\npictrace: stopped. The comparison goes on without this command.", file=sys.stderr)
        return EXIT_INTERRUPTED


def _through_stack(stack: DeployedStack, collection: str) -> int:
    dynamodb = dynamodb_client()
    messages = IngestMessages(sqs_client(), stack.outputs["QueueUrl"])
    scans = DuplicateScans(DynamoScans(dynamodb, stack.table), messages)
    images, _ = DynamoCatalogue(dynamodb, stack.table).count(collection)
    return _follow(scans.start(collection, images), lambda: scans.find(collection))


def _through_api(url: str, key: str | None, collection: str) -> int:
    with CollectionClient(url, key, collection) as client:

        def state(found: Mapping[str, Any]) -> DuplicateScan:
            return DuplicateScan(
                collection,
                "",
                ScanStatus(found["status"]),
                found["images"],
                found["started_at"],
                done=found["done"],
                changed=found["changed"],
            )

        return _follow(state(client.start_check()), lambda: state(client.check_state()))


def _follow(scan: DuplicateScan, read: Callable[[], DuplicateScan | None]) -> int:
    """Print the progress of a scan until it ends; return the exit status."""
    shown = -1
    while True:
        if scan.done != shown:
            print(f"{scan.done:,} of {scan.images:,} images compared, {scan.changed:,} in another group", flush=True)
            shown = scan.done
        match scan.status:
            case ScanStatus.DONE:
                return 0
            case ScanStatus.FAILED:
                print("It was given up because PicTrace failed. Run the command again.", file=sys.stderr)
                return 1
        time.sleep(SECONDS)
        found = read()
        if found is None or found.started_at < scan.started_at:
            print("The collection's check is not known any more.", file=sys.stderr)
            return 1
        scan = found
