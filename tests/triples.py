"""Twenty photographs and drawings in three copies each, of which the first is the best."""

from shared.vision.opencv import cv2
from shared.vision.resizing import shrink_to_fit
from tests.images import Pixels, encoded, pixels

WHOLE = (
    *("chelsea.png", "rocket.jpg", "ihc.png", "hubble_deep_field.jpg", "retina.jpg", "coins.png", "camera.png"),
    *("moon.png", "page.png", "brick.png", "grass.png", "gravel.png", "clock_motion.png", "text.png"),
)
HALVED = ("astronaut.png", "coffee.png", "motorcycle_left.png")
"""Of each, two parts that do not overlap."""
SIDE = 480


def _originals() -> list[Pixels]:
    found = [pixels(name) for name in WHOLE]
    for name in HALVED:
        whole = pixels(name)
        height, width = whole.shape[:2]
        found += [whole[: height // 2, : width // 2], whole[height // 2 :, width // 2 :]]
    return [shrink_to_fit(one, SIDE).copy() for one in found]


def triples() -> list[tuple[bytes, bytes, bytes]]:
    """Return 20 triples: a PNG, a smaller JPEG of it, and a JPEG that is compressed more."""
    found = []
    for rgb in _originals():
        smaller = shrink_to_fit(rgb, round(0.7 * max(rgb.shape[:2])))
        found.append(
            (
                encoded(rgb, ".png"),
                encoded(smaller, ".jpg", cv2.IMWRITE_JPEG_QUALITY, 85),
                encoded(rgb, ".jpg", cv2.IMWRITE_JPEG_QUALITY, 60),
            )
        )
    return found
