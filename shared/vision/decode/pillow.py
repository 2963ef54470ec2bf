"""PNG, GIF, WebP and AVIF by Pillow, HEIC by pi-heif: their pixels, colour spaces and orientation."""

import io
import re
import warnings
from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np
import pi_heif
from PIL import AvifImagePlugin, GifImagePlugin, Image, PngImagePlugin, WebPImagePlugin

from shared.domain.limits import MAX_UPLOAD_BYTES
from shared.vision.decode.colour import Colour
from shared.vision.decode.headers import Header, check_size
from shared.vision.decode.stored import Stored
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels, to_uint8

# Their own limits: `headers` checks the size and counts the chunks, and the sandbox limits memory.
Image.MAX_IMAGE_PIXELS = None
PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY = MAX_UPLOAD_BYTES
warnings.simplefilter("ignore", UserWarning)

PLUGINS: Final = {
    "png": PngImagePlugin,
    "gif": GifImagePlugin,
    "webp": WebPImagePlugin,
    "avif": AvifImagePlugin,
}
"""Imported here, so that they are registered before a child is forked."""

_ORIENTATION: Final = 0x0112
_COLOUR_BOX: Final = re.compile(rb"colrnclx(.{2})(.{2})", re.DOTALL)
"""ISO/IEC 14496-12, 12.1.5: the box states the primaries and the transfer characteristics, 16 bits each."""


def open_image(data: bytes, kind: str) -> Image.Image:
    """Read the header, and check the size that Pillow understands.

    Raises:
        OSError, SyntaxError, ValueError: Pillow does not understand it.
        PictureRefused: the image has too many pixels.
    """
    image = Image.open(io.BytesIO(data), formats=[kind.upper()])
    check_size(kind, *image.size)
    return image


def decode(data: bytes, header: Header) -> Stored:
    """Decode a PNG, GIF or AVIF, or a WebP with an animation; a PNG that Pillow refuses, by OpenCV.

    Raises:
        OSError, SyntaxError, ValueError: Pillow cannot decode it.
        PictureRefused: the image has too many pixels.
    """
    kind = header.format
    image = open_image(data, kind)
    info: dict[Any, Any] = image.info
    colour, orientation = colour_of(info, data, kind), orientation_of(info.get("exif"))
    try:
        image = _on_its_canvas(image) if kind == "gif" else image
        image.load()
    except (OSError, SyntaxError, ValueError):
        pixels = by_opencv(data) if kind == "png" else None
        if pixels is None:
            raise
        return Stored(pixels, "RGB", colour, orientation)
    if image.mode.startswith("I;16"):
        return Stored(_sixteen_bits(image), "L", colour, orientation)
    if kind == "png" and _has_no_high_bytes(image, header):
        pixels = by_opencv(data)
        if pixels is not None:
            return Stored(pixels, "RGB", colour, orientation)
    return Stored(image, _mode_of_colours(image), colour, orientation)


def _mode_of_colours(image: Image.Image) -> str:
    return "L" if image.mode in ("1", "L", "LA", "La") else "CMYK" if image.mode == "CMYK" else "RGB"


def decode_webp(data: bytes, header: Header) -> Stored:
    """Decode a WebP; without an animation by OpenCV, which needs a third of Pillow's memory.

    Raises:
        OSError, ValueError: it cannot be decoded.
    """
    if header.animated:
        return decode(data, header)
    rgb = by_opencv(data)
    if rgb is None:
        raise ValueError("not a WebP")
    return Stored(rgb, "RGB", Colour(header.profile), orientation_of(header.exif))


def by_opencv(data: bytes) -> Pixels | None:
    """Return the RGB or RGBA that OpenCV decodes, as stored; None if it cannot."""
    stored: Any = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if stored is None or stored.dtype not in (np.uint8, np.uint16):
        return None
    channels = stored.shape[2] if stored.ndim == 3 else 1  # noqa: PLR2004
    order = {1: cv2.COLOR_GRAY2RGB, 3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGBA}.get(channels)
    return None if order is None else to_uint8(cv2.cvtColor(stored, order))


