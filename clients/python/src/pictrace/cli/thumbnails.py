"""Thumbnails in terminals that can show pictures: kitty's protocol or Sixel, through textual-image."""

import io
import sys
from collections.abc import Callable
from typing import Any, Final

from rich.console import RenderableType

ROWS: Final = 4
"""Height of a thumbnail in lines of text."""


def thumbnail_renderer() -> Callable[[bytes], RenderableType] | None:
    """Return what draws the bytes of an image; None without such a terminal, or without textual-image."""
    if not sys.stdout.isatty():
        return None
    try:
        # Asks the terminal what it can do when it is imported.
        from textual_image import renderable
    except ImportError:
        return None
    kind: Any = renderable.Image
    if kind not in (renderable.TGPImage, renderable.SixelImage):
        return None
    return lambda data: kind(io.BytesIO(data), height=ROWS)
