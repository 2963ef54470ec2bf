"""`pictrace search` shows thumbnails in a terminal that says that it can, and in no other."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from tests.conftest import PicTrace
from tests.images import noise
from tests.repository.files import ROOT

PLAIN = b"\x1b[?62c"
WITH_SIXEL = b"\x1b[?62;4c"
"""Answers to a request for the terminal's attributes; 4 stands for Sixel."""
SIXEL = b"\x1bP"
"""What an image in Sixel begins with."""


def shown_in_terminal(attributes: bytes, running: PicTrace, image: Path, collection: str) -> bytes:
    """Return what a search prints in a terminal that answers with `attributes`."""
    terminal, inside = pty.openpty()
    fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 1200, 800))
    os.write(terminal, attributes)  # before it is asked, so that it is never too late
    command = [sys.executable, "-m", "pictrace", "search", str(image), "--collection", collection, "--url", running.url]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "clients" / "python" / "src"), "TERM": "xterm-256color"}
    process = subprocess.Popen(command, stdin=inside, stdout=inside, stderr=inside, env=environment)
    os.close(inside)
    shown = b""
    while True:
        try:
            chunk = os.read(terminal, 65_536)
        except OSError:  # the process has closed it
            break
        if not chunk:
            break
        shown += chunk
    os.close(terminal)
    assert process.wait() == 0, shown
    return shown


@pytest.mark.parametrize(("attributes", "has_thumbnail"), [(WITH_SIXEL, True), (PLAIN, False)], ids=["sixel", "plain"])
def test_a_terminal_that_can_shows_thumbnails(
    attributes: bytes, has_thumbnail: bool, running: PicTrace, tmp_path: Path, collection: str
) -> None:
    image = tmp_path / "seen.png"
    image.write_bytes(noise(19_000))
    running.add(noise(19_000), collection=collection, name="seen.png")
    shown = shown_in_terminal(attributes, running, image, collection)
    assert b"seen.png" in shown
    assert (SIXEL in shown) == has_thumbnail
