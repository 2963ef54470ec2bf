"""Alterations that people make to images, each a function of the image and of a seeded generator.

Sizes are relative to the image's own, so that they mean the same for any folder.
"""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from bench.quality.backdrops import host_image, window
from shared.vision.decode.decoders import decode_in_process
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels

Alteration = Callable[[Pixels, np.random.Generator], Pixels]
WHITE: Final = (255, 255, 255)


def encoded(rgb: Pixels, quality: int) -> bytes:
    done, data = cv2.imencode(".jpg", np.ascontiguousarray(rgb[:, :, ::-1]), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError("OpenCV could not encode a JPEG")
    return data.tobytes()


def jpeg(quality: int) -> Alteration:
    return lambda rgb, _: decode_in_process(encoded(rgb, quality)).rgb


def stretched(across: float, down: float) -> Alteration:
    def alter(rgb: Pixels, _: np.random.Generator) -> Pixels:
        height, width = rgb.shape[:2]
        size = (max(8, round(width * across)), max(8, round(height * down)))
        return cv2.resize(rgb, size, interpolation=cv2.INTER_AREA).astype(np.uint8)

    return alter


def cropped(area: float) -> Alteration:
    """Return an alteration that cuts away a fraction of the area, at a random place, keeping the proportions."""

    def alter(rgb: Pixels, rng: np.random.Generator) -> Pixels:
        height, width = rgb.shape[:2]
        side = (1 - area) ** 0.5
        h, w = max(8, round(height * side)), max(8, round(width * side))
        top, left = int(rng.integers(0, max(1, height - h + 1))), int(rng.integers(0, max(1, width - w + 1)))
        return np.ascontiguousarray(rgb[top : top + h, left : left + w])

    return alter


def turned(quarters: int) -> Alteration:
    return lambda rgb, _: np.ascontiguousarray(np.rot90(rgb, quarters))


def rotated(degrees: float) -> Alteration:
    """Return an alteration that rotates the image on a canvas large enough for all of it, with white corners."""

    def alter(rgb: Pixels, _: np.random.Generator) -> Pixels:
        height, width = rgb.shape[:2]
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
        cos, sin = abs(turn[0, 0]), abs(turn[0, 1])
        size = (round(height * sin + width * cos), round(height * cos + width * sin))
        turn[:, 2] += [(size[0] - width) / 2, (size[1] - height) / 2]
        return cv2.warpAffine(rgb, turn, size, flags=cv2.INTER_LINEAR, borderValue=WHITE).astype(np.uint8)

    return alter


def mirrored(rgb: Pixels, _: np.random.Generator) -> Pixels:
    return np.ascontiguousarray(rgb[:, ::-1])


def blurred(sigma: float) -> Alteration:
    return lambda rgb, _: cv2.GaussianBlur(rgb, (0, 0), sigma).astype(np.uint8)


def noisy(sigma: float) -> Alteration:
    return lambda rgb, rng: np.clip(rgb + rng.normal(0, sigma, rgb.shape), 0, 255).astype(np.uint8)


def brightness(factor: float) -> Alteration:
    return lambda rgb, _: np.clip(rgb.astype(np.float32) * factor, 0, 255).astype(np.uint8)


def gamma(exponent: float) -> Alteration:
    return lambda rgb, _: (255 * (rgb.astype(np.float32) / 255) ** exponent).astype(np.uint8)


def gray(rgb: Pixels, _: np.random.Generator) -> Pixels:
    return np.repeat(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)[:, :, np.newaxis], 3, axis=2).astype(np.uint8)


def hue(degrees: int) -> Alteration:
    def alter(rgb: Pixels, _: np.random.Generator) -> Pixels:
        hsv = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV).astype(np.int32)
        hsv[:, :, 0] = (hsv[:, :, 0] + degrees // 2) % 180
        return cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB).astype(np.uint8)

    return alter


