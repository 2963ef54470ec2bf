"""Compare every image of a collection again, and put it into its group of near-duplicates."""

import argparse
import os
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import httpx

from infra.operate.deployed_stack import DeployedStack
from infra.operate.index import parse_collection
from infra.operate.smoke import KEY_VARIABLE
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
    if stack is None:
        return _through_api(args.url, args.key, args.collection)
    dynamodb = dynamodb_client()
    messages = IngestMessages(sqs_client(), stack.outputs["QueueUrl"])
    scans = DuplicateScans(DynamoScans(dynamodb, stack.table), messages)
    images, _ = DynamoCatalogue(dynamodb, stack.table).count(args.collection)
    started = scans.start(args.collection, images)
    return _follow(started, lambda: scans.find(args.collection))


def _through_api(url: str, key: str | None, collection: str) -> int:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    with httpx.Client(base_url=url, headers=headers, params={"collection": collection}, timeout=30) as client:

        def state(method: str) -> DuplicateScan:
            answer = client.request(method, "/v1/duplicates/check")
            if answer.is_error:
                raise LookupError(f"{url} answered {answer.status_code}: {answer.json().get('detail', '')}")
            found = answer.json()
            return DuplicateScan(
                collection,
                "",
                ScanStatus(found["status"]),
                found["images"],
                found["started_at"],
                done=found["done"],
                changed=found["changed"],
            )

        return _follow(state("POST"), lambda: state("GET"))


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
