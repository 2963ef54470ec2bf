"""Suppress output of native code: TensorFlow's writes to the terminal regardless of its log settings."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator


@contextlib.contextmanager
def suppress_output() -> Iterator[None]:
    """Hold back all standard output and error, of Python and native code, and show it only if an exception occurs."""
    sys.stdout.flush()
    sys.stderr.flush()
    originals = [os.dup(stream) for stream in (1, 2)]
    with tempfile.TemporaryFile() as captured:
        for stream in (1, 2):
            os.dup2(captured.fileno(), stream)
        failed = True
        try:
            yield
            failed = False
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for stream, original in zip((1, 2), originals, strict=True):
                os.dup2(original, stream)
                os.close(original)
            if failed:
                captured.seek(0)
                os.write(2, captured.read())
