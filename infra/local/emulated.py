"""`make emulate`: run the real stack in an emulator on this machine until Ctrl-C, and keep nothing."""

import argparse
import logging
import signal
import sys
import threading
import time

from infra.app import template_from_subprocess
from infra.local import seed
from infra.local.arguments import add_common, faces_dir
from infra.local.cloud import REGION, STACK, LocalCloud, local_cloud
from infra.local.serving import PortUnusable, bind, serving
from shared.aws.clients import dynamodb_client
from shared.aws.dynamodb.api_keys import DynamoApiKeys
from shared.domain.access import Scope
from shared.domain.limits import MAX_KEY_CALLS_PER_MINUTE
from shared.domain.model_card import EXPORT_COMMAND, ModelCard


def parse_arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m infra.local.emulated",
        description="Run PicTrace on this machine: the real stack in an emulator, the API and the web page.",
    )
    add_common(parser, images="instead of the sample images", closed="one is created and printed once")
    return parser.parse_args(argv)


def create_admin_key(cloud: LocalCloud) -> str:
    """Create a key with every right to every collection."""
    keys = DynamoApiKeys(dynamodb_client(), cloud.outputs["TableName"])
    _, text = keys.create(
        name="local admin",
        scopes=frozenset({Scope.ADMIN}),
        collections=None,
        per_minute=MAX_KEY_CALLS_PER_MINUTE,
    )
    return text


def announce(cloud: LocalCloud, url: str, card: ModelCard, key: str | None) -> None:
    print(f"\n  PicTrace   {url}          (the page)")
    print(f"             {url}/docs     (the API)")
    print(f"  emulator   {cloud.endpoint}   bucket {cloud.outputs['BucketName']}")
    if key:
        print("  CLOSED: every call on data needs a key. This key has all rights, and is shown only once:")
        print(f"\n    {key}\n")
        print(f"  Others: AWS_ENDPOINT_URL={cloud.endpoint} AWS_DEFAULT_REGION={REGION} AWS_ACCESS_KEY_ID=local \\")
        print(f"          AWS_SECRET_ACCESS_KEY=local {sys.executable} -m infra.operate --stack {STACK} keys --help")
        print("  Nothing is kept: the images and keys are gone when you stop it.")
    else:
        print("  OPEN to everyone on this machine. Nothing is kept: the images are gone when you stop it.")
    print(f"  model      {card.id}")
    if card.notice:
        print(f"  NOTE: {card.notice}")
        print("        docs/reference/models.md explains how to get them.")
    print("  Press Ctrl-C to stop.\n", flush=True)


def main(argv: list[str] | None = None) -> int:
    args = parse_arguments(argv)
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        card = ModelCard.read(args.model_dir)
    except FileNotFoundError:
        print(
            f"pictrace: there is no model in {args.model_dir}. To export it: {EXPORT_COMMAND} {args.model_dir}",
            file=sys.stderr,
        )
        return 1
    try:
        listener = bind(args.port)
    except PortUnusable as unusable:
        print(f"pictrace: {unusable}", file=sys.stderr)
        return 1
    print("starting the local cloud ...", flush=True)
    try:
        with (
            local_cloud(
                args.model_dir.resolve(),
                template_from_subprocess({"pdq": "on" if args.pdq else "off"}),
                faces_dir=faces_dir(args),
                closed=args.closed,
            ) as cloud,
            serving(cloud.app, listener) as url,
        ):
            key = create_admin_key(cloud) if args.closed else None
            paths = seed.list_files(args.images) if args.images else seed.sample_images()
            if paths:
                started = time.monotonic()
                outcomes = seed.index(url, paths, key=key)
                print(seed.summary(outcomes, time.monotonic() - started))
            else:
                print(f"there is no file in {args.images}: upload images on the page, or choose another folder")
            announce(cloud, url, card, key)
            threading.Event().wait()
    except KeyboardInterrupt:
        print("\nstopped.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
