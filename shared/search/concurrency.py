"""How many images of a batch are computed at once."""

from threading import BoundedSemaphore
from typing import Final

from shared.domain.limits import CONCURRENT_IMAGES

COMPUTING: Final = BoundedSemaphore(CONCURRENT_IMAGES)
"""Held while an image's pixels are in memory; never during a call to a service."""
