"""Decoders that misbehave in the ways in which real ones have: what `test_decode_sandbox` runs in processes.

The bytes of a "image" name what happens to whoever decodes it.
"""

import ctypes
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import shared.vision.decode.decoding
from shared.domain.errors import PictureRefused
from shared.domain.limits import MIB

Image = shared.vision.decode.decoding.Image


def loop() -> None:
    while True:
        pass


def refuse() -> None:
    raise PictureRefused("corrupt", "Not an image.")


def says(text: object) -> Image:
    return Image(np.zeros((1, 1, 3), np.uint8), str(text), 1, 1)


MISDEEDS: dict[bytes, Callable[[], Any]] = {
    b"segfault": lambda: ctypes.string_at(0),
    b"abort": os.abort,
    b"exit": lambda: os._exit(7),
    b"raise": lambda: 1 / 0,
    b"memory": lambda: np.ones(400 * MIB, np.uint8),
    b"loop": loop,
    b"hang": lambda: time.sleep(3600),
    b"killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
    b"refuse": refuse,
    b"helper": lambda: says(os.getppid()),
    b"threads of the helper": lambda: says(len(list(Path(f"/proc/{os.getppid()}/task").iterdir()))),
    b"environment": lambda: says(" ".join(os.environ)),
}


def decode(data: bytes) -> Image:
    if data in MISDEEDS:
        done: Image = MISDEEDS[data]()
        return done
    pixels = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    return Image(pixels + len(data), "well", 3, 2)


def decode_unless_13_wide(data: bytes) -> Image:
    """As images are decoded, but one of 13 pixels' width ends the process."""
    image = shared.vision.decode.decoding.decode_here(data)
    if image.width == 13:
        ctypes.string_at(0)
    return image
