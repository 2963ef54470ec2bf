"""Thumbnails in terminals that can show pictures: kitty's protocol or Sixel, through textual-image."""

import io
import logging
import sys
from collections.abc import Callable
from typing import Any, Final

from rich.console import RenderableType

ROWS: Final = 4
"""Height of a thumbnail in lines of text."""


def thumbnail_renderer() -> Callable[[bytes], RenderableType] | None:
    """Return what draws the bytes of an image; None without such a terminal, or without textual-image."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return None
    # A terminal that does not say how large its cells are is no news.
    logging.getLogger("textual_image").setLevel(logging.ERROR)
    try:
        # Asks the terminal what it can do when it is imported.
        from textual_image import renderable
    except ImportError:
        return None
    kind: Any = renderable.Image
    if kind not in (renderable.TGPImage, renderable.SixelImage):
        return None
    return lambda data: kind(io.BytesIO(data), height=ROWS)
