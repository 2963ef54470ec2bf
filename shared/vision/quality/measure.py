"""Measure the quality of an image file."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from shared.domain.errors import DecoderUnavailable, PictureRefused
from shared.domain.formats import RAW_FORMATS
from shared.domain.quality import Quality
from shared.vision.decode.sandbox import Sandbox
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels
from shared.vision.quality.compression import earlier_step
from shared.vision.quality.edges import halo_and_clipping
from shared.vision.quality.lines import Lines, line_count, sample
from shared.vision.quality.metadata import read_metadata
from shared.vision.quality.noise import noise, replicated
from shared.vision.quality.spectrum import spectrum


@dataclass(frozen=True, slots=True)
class _Sampled:
    """Lines of a large image as a sandbox returns them: rows and then columns, padded to one length."""

    rgb: Pixels
    format: str
    width: int
    height: int


def lines_in_process(data: bytes) -> _Sampled:
    """Decode an image at its full resolution, as it is stored, and return only the sampled lines.

    Raises:
        PictureRefused: OpenCV cannot decode it, or it is too small.
    """
    flags = cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION
    gray = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    lines = None if gray is None else sample(gray.astype(np.uint8, copy=False))
    if lines is None:
        raise PictureRefused("corrupt", "The full resolution of the file cannot be measured.")
    padded = np.zeros((len(lines.rows) + len(lines.columns), lines.longest, 1), np.uint8)
    padded[: len(lines.rows), : lines.rows.shape[1], 0] = lines.rows
    padded[len(lines.rows) :, : lines.columns.shape[1], 0] = lines.columns
    return _Sampled(padded, "lines", lines.rows.shape[1], lines.columns.shape[1])


SANDBOX: Final = Sandbox("shared.vision.quality.measure:lines_in_process")


def measure(data: bytes, rgb: Pixels, kind: str, size: tuple[int, int]) -> Quality:
    """Return the evidence of an image's quality.

    A large image is decoded a second time at its full resolution, in a sandbox. If that fails, the reduced pixels are
    measured, which underrates it.

    Args:
        data: the file.
        rgb: its decoded pixels, reduced if it is large.
        kind: the format that the decoder found.
        size: width and height of the image before any reduction.
    """
    told = read_metadata(data, size)
    lines = _reduced(rgb) if rgb.shape[1::-1] == size else _full(data) or _reduced(rgb)
    origin = Quality(step=told.step, raw=kind in RAW_FORMATS, camera=told.camera, edited=told.edited)
    return origin if lines is None else _measured(lines, origin)


def _measured(lines: Lines, origin: Quality) -> Quality:
    halo, clipped = halo_and_clipping(lines)
    return Quality(
        spectrum=spectrum(lines),
        halo=round(halo, 3),
        clipped_edges=round(clipped, 3),
        noise=round(noise(lines), 3),
        replicated=round(replicated(lines), 3),
        step=origin.step,
        earlier_step=earlier_step(lines),
        raw=origin.raw,
        camera=origin.camera,
        edited=origin.edited,
    )


def _reduced(rgb: Pixels) -> Lines | None:
    gray: Pixels = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)  # type: ignore[assignment]
    return sample(gray)


def _full(data: bytes) -> Lines | None:
    try:
        decoded = SANDBOX.decode(data)
    except (PictureRefused, DecoderUnavailable):
        return None
    padded = decoded.rgb[:, :, 0]
    count = line_count(decoded.height)
    return Lines(padded[:count, : decoded.width], padded[count:, : decoded.height])