def decode_heic(data: bytes, _header: Header) -> Stored:
    """Decode the primary image of a HEIC; libheif turns it upright.

    Raises:
        OSError, ValueError, RuntimeError: pi-heif cannot decode it.
    """
    file = pi_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=True)
    return _heic(file[file.primary_index], data)


def further_heics(data: bytes, most: int) -> Iterator[Stored]:
    """Yield up to `most` images of a HEIC besides the primary one."""
    file = pi_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=True)
    others = [number for number in range(len(file)) if number != file.primary_index]
    for number in others[:most]:
        yield _heic(file[number], data)


def _heic(image: Any, data: bytes) -> Stored:
    check_size("heic", *image.size)
    colour = colour_of(image.info, data, "heic")
    samples = np.asarray(image)[:, : image.size[0]]
    if samples.dtype == np.uint16:  # gray of 10 or 12 bits, which pi-heif scales to 16
        return Stored(to_uint8(samples, depth=16), "L", colour)
    mode = "L" if image.mode in ("L", "LA", "La") else "RGB"
    return Stored(samples, mode, colour, premultiplied=image.premultiplied_alpha, owner=image)


def frame(image: Image.Image) -> Stored:
    """Return the frame of an animation to which Pillow has moved."""
    copy = image.copy()
    profile = image.info.get("icc_profile") or None
    return Stored(copy, _mode_of_colours(copy), Colour(profile), orientation_of(image.info.get("exif")))


def orientation_of(exif: bytes | None) -> int:
    """Return the orientation that an Exif block states; 1 if there is none.

    XMP is ignored, as it is by browsers.
    """
    block = Image.Exif()
    try:
        block.load(exif or b"")
        return int(block.get(_ORIENTATION, 1))
    except Exception:
        return 1


def colour_of(info: dict[Any, Any], data: bytes, kind: str) -> Colour:
    """Return what a file states of its colours, the first of what the formats' specifications rank."""
    profile = info.get("icc_profile") or None
    if kind == "png":
        stated = png_code_points(data)
        if stated is not None:
            return Colour(cicp=stated)
        if profile is None and "srgb" not in info:
            return Colour(gamma=info.get("gamma"), chromaticities=info.get("chromaticity"))
    elif kind in ("avif", "heic"):
        found = _COLOUR_BOX.search(data)
        if found:
            return Colour(profile, cicp=(int.from_bytes(found[1], "big"), int.from_bytes(found[2], "big")))
    return Colour(profile)


def png_code_points(data: bytes) -> tuple[int, int] | None:
    """Return what a PNG's cICP chunk states, which Pillow does not read: it precedes the pixels."""
    at = data.find(b"\0\0\0\x04cICP", 0, data.find(b"IDAT"))
    return (data[at + 8], data[at + 9]) if at > 0 else None


def _on_its_canvas(image: Image.Image) -> Image.Image:
    """Return a GIF's first frame; what it leaves of the canvas is transparent."""
    boxes: Iterable[tuple[int, int, int, int]] = [tile[1] for tile in getattr(image, "tile", ()) if tile[1]]
    box = next(iter(boxes), (0, 0, *image.size))
    image.load()
    if box == (0, 0, *image.size):
        return image
    canvas = Image.new("RGBA", image.size)
    canvas.paste(image.convert("RGBA").crop(box), box)
    return canvas


def _sixteen_bits(image: Image.Image) -> Pixels:
    """Return the 8 bits of 16-bit gray, with alpha if one value is transparent."""
    deep = np.asarray(image)
    gray = to_uint8(deep)
    key = image.info.get("transparency")
    if not isinstance(key, int):
        return gray
    return np.dstack([gray, np.where(deep == key, 0, 255).astype(np.uint8)])


def _has_no_high_bytes(image: Image.Image, header: Header) -> bool:
    """Whether all colours of a 16-bit PNG are below 256: Pillow keeps the high bytes only, which are then zero."""
    if header.depth != 16 or image.mode not in ("RGB", "RGBA"):  # noqa: PLR2004
        return False
    return all(image.getextrema()[band][1] == 0 for band in range(3))  # type: ignore[index]
