"""The decoders that are compared. As a program, decode every file of a folder: `decoders.py NAME FOLDER`.

It writes an array beside each file that it can decode. Run from another checkout, `pictrace` is that checkout's.
"""

import importlib
import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]


def pictrace() -> Callable[[bytes], Pixels]:
    for module in ("shared.vision.decode.decoding", "shared.vision.decoding"):
        try:
            found = importlib.import_module(module)
        except ModuleNotFoundError:
            continue
        decode = getattr(found, "decode_in_process", None) or found.decode_here
        return lambda data: _cover(decode(data))
    raise SystemExit("this checkout has no decoder that is known")


def _cover(image: Any) -> Pixels:
    """Return the image, or the first one on a sheet, in its own size."""
    if not (getattr(image, "shown", ()) or getattr(image, "cover_size", None)):
        rgb: Pixels = image.rgb
        return rgb
    import cv2

    return cv2.resize(image.cover, (image.width, image.height), interpolation=cv2.INTER_AREA)  # type: ignore[no-any-return]


def opencv() -> Callable[[bytes], Pixels]:
    import cv2

    def decode(data: bytes) -> Pixels:
        return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)  # type: ignore[return-value]

    return decode


def pillow() -> Callable[[bytes], Pixels]:
    """As people use it: upright, with the profile applied, on white."""
    import pi_heif
    from PIL import Image, ImageCms, ImageOps

    pi_heif.register_heif_opener()

    def decode(data: bytes) -> Pixels:
        image: Any = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
        profile = image.info.get("icc_profile")
        if profile and image.mode in ("L", "RGB", "CMYK"):
            source = ImageCms.getOpenProfile(io.BytesIO(profile))
            image = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        if image.has_transparency_data:
            page = Image.new("RGBA", image.size, "white")
            page.alpha_composite(image.convert("RGBA"))
            image = page
        return np.asarray(image.convert("RGB"))

    return decode


def libvips() -> Callable[[bytes], Pixels]:
    """As its thumbnails are made: upright, with the profile applied, on white."""
    import pyvips

    def decode(data: bytes) -> Pixels:
        image = pyvips.Image.thumbnail_buffer(data, 100_000, size="down", output_profile="srgb")
        image = image.colourspace("srgb")
        if image.hasalpha():
            image = image.flatten(background=255)
        shown = image.cast("uchar").numpy()
        return np.dstack([shown] * 3) if shown.ndim == 2 else np.ascontiguousarray(shown[:, :, :3])

    return decode


DECODERS: Final[dict[str, Callable[[], Callable[[bytes], Pixels]]]] = {
    "pictrace": pictrace,
    "opencv": opencv,
    "pillow": pillow,
    "libvips": libvips,
}


def main(name: str, folder: str) -> None:
    decode = DECODERS[name]()
    for path in sorted(Path(folder).glob("*.bin")):
        try:
            shown = decode(path.read_bytes())
        except Exception as error:
            path.with_suffix(".txt").write_text(f"{type(error).__name__}: {error}", encoding="utf-8")
        else:
            if shown is not None:
                np.save(path.with_suffix(".npy"), shown)


if __name__ == "__main__":
    sys.path.insert(0, str(Path.cwd()))
    main(*sys.argv[1:])
