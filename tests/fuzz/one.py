"""One target in a process of its own: `python -m tests.fuzz.one NAME [options of libFuzzer] [folder of inputs]`."""

import hashlib
import resource
import sys
from collections.abc import Callable
from pathlib import Path

import atheris

from shared.domain.limits import MAX_DECODE_MEMORY

GUIDES = [
    "shared",
    "functions.api.query_image",
    "starlette.formparsers",
    "python_multipart",
    "aws_lambda_powertools.utilities.data_classes",
]
"""Modules that are instrumented when they are imported, so that their coverage guides the search."""


def limit_memory() -> None:
    """Limit memory as in a decoder's own process, so that an input that needs more raises MemoryError."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * resource.getpagesize() + MAX_DECODE_MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def save_crashes(run: Callable[[bytes], None], prefix: str) -> Callable[[bytes], None]:
    """Wrap `run` so that inputs that break it are saved where libFuzzer would, which does not always get the time."""

    def run_and_save(data: bytes) -> None:
        try:
            run(data)
        except BaseException:
            Path(f"{prefix}crash-{hashlib.sha1(data).hexdigest()}").write_bytes(data)  # noqa: S324 - libFuzzer's name
            raise

    return run_and_save


if __name__ == "__main__":
    with atheris.instrument_imports(include=GUIDES):
        from tests.fuzz.targets import TARGETS
    name = sys.argv.pop(1)
    limit_memory()
    prefix = next((option.partition("=")[2] for option in sys.argv if option.startswith("-artifact_prefix=")), "")
    atheris.Setup(sys.argv, save_crashes(TARGETS[name].run, prefix))
    atheris.Fuzz()
