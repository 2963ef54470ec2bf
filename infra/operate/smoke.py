"""Test a running PicTrace with one image from upload to deletion, and leave nothing behind."""

import argparse
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import httpx
from botocore.exceptions import BotoCoreError, ClientError

from infra.operate.deployed_stack import DeployedStack
from infra.operate.index import parse_collection
from infra.operate.progress import EXIT_INTERRUPTED
from infra.operate.prompts import printable
from infra.operate.round_trip import RoundTrip, StepFailed
from shared.aws.clients import dynamodb_client, s3_client
from shared.aws.dynamodb.api_keys import DynamoApiKeys
from shared.domain.access import Scope
from shared.domain.limits import KEY_CALLS_PER_MINUTE

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

STEPS: Final = ("health", "key", "upload", "index", "search", "delete")
CLEAN_UP: Final = "clean-up"
EXIT_STATUS: Final = {step: number for number, step in enumerate((*STEPS, CLEAN_UP), start=11)}
"""Above the statuses of a wrong command line (2) and of a stack that cannot be read (1)."""

COLLECTION: Final = "smoke"
PATIENCE_SECONDS: Final = 120
KEY_VARIABLE: Final = "PICTRACE_KEY"
KEY_MINUTES: Final = 15
"""A key that could not be deleted expires after this time."""

STEP_ERRORS: Final = (StepFailed, httpx.HTTPError, ClientError, BotoCoreError)


def add_parser(subparsers: "Subparsers") -> None:
    parser = subparsers.add_parser(
        "smoke",
        help="test the running system with one image: upload it, find it by an altered copy, delete it",
        description="Draw an image that is unique to this run, upload it, find it by an altered copy and delete it, "
        "timing each step. Without --url, call the stack's API with a temporary key, which is deleted at the end.",
        epilog="Exit status: 0, or that of the step that failed: "
        + ", ".join(f"{status} {step}" for step, status in EXIT_STATUS.items())
        + ".",
    )
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
        default=COLLECTION,
        help="where the image goes (default: %(default)s)",
    )
    parser.add_argument(
        "--patience",
        type=float,
        default=PATIENCE_SECONDS,
        metavar="SECONDS",
        help="how long to wait for indexing, and again for the search (default: %(default)s)",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, stack: DeployedStack | None) -> int:
    url = args.url or (stack.outputs.get("ApiUrl") if stack else None)
    if not url:
        raise LookupError("this stack has no output ApiUrl (an emulated one never has). Give the address with --url.")
    print(f"PicTrace at {url}", flush=True)
    began = time.monotonic()
    operator = StackOperator(stack) if stack else None
    trip = RoundTrip(url, args.key, collection=args.collection, patience=args.patience, operator=operator)
    try:
        failed = next(filter(None, (_run_step(step, getattr(trip, step)) for step in STEPS)), 0)
    except KeyboardInterrupt:
        failed = EXIT_INTERRUPTED
        print("pictrace: stopped", file=sys.stderr)
    finally:
        cleanup_failed = _run_step(CLEAN_UP, trip.clean_up)
    if not failed and not cleanup_failed:
        print(f"all {len(STEPS)} steps in {time.monotonic() - began:.2f} s", flush=True)
    return failed or cleanup_failed


def _run_step(step: str, work: Callable[[], str]) -> int:
    """Run a step, print its result and time, and return 0 or the step's exit status."""
    began = time.monotonic()
    try:
        result, status = work(), 0
    except STEP_ERRORS as fault:
        result, status = f"FAILED: {fault or type(fault).__name__}", EXIT_STATUS[step]
    print(f"  {EXIT_STATUS[step]} {step:8} {time.monotonic() - began:7.2f} s  {printable(result)}", flush=True)
    return status


class StackOperator:
    """Create a key for one run and remove an object, with the AWS credentials of the stack's operator."""

    def __init__(self, stack: DeployedStack) -> None:
        self._stack = stack
        self._keys = DynamoApiKeys(dynamodb_client(), stack.table)
        self._key_id: str | None = None

    def create_key(
        self,
        collection: str,
        *,
        name: str = "smoke",
        minutes: int = KEY_MINUTES,
        per_minute: int = KEY_CALLS_PER_MINUTE,
        admin: bool = False,
    ) -> str:
        """Create a key that may read and write one collection, and return its text.

        Args:
            admin: whether it may change the settings of the collection, too.
        """
        expires = datetime.now(UTC) + timedelta(minutes=minutes)
        key, text = self._keys.create(
            name=name,
            scopes=frozenset({Scope.SEARCH, Scope.WRITE, *([Scope.ADMIN] if admin else [])}),
            collections=frozenset({collection}),
            per_minute=per_minute,
            expires=expires.isoformat(timespec="seconds"),
        )
        self._key_id = key.key_id
        return text

    def delete_key(self) -> None:
        if self._key_id:
            self._keys.delete(self._key_id)
            self._key_id = None

    def remove_object(self, key: str) -> None:
        s3_client().delete_object(Bucket=self._stack.outputs["BucketName"], Key=key)
