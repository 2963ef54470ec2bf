"""One target in a process of its own: `python -m tests.fuzz.one NAME [options of libFuzzer] [folder of inputs]`."""

import resource
import sys
from pathlib import Path

import atheris

from shared.domain.limits import MAX_DECODE_MEMORY

GUIDES = [
    "shared",
    "functions.api.queries",
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


if __name__ == "__main__":
    with atheris.instrument_imports(include=GUIDES):
        from tests.fuzz.targets import TARGETS
    name = sys.argv.pop(1)
    limit_memory()
    atheris.Setup(sys.argv, TARGETS[name].run)
    atheris.Fuzz()
