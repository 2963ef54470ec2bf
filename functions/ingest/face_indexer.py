"""Find the faces of images in collections that have faces on."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from shared.domain.errors import PictureRefused
from shared.domain.events import FaceScan, FindFaces
from shared.domain.filters import EVERYTHING
from shared.domain.images import ImageRecord
from shared.domain.ledger import ImageKey
from shared.domain.outcomes import Outcome, OutcomeStatus
from shared.domain.people.faces import DetectedFace, Faces
from shared.domain.ports.catalogue import Catalogue
from shared.domain.ports.collections import Collections
from shared.domain.ports.objects import Objects
from shared.domain.ports.services import Messages
from shared.search.concurrency import COMPUTING, FILES
from shared.search.stored_bytes import read_bytes
from shared.vision.decode.decoding import decode
from shared.vision.embedding import Embedder
from shared.vision.faces.finder import FaceFinder
from shared.vision.pixels import Pixels

PAGE: Final = 100
"""Images of one message of a scan, which has a message sent for each of them."""


class FaceIndexer:
    """Finds faces and hands them to where they are stored; what is repeated changes nothing.

    Args:
        finder: None if the deployment has no networks for faces.
        embedder: returns the model that tells whether the place of a face is an animal's.
    """

    def __init__(
        self,
        *,
        finder: FaceFinder | None,
        embedder: Callable[[], Embedder],
        faces: Faces,
        collections: Collections,
        catalogue: Catalogue,
        objects: Objects,
        messages: Messages,
    ) -> None:
        self._finder = finder
        self._embedder = embedder
        self._faces = faces
        self._collections = collections
        self._catalogue = catalogue
        self._objects = objects
        self._messages = messages

    def index(self, image_key: ImageKey, cover: Pixels | None) -> Outcome:
        """Store the faces of an image that has its record, if its collection has faces on.

        Args:
            cover: its decoded pixels, the first page of several; None to read and decode the image again.
        """
        outcome = Outcome(status=OutcomeStatus.IGNORED, image_key=image_key, collection=image_key.collection)
        if self._finder is None or not self._is_on(image_key.collection):
            return replace(outcome, reason="faces are off")
        record = self._catalogue.find(image_key.image_id, image_key.collection)
        if record is None:
            return replace(outcome, reason="the image had been removed")
        try:
            found = self._find(self._finder, record, cover)
        except PictureRefused as refused:
            return replace(outcome, code=refused.code, reason=refused.reason)
        self._faces.add(image_key.collection, image_key.image_id, self._finder.face_model, found)
        return replace(outcome, reason=f"found {len(found)} faces")

    def find(self, event: FindFaces) -> Outcome:
        return self.index(event.image_key, None)

    def scan(self, event: FaceScan) -> Outcome:
        """Have the faces of each image of a page found, and the scan go on."""
        outcome = Outcome(status=OutcomeStatus.IGNORED, collection=event.collection)
        if self._finder is None or not self._is_on(event.collection):
            return replace(outcome, reason="faces are off")
        page = self._catalogue.page(event.collection, wanted=EVERYTHING, limit=PAGE, cursor=event.cursor)
        for record in page.records:
            self._messages.find_faces(FindFaces(ImageKey(record.collection, record.image_id)))
        if page.cursor:
            self._messages.find_faces(replace(event, cursor=page.cursor))
        return replace(outcome, reason=f"asked for the faces of {len(page.records)} images")

    def _is_on(self, collection: str) -> bool:
        return any(entry.faces for entry in self._collections.find([collection]))

    def _find(self, finder: FaceFinder, record: ImageRecord, cover: Pixels | None) -> list[DetectedFace]:
        """Raises PictureRefused if the image cannot be read."""
        if cover is None:
            with FILES.reservation() as reserve:
                data = read_bytes(record, self._objects, reserve)
                with COMPUTING:
                    cover = decode(data, patience=None).cover
        with COMPUTING:
            found = finder.find(cover, lambda part: self._embedder().animal_probability(part))
        scale = record.width / cover.shape[1]
        return [
            replace(face, eye_distance=face.eye_distance * scale, box=_in_whole(face.box, record.intact))
            for face in found
        ]


def _in_whole(box: tuple[float, float, float, float], intact: float) -> tuple[float, float, float, float]:
    """Return a box of the upper part of an image, of which the rest is missing, in shares of the whole."""
    left, top, width, height = box
    return left, top * intact, width, height * intact
