"""`python -m infra.container check` and `pin`: `make image-check` and `make image-pin`."""

import argparse
import sys
from pathlib import Path

from infra.container.check import DOCKERFILE, LOCAL_DOCKERFILE, ROOT, check
from infra.container.pin import pin


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.container")
    commands = parser.add_subparsers(dest="command", required=True)
    checking = commands.add_parser("check", help="check the packages and code that the images hold")
    checking.add_argument(
        "--model-dir", type=Path, default=ROOT / ".build" / "model", help="folder of the exported model"
    )
    checking.add_argument(
        "--arm64-root",
        type=Path,
        default=Path("~/.cache/pictrace/arm64").expanduser(),
        help="folder of the arm64 system to emulate (docs/development/container-image.md)",
    )
    pinning = commands.add_parser("pin", help="pin the base images to the current digests of their tags")
    pinning.add_argument("--dry-run", action="store_true", help="write nothing, and fail if a digest is outdated")
    wanted = parser.parse_args(argv)
    if wanted.command == "check":
        return check(wanted.model_dir, wanted.arm64_root)
    return max(pin(file, dry_run=wanted.dry_run) for file in (DOCKERFILE, LOCAL_DOCKERFILE))


if __name__ == "__main__":
    sys.exit(main())
