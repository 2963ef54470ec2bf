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
"""Modules whose coverage guides the search: those that are imported instrumented."""


def limit_memory() -> None:
    """As a decoder's own process is limited: what takes more is refused there, and raises MemoryError here."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * resource.getpagesize() + MAX_DECODE_MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def keeping(run: Callable[[bytes], None], prefix: str) -> Callable[[bytes], None]:
    """`run`, which writes what breaks it where libFuzzer would: that is not always left the time to."""

    def tried(data: bytes) -> None:
        try:
            run(data)
        except BaseException:
            Path(f"{prefix}crash-{hashlib.sha1(data).hexdigest()}").write_bytes(data)  # noqa: S324 - libFuzzer's name
            raise

    return tried


if __name__ == "__main__":
    with atheris.instrument_imports(include=GUIDES):
        from tests.fuzz.targets import TARGETS
    name = sys.argv.pop(1)
    limit_memory()
    prefix = next((option.partition("=")[2] for option in sys.argv if option.startswith("-artifact_prefix=")), "")
    atheris.Setup(sys.argv, keeping(TARGETS[name].run, prefix))
    atheris.Fuzz()
