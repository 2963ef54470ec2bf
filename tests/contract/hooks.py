"""The images that schemathesis sends where the OpenAPI asks for one; SCHEMATHESIS_HOOKS names this module."""

import schemathesis
from hypothesis import strategies as st

from shared.domain.formats import MEDIA_TYPES
from shared.vision.opencv import cv2
from tests.images import encoded, noise, pixels

_ENCODED = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", "image/bmp": ".bmp", "image/tiff": ".tif"}
_SMALL = cv2.resize(pixels("astronaut.png"), (64, 64)).astype("uint8")


def images(whole: bytes) -> st.SearchStrategy[bytes]:
    """Generate a whole image, one that the system has stored, a truncated one, or bytes that are not an image."""
    cut = st.integers(0, len(whole)).map(lambda end: whole[:end])
    return st.one_of(st.just(whole), st.integers(0, 2).map(noise), cut, st.binary(max_size=64))


for media_type in MEDIA_TYPES.values():
    schemathesis.openapi.media_type(media_type, images(encoded(_SMALL, _ENCODED.get(media_type, ".png"))))
