"""Return freed memory to the system, where the C library is glibc."""

import ctypes
import threading
from typing import Final

TRIM_SECONDS: Final = 60
"""How often what the heap has freed is returned."""
ARENAS: Final = 2
"""Heaps that the threads share. By default there are eight for each processor, and each keeps the most that it ever
needed."""
MAPPED_BYTES: Final = 1024 * 1024
"""Size from which on a block is mapped, and so returned as soon as it is freed. By default the size grows to that of
the largest block freed so far, up to 32 MiB, after which images lie in the heaps."""

_MMAP_THRESHOLD, _ARENA_MAX = -3, -8
"""Numbers of the parameters in glibc's malloc.h."""


def bound_heaps() -> None:
    """Limit how much memory the C library keeps; call it before there are threads."""
    change = getattr(ctypes.CDLL(None), "mallopt", None)
    if change is not None:
        change(_ARENA_MAX, ARENAS)
        change(_MMAP_THRESHOLD, MAPPED_BYTES)


def keep_trimmed(stopped: threading.Event) -> None:
    """Return the free pages of all heaps to the system again and again, until stopped."""
    release = getattr(ctypes.CDLL(None), "malloc_trim", None)
    while release is not None and not stopped.wait(TRIM_SECONDS):
        release(0)
