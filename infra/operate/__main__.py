"""`python -m infra.operate`: what an operator does to a deployed stack, with their own AWS credentials."""

import argparse
import signal
import sys
from typing import Final

from infra.operate import adopt, index, keys, redrive, reindex, smoke
from infra.operate.stack import Stack, default_name
from shared.domain.errors import NotFound

COMMANDS: Final = (index, keys, redrive, reindex, adopt, smoke)
"""Each module has `add_parser(subparsers)` and `run(args, stack)`, which returns the exit status. A command that was
given a `--url` acts on that address; its stack is None."""


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m infra.operate",
        description="Operate a deployed PicTrace. AWS credentials, region and AWS_ENDPOINT_URL come from the "
        "environment, as for the AWS command line.",
    )
    parser.add_argument(
        "--stack", default=default_name(), help="the CloudFormation stack (default: %(default)s, the stage of cdk.json)"
    )
    subparsers = parser.add_subparsers(metavar="command", required=True)
    for module in COMMANDS:
        module.add_parser(subparsers)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    args = arguments(argv)
    try:
        stack = None if getattr(args, "url", None) else Stack.find(args.stack)
        return int(args.run(args, stack))
    except (LookupError, NotFound) as error:
        print(f"pictrace: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what stops a command lets it end as Ctrl-C does
    sys.exit(main())