def with_text(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    """Cover a fifth of the height, at a random place, with a dark bar of white text."""
    out = rgb.copy()
    height, width = out.shape[:2]
    bar = max(8, round(height * 0.2))
    top = int(rng.integers(0, height - bar + 1))
    cv2.rectangle(out, (0, top), (width, top + bar), (20, 20, 20), -1)
    place = (round(width * 0.06), top + round(bar * 0.7))
    cv2.putText(out, "SAMPLE TEXT", place, cv2.FONT_HERSHEY_DUPLEX, width / 320, WHITE, 2)
    return out


def bordered(share: float) -> Alteration:
    """Return an alteration that adds a frame of one colour, white for half of the images.

    Args:
        share: width of the frame, relative to the longest side.
    """

    def alter(rgb: Pixels, rng: np.random.Generator) -> Pixels:
        pad = round(max(rgb.shape[:2]) * share)
        drawn = tuple(int(value) for value in rng.integers(0, 256, 3))
        colour = WHITE if rng.random() < 0.5 else drawn
        return cv2.copyMakeBorder(rgb, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=colour).astype(np.uint8)

    return alter


def perspective(share: float) -> Alteration:
    """Return an alteration that moves each corner inwards by up to `share` of the sides, two by all of it, on black."""

    def alter(rgb: Pixels, rng: np.random.Generator) -> Pixels:
        height, width = rgb.shape[:2]
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        inwards = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]], np.float32) * share * np.array([width, height])
        amount = rng.random((4, 1))
        amount[rng.permutation(4)[:2]] = 1
        moved = (corners + inwards * amount).astype(np.float32)
        transform = cv2.getPerspectiveTransform(corners, moved)
        return cv2.warpPerspective(rgb, transform, (width, height), flags=cv2.INTER_LINEAR).astype(np.uint8)

    return alter


