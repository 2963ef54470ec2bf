"""JPEG XL by libjxl, through imagecodecs."""

import imagecodecs
import numpy as np

from shared.vision.decode.headers import Header
from shared.vision.decode.stored import Stored
from shared.vision.decode.tiff import to_uint8

imagecodecs.jpegxl_decode  # noqa: B018 - load the codec before a child is forked


def decode(data: bytes, _header: Header) -> Stored:
    """Decode the first frame.

    Raises:
        ValueError, RuntimeError: libjxl cannot decode it.
    """
    samples = np.asarray(imagecodecs.jpegxl_decode(data, index=0, numthreads=1))
    if samples.ndim not in (2, 3):
        raise ValueError("not an image")
    pixels = to_uint8(samples)
    gray = pixels.ndim == 2 or pixels.shape[2] <= 2  # noqa: PLR2004
    return Stored(pixels, "L" if gray else "RGB")
