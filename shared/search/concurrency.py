"""How many pictures of a batch are computed at once."""

from threading import BoundedSemaphore
from typing import Final

from shared.domain.limits import PICTURES_AT_ONCE

COMPUTING: Final = BoundedSemaphore(PICTURES_AT_ONCE)
"""Held while a picture's pixels are in memory; never across a call of a service."""
