"""`python -m infra.operate`: commands for the operator of a deployed stack, run with their own AWS credentials."""

import argparse
import signal
import sys
from typing import Final

from infra.operate import (
    add,
    adopt,
    duplicates,
    export_collection,
    import_collection,
    index,
    keys,
    redrive,
    reindex,
    smoke,
)
from infra.operate.deployed_stack import DeployedStack, default_stack_name
from shared.domain.errors import NotFound

COMMANDS: Final = (add, export_collection, import_collection, index, keys, redrive, reindex, duplicates, adopt, smoke)
"""Each module has `add_parser(subparsers)` and `run(args, stack)`, which returns the exit status. The stack is None for
a command with a `--url`, which acts on that address instead."""


def parse_arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m infra.operate",
        description="Operate a deployed PicTrace. Credentials, region and AWS_ENDPOINT_URL are read from the "
        "environment, as the AWS command line reads them.",
    )
    parser.add_argument(
        "--stack",
        default=default_stack_name(),
        help="name of the CloudFormation stack (default: %(default)s, from the stage in cdk.json)",
    )
    subparsers = parser.add_subparsers(metavar="command", required=True)
    for module in COMMANDS:
        module.add_parser(subparsers)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    args = parse_arguments(argv)
    try:
        stack = None if getattr(args, "url", None) else DeployedStack.find(args.stack)
        return int(args.run(args, stack))
    except (LookupError, NotFound) as error:
        print(f"pictrace: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends a command as Ctrl-C does
    sys.exit(main())
