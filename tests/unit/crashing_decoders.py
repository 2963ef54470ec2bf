"""Decoders that misbehave as real ones have, for `test_decode_sandbox`.

The bytes of an "image" name what happens when it is decoded.
"""

import ctypes
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from shared.domain.errors import PictureRefused
from shared.domain.limits import MIB
from shared.vision.decode.decoders import decode_in_process
from shared.vision.decode.decoding import Image

warmed_up_by: list[int] = []
"""The processes that have called `warm_up`."""


def warm_up() -> None:
    warmed_up_by.append(os.getpid())


def loop() -> None:
    while True:
        pass


def refuse() -> None:
    raise PictureRefused("corrupt", "Not an image.")


def doze() -> Image:
    time.sleep(0.5)
    return answering("rested")


def answering(text: object) -> Image:
    return Image(np.zeros((1, 1, 3), np.uint8), str(text), 1, 1)


BEHAVIOURS: dict[bytes, Callable[[], Any]] = {
    b"segfault": lambda: ctypes.string_at(0),
    b"abort": os.abort,
    b"exit": lambda: os._exit(7),
    b"raise": lambda: 1 / 0,
    b"memory": lambda: np.ones(400 * MIB, np.uint8),
    b"loop": loop,
    b"doze": doze,
    b"hang": lambda: time.sleep(3600),
    b"killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
    b"refuse": refuse,
    b"helper": lambda: answering(os.getppid()),
    b"threads of the helper": lambda: answering(len(list(Path(f"/proc/{os.getppid()}/task").iterdir()))),
    b"warm": lambda: answering(warmed_up_by == [os.getppid()]),
    b"environment": lambda: answering(" ".join(os.environ)),
}


def decode(data: bytes) -> Image:
    if data in BEHAVIOURS:
        done: Image = BEHAVIOURS[data]()
        return done
    pixels = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    return Image(pixels + len(data), "well", 3, 2)


def decode_unless_13_wide(data: bytes) -> Image:
    """Decode an image as usual, but crash the process if it is 13 pixels wide."""
    image = decode_in_process(data)
    if image.width == 13:
        ctypes.string_at(0)
    return image