def half_of_a_collage(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    """Put the image to the left or right of another image of the same height."""
    height, width = rgb.shape[:2]
    other = cv2.resize(host_image(rng), (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8)
    halves = [rgb, other] if rng.random() < 0.5 else [other, rgb]
    return np.hstack(halves)


def inset(share: float) -> Alteration:
    """Return an alteration that pastes the image into another one, at `share` of that image's longest side."""

    def alter(rgb: Pixels, rng: np.random.Generator) -> Pixels:
        host = cv2.resize(host_image(rng), (960, 720), interpolation=cv2.INTER_AREA).astype(np.uint8)
        scale = share * 960 / max(rgb.shape[:2])
        height, width = (max(8, round(side * scale)) for side in rgb.shape[:2])
        small = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)
        top, left = int(rng.integers(0, 720 - height + 1)), int(rng.integers(0, 960 - width + 1))
        host[top : top + height, left : left + width] = small
        return host

    return alter


def screenshot(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    """Put the image in a window with bars, a side panel, buttons and text; the image covers about 45 % of it."""
    return window(rgb, rng)


def negative(rgb: Pixels, _: np.random.Generator) -> Pixels:
    return (255 - rgb).astype(np.uint8)


def cell_of_a_collage(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    """Put the image into one of 3 x 3 cells of equal size; other images fill the others."""
    height, width = (max(24, round(side * 0.6)) for side in rgb.shape[:2])
    cells = [host_image(rng) for _ in range(9)]
    cells[int(rng.integers(9))] = rgb
    small = [cv2.resize(cell, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8) for cell in cells]
    return np.vstack([np.hstack(small[row : row + 3]) for row in (0, 3, 6)])


def sketch(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    """Draw the image as pencil lines: gray levels divided by those around them."""
    levels = gray(rgb, rng).astype(np.float32)
    around = cv2.GaussianBlur(levels, (0, 0), max(2.0, max(rgb.shape[:2]) / 100))
    return np.clip(255 * levels / np.maximum(around, 1), 0, 255).astype(np.uint8)


def halftone(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    """Print the image as black dots on a grid of four pixels, at 45 degrees."""
    levels = gray(rgb, rng)[:, :, 0].astype(np.float32) / 255
    down, across = np.mgrid[: rgb.shape[0], : rgb.shape[1]] * np.pi / (4 * np.sqrt(2))
    screen = (np.cos(across + down) + np.cos(across - down)) / 4 + 0.5
    return np.repeat(np.where(levels > screen, 255, 0).astype(np.uint8)[:, :, np.newaxis], 3, axis=2)


def blended(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    """Mix the image half and half with another one."""
    height, width = rgb.shape[:2]
    other = cv2.resize(host_image(rng), (width, height), interpolation=cv2.INTER_AREA)
    return cv2.addWeighted(rgb, 0.5, other.astype(np.uint8), 0.5, 0).astype(np.uint8)


def chained(*steps: Alteration) -> Alteration:
    def alter(rgb: Pixels, rng: np.random.Generator) -> Pixels:
        for step in steps:
            rgb = step(rgb, rng)
        return rgb

    return alter


SINGLE: Final[Mapping[str, Alteration]] = {
    "JPEG 75": jpeg(75),
    "JPEG 20": jpeg(20),
    "JPEG 5": jpeg(5),
    "resized to 50 %": stretched(0.5, 0.5),
    "resized to 25 %": stretched(0.25, 0.25),
    "cropped by 10 %": cropped(0.1),
    "cropped by 30 %": cropped(0.3),
    "cropped by 50 %": cropped(0.5),
    "cropped by 80 %": cropped(0.8),
    "rotated by 5 degrees": rotated(5),
    "turned by 90 degrees": turned(1),
    "turned by 180 degrees": turned(2),
    "mirrored": mirrored,
    "blur sigma 3": blurred(3),
    "noise sigma 25": noisy(25),
    "brighter (x 1.6)": brightness(1.6),
    "darker (x 0.4)": brightness(0.4),
    "gamma 2": gamma(2),
    "gray": gray,
    "hue by 90 degrees": hue(90),
    "text bar over a fifth": with_text,
    "border of 20 %": bordered(0.2),
    "perspective 12 %": perspective(0.12),
    "width by 2/3": stretched(2 / 3, 1),
    "half of a collage": half_of_a_collage,
    "inset of a third": inset(1 / 3),
    "screenshot": screenshot,
}

MIXTURES: Final[Mapping[str, Alteration]] = {
    "mixture: crop 50 %, rotated, JPEG 20": chained(cropped(0.5), rotated(5), jpeg(20)),
    "mixture: mirrored, border, darker": chained(mirrored, bordered(0.2), brightness(0.4)),
    "mixture: screenshot, 50 %, JPEG 20": chained(screenshot, stretched(0.5, 0.5), jpeg(20)),
    "mixture: perspective, gamma 2, text": chained(perspective(0.12), gamma(2), with_text),
}

ALTERATIONS: Final[Mapping[str, Alteration]] = {**SINGLE, **MIXTURES}

HARD: Final[Mapping[str, Alteration]] = {
    "negative": negative,
    "cropped to 10 %": cropped(0.9),
    "inset of a quarter": inset(1 / 4),
    "one of 3 x 3": cell_of_a_collage,
    "sketch": sketch,
    "halftone": halftone,
    "blend": blended,
}
"""Alterations of which little of the original is left; `python -m bench.quality.hard` asks for them."""

FINAL_QUALITY: Final = 90
"""Every altered copy is saved as a JPEG of this quality; copies altered by JPEG itself are saved a second time."""


def altered(rgb: Pixels, name: str, seed: int, place: int) -> bytes:
    """Return an altered copy as a JPEG. It depends on image, name, seed and place only, not on earlier calls."""
    rng = np.random.default_rng([seed, place, *name.encode()])
    return encoded({**ALTERATIONS, **HARD}[name](rgb, rng), FINAL_QUALITY)
