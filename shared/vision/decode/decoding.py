"""Decoding of image files to upright sRGB pixels.

The decoders themselves (`shared.vision.decode.decoders`) are only imported by the process that runs them.
"""

from dataclasses import dataclass
from typing import Final

from shared.domain.capture import NOTHING, Capture
from shared.domain.limits import DECODE_WAIT_SECONDS
from shared.vision.decode import headers
from shared.vision.decode.headers import Header
from shared.vision.decode.sandbox import DecodedImage, Sandbox
from shared.vision.pixels import Pixels
from shared.vision.sheets import Page, sheet, unstack

LONGEST_SIDE: Final = 1024
"""Longest side of the decoded pixels; larger images are reduced to it, and long ones (`resizing.longest_side`) to more.
Nothing computed from them needs finer detail, and small parts of a query are searched for at this size
(docs/explanation/ranking.md)."""

SANDBOX = Sandbox("shared.vision.decode.decoders:decode_stacked")

HEAVY_PIXELS: Final = 8_000_000
"""Pixels above which an image is heavy: 25 million with 16 bits and alpha take 1.4 s of processor time as a PNG."""


@dataclass(frozen=True, slots=True)
class Image:
    """A decoded image.

    Attributes:
        rgb: uint8, height x width x 3, contiguous, upright sRGB, composited on white, or on black if it is white
            itself; reduced if the image is larger than `LONGEST_SIDE` (`resizing.longest_side`). Of a file with several
            images, the sheet of `shown`.
        format: the format that the bytes identify.
        width, height: size of the upright image before any reduction, in pixels; of a camera RAW file, the sensor's.
        damaged: whether the file is cut off, or lacks its end.
        intact: share of the image that is there, from its first row on; `rgb` has only these rows.
        pages: number of pages, frames or images in the file.
        shown: those of a file's several pages or frames that show something new.
        capture: when, by what and where it was taken.
    """

    rgb: Pixels
    format: str
    width: int
    height: int
    damaged: bool = False
    intact: float = 1.0
    pages: int = 1
    shown: tuple[Page, ...] = ()
    capture: Capture = NOTHING

    @property
    def cover(self) -> Pixels:
        """The first of the pages, or the whole image: what thumbnails show."""
        return self.shown[0].rgb if self.shown else self.rgb


def decode(data: bytes, *, patience: float | None = DECODE_WAIT_SECONDS) -> Image:
    """Decode the first image of a file in a supported format, in a sandboxed process.

    Args:
        patience: seconds to wait while other images are decoded; None to wait for as long as it takes.

    Raises:
        PictureRefused: the bytes are not such an image, or the image exceeds a limit.
        DecoderUnavailable: it cannot be decoded now.
    """
    header = headers.check(data)
    return to_image(SANDBOX.decode(data, heavy=_is_heavy(header), patience=patience))


def to_image(decoded: DecodedImage) -> Image:
    """Return what a decoder has returned as an image, with several pages as a sheet."""
    shown = unstack(decoded.rgb, decoded.stacked) if decoded.stacked else ()
    return Image(
        sheet(shown) if shown else decoded.rgb,
        decoded.format,
        decoded.width,
        decoded.height,
        decoded.damaged,
        decoded.intact,
        decoded.pages,
        shown,
        Capture(*decoded.capture),
    )


def _is_heavy(header: Header) -> bool:
    """Return whether decoding takes a large part of a second; large JPEGs are decoded at a reduced scale."""
    pixels = header.width * header.height
    return pixels > (3 * HEAVY_PIXELS if header.format == "jpeg" else HEAVY_PIXELS)
