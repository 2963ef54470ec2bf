"""`make run`: the whole system on this machine, until Ctrl-C."""

import argparse
import json
import logging
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from infra.local import seed
from infra.local.cloud import LocalCloud, local_cloud

if TYPE_CHECKING:
    from fastapi import FastAPI


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m infra.local",
        description="Run PicTrace on this machine: the real stack in an emulator, the API and the web page.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=8000, help="where the page and the API are served")
    parser.add_argument("--pictures", type=Path, help="folder to index instead of the sample pictures")
    parser.add_argument(
        "--model-dir", type=Path, default=Path(".build/resnet50"), help="what `python -m layers.resnet50.export` wrote"
    )
    return parser.parse_args(argv)


@contextmanager
def serving(app: "FastAPI", port: int) -> Iterator[str]:
    """Serve `app` on loopback from a thread; gives its address.

    Raises:
        RuntimeError: the server did not come up.
    """
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="api", daemon=True)
    thread.start()
    try:
        while not server.started:
            if not thread.is_alive():
                raise RuntimeError(f"the API could not be served on port {port}")
            time.sleep(0.01)
        yield f"http://localhost:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)


def announce(cloud: LocalCloud, url: str, untrained: bool) -> None:
    print(f"\n  PicTrace   {url}          (the page)")
    print(f"             {url}/docs     (the API)")
    print(f"  emulator   {cloud.endpoint}   bucket {cloud.outputs['BucketName']}")
    print("  open to everyone on this machine, and nothing is kept: stopping it forgets the pictures.")
    if untrained:
        print("  NOTE: the model is untrained (no ImageNet weights here): candidates are weaker, and no labels.")
    print("  Ctrl-C stops it.\n", flush=True)


def main(argv: list[str] | None = None) -> int:
    wanted = arguments(argv)
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        untrained = not json.loads((wanted.model_dir / "model.json").read_text(encoding="utf-8"))["has_labels"]
    except FileNotFoundError:
        print(
            f"pictrace: there is no model in {wanted.model_dir}. "
            f"Make it: python -m layers.resnet50.export --out {wanted.model_dir}",
            file=sys.stderr,
        )
        return 1
    print("starting the local cloud ...", flush=True)
    try:
        with local_cloud(wanted.model_dir.resolve()) as cloud, serving(cloud.app, wanted.port) as url:
            paths = seed.pictures_in(wanted.pictures) if wanted.pictures else seed.sample_pictures()
            started = time.monotonic()
            print(seed.summary(seed.index(url, paths)), f"in {time.monotonic() - started:.1f} s")
            announce(cloud, url, untrained)
            threading.Event().wait()
    except KeyboardInterrupt:
        print("\nstopped.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
