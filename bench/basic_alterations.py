"""The few alterations of the older benchmarks and the unit tests; bench.quality.alterations has the full set."""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from shared.vision.decode.decoding import decode
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels

Alteration = Callable[[Pixels, np.random.Generator], Pixels]


def jpeg(quality: int) -> Alteration:
    def alter(rgb: Pixels, _: np.random.Generator) -> Pixels:
        encoded = cv2.imencode(".jpg", rgb[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        return decode(encoded.tobytes()).rgb

    return alter


def resized(factor: float) -> Alteration:
    def alter(rgb: Pixels, _: np.random.Generator) -> Pixels:
        height, width = rgb.shape[:2]
        size = (max(1, round(width * factor)), max(1, round(height * factor)))
        return cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]

    return alter


def cropped(area: float) -> Alteration:
    """Return an alteration that cuts away a fraction of the area, at a random place, keeping the proportions."""

    def alter(rgb: Pixels, rng: np.random.Generator) -> Pixels:
        height, width = rgb.shape[:2]
        side = (1 - area) ** 0.5
        h, w = max(1, round(height * side)), max(1, round(width * side))
        top, left = int(rng.integers(0, height - h + 1)), int(rng.integers(0, width - w + 1))
        return np.ascontiguousarray(rgb[top : top + h, left : left + w])

    return alter


def rotated(quarters: int) -> Alteration:
    return lambda rgb, _: np.ascontiguousarray(np.rot90(rgb, quarters))


def with_text(rgb: Pixels, _: np.random.Generator) -> Pixels:
    """Cover a fifth of the height with a bar of text."""
    out = rgb.copy()
    height, width = out.shape[:2]
    top = round(height * 0.4)
    cv2.rectangle(out, (0, top), (width, top + round(height * 0.2)), (20, 20, 20), -1)
    scale = width / 320
    cv2.putText(
        out,
        "SAMPLE TEXT",
        (round(width * 0.06), top + round(height * 0.14)),
        cv2.FONT_HERSHEY_DUPLEX,
        scale,
        (255, 255, 255),
        2,
    )
    return out


def gray(rgb: Pixels, _: np.random.Generator) -> Pixels:
    return np.repeat(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)[:, :, np.newaxis], 3, axis=2).astype(np.uint8)


def brightness(factor: float) -> Alteration:
    return lambda rgb, _: np.clip(rgb.astype(np.float32) * factor, 0, 255).astype(np.uint8)


def blurred(rgb: Pixels, _: np.random.Generator) -> Pixels:
    return cv2.GaussianBlur(rgb, (0, 0), 2.0)  # type: ignore[return-value]


def bordered(rgb: Pixels, _: np.random.Generator) -> Pixels:
    pad = round(max(rgb.shape[:2]) * 0.08)
    return cv2.copyMakeBorder(rgb, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=(255, 255, 255)).astype(np.uint8)


ALTERATIONS: Final[Mapping[str, Alteration]] = {
    "re-encoded (JPEG 40)": jpeg(40),
    "resized to half": resized(0.5),
    "cropped by a third": cropped(1 / 3),
    "rotated by 90 degrees": rotated(1),
    "text over a fifth": with_text,
    "gray": gray,
}
"""The alterations that the acceptance test of the first release required."""

HARDER: Final[Mapping[str, Alteration]] = {
    "JPEG 10": jpeg(10),
    "resized to a quarter": resized(0.25),
    "cropped by half": cropped(0.5),
    "darker (x 0.5)": brightness(0.5),
    "brighter (x 1.5)": brightness(1.5),
    "blur sigma 2": blurred,
    "border of 8 %": bordered,
}
"""Stronger alterations, for fitting."""

GENTLE: Final = ("re-encoded (JPEG 40)", "resized to half", "JPEG 10", "resized to a quarter")
"""Alterations that change neither colours nor outline."""
