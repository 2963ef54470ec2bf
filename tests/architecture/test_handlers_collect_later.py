"""Nothing is collected while the functions' modules are imported, and everything as usual afterwards."""

import subprocess
import sys

import pytest

PROGRAM = """
import gc, importlib, sys
collections = []
gc.callbacks.append(lambda phase, info: collections.append(phase))
collections.clear()
importlib.import_module(sys.argv[1])
print(collections.count("start") <= 1, gc.isenabled(), gc.get_freeze_count() > 100_000)
"""


@pytest.mark.parametrize("module", ["functions.api.handler", "functions.ingest.handler"])
def test_no_garbage_is_collected_before_a_function_is_imported(module: str) -> None:
    """The first collection is due as soon as it is allowed again, and finds everything frozen."""
    done = subprocess.run([sys.executable, "-c", PROGRAM, module], capture_output=True, text=True, check=True)
    assert done.stdout == "True True True\n"
