"""The networks for faces of a deployment, for pictures that callers ask about."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from shared.domain.people.face_card import FaceCard
from shared.domain.people.faces import DetectedFace
from shared.vision.pixels import Pixels

if TYPE_CHECKING:
    from shared.vision.faces.finder import FaceFinder


class FaceNetworks:
    """Finds the faces of an image; loaded at the first call.

    Raises:
        FileNotFoundError: `folder` holds no export.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._card = FaceCard.read(folder)

    @property
    def face_model(self) -> str:
        return self._card.id

    def find(self, rgb: Pixels) -> list[DetectedFace]:
        return self._finder.find(rgb)

    @cached_property
    def _finder(self) -> "FaceFinder":
        from shared.vision.faces.finder import FaceFinder

        return FaceFinder(self._folder)
