"""One target in a process of its own: `python -m tests.fuzz.one NAME [options of libFuzzer] [folder of inputs]`."""

import sys

import atheris

GUIDES = [
    "shared",
    "functions.api.queries",
    "starlette.formparsers",
    "python_multipart",
    "aws_lambda_powertools.utilities.data_classes",
]
"""Modules whose coverage guides the search: those that are imported instrumented."""

if __name__ == "__main__":
    with atheris.instrument_imports(include=GUIDES):
        from tests.fuzz.targets import TARGETS
    name = sys.argv.pop(1)
    atheris.Setup(sys.argv, TARGETS[name].run)
    atheris.Fuzz()
