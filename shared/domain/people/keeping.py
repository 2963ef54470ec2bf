"""Store the faces of images, and have them follow what becomes of their image."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from shared.domain.ledger import ConflictError, ImageKey
from shared.domain.people.faces import DetectedFace, FaceVector
from shared.domain.people.lookup import repeated
from shared.domain.people.ports import EraseFaces, ImageState, PeopleStore, Required, SettleImage, Tasks
from shared.domain.people.records import MAX_FACES, Change, Face, FaceState, ImageFaces, face_id

SAME_PLACE: Final = 0.5
"""Minimum overlap (intersection over union) of the boxes of one face that two models found."""
ERASED_AT_ONCE: Final = 200
"""Images whose faces one task erases; a further task erases the next ones."""

_HIDDEN: Final = {ImageState.TRASHED: FaceState.TRASHED, ImageState.ABSENT: FaceState.GONE}


class FaceKeeper:
    """Keeps the faces of images; see `shared.domain.people.faces.Faces`.

    Faces are stored only while their collection shows the image and has faces on, and are withdrawn only while it does
    not: the store checks both in the transaction.
    """

    def __init__(self, store: PeopleStore, tasks: Tasks) -> None:
        self._store = store
        self._tasks = tasks

    def add(self, collection: str, image_id: str, face_model: str, faces: Sequence[DetectedFace]) -> None:
        """Store an image's faces; the image must have its record. Those of another model are replaced."""
        image = ImageKey(collection, image_id)
        surest = sorted(range(len(faces)), key=lambda position: -faces[position].score)[:MAX_FACES]
        detected = {face_id(image_id, face_model, position): faces[position] for position in sorted(surest)}

        def store() -> bool:
            if not self._store.accepts(collection) or self._store.state(image) is not ImageState.SHOWN:
                return False
            before = self._store.image(image)
            after, vectors = self._merged(before, face_model, detected)
            if after.faces != before.faces:
                self._commit(before, after, Required(image, ImageState.SHOWN, faces_on=True), vectors)
            return True

        if repeated(store):
            self._tasks.send(SettleImage(image))

    def remove(self, collection: str, image_id: str) -> None:
        """Withdraw the faces of an image that is gone or in the trash; of one that is shown, nothing changes."""
        image = ImageKey(collection, image_id)
        repeated(lambda: self._withdraw(image))

    def follow(self, image: ImageKey) -> bool:
        """Withdraw or restore an image's faces by what became of it; return whether it is shown."""
        return repeated(lambda: not self._withdraw(image) and self._restore(image))

    def erase(self, collection: str) -> int:
        """Erase some faces of a collection, and have a task erase the rest; return how many were erased now."""
        erased, more = self._store.erase(collection, ERASED_AT_ONCE)
        if more:
            self._tasks.send(EraseFaces(collection))
        return erased

    def _withdraw(self, image: ImageKey) -> bool:
        """Withdraw the faces unless the image is shown; return False if it is."""
        state = self._store.state(image)
        if state is ImageState.SHOWN:
            return False
        before = self._store.image(image)
        hidden = [face.withdrawn(_HIDDEN[state]) for face in before.faces]
        kept = [face for face in hidden if state is ImageState.TRASHED or face.is_decided]
        after = replace(before, faces=tuple(kept))
        if after.faces != before.faces:
            self._commit(before, after, Required(image, state))
        return True

    def _restore(self, image: ImageKey) -> bool:
        before = self._store.image(image)
        faces = [
            replace(face, state=FaceState.LIVE) if face.state is FaceState.TRASHED else face for face in before.faces
        ]
        if tuple(faces) != before.faces:
            self._commit(before, replace(before, faces=tuple(faces)), Required(image, ImageState.SHOWN))
        return True

    def _merged(
        self, before: ImageFaces, face_model: str, detected: Mapping[str, DetectedFace]
    ) -> tuple[ImageFaces, Mapping[str, FaceVector]]:
        """Return the faces after those detected are added, and the vectors of those that are new or live again.

        A new face takes over what is known of the face that another model found in its place.
        """
        others = [face for face in before.faces if face.face_id not in detected]
        faces, vectors = [], {}
        for wanted, one in detected.items():
            known = self._known(before, wanted)
            if known and known.is_live:
                faces.append(known)
                continue
            if known is None:
                known = Face(wanted, face_model, one.box, one.score, one.presence, one.eye_distance)
                other = max(others, key=lambda face: overlap(face.box, one.box), default=None)
                if other and overlap(other.box, one.box) >= SAME_PLACE:
                    others.remove(other)
                    known = replace(
                        known,
                        confirmed=other.confirmed,
                        rejected=other.rejected,
                        former=other.former,
                        recalled=other.person or other.recalled,
                    )
            faces.append(replace(known, state=FaceState.LIVE))
            vectors[wanted] = one.vector
        left = [face.withdrawn(FaceState.GONE) for face in others]
        return replace(before, faces=(*faces, *(face for face in left if face.is_decided))), vectors

    def _known(self, before: ImageFaces, wanted: str) -> Face | None:
        """Return what is stored of a face, which is not written again."""
        return before.find(wanted)

    def _commit(
        self,
        before: ImageFaces,
        after: ImageFaces,
        required: Required,
        vectors: Mapping[str, FaceVector] | None = None,
    ) -> None:
        """Replace an image's faces, and count those that are no longer live out of their persons."""
        left: dict[str, list[str]] = {}
        kept = {face.face_id: face.person for face in after.live()}
        for face in before.live():
            if face.person and kept.get(face.face_id) != face.person:
                left.setdefault(face.person, []).append(face.face_id)
        persons: list[Change] = []
        for person_id, faces in left.items():
            person = self._store.person(before.image.collection, person_id)
            if person is None:
                raise ConflictError
            persons.append(Change(person, person.left_by(*faces)))
        self._store.commit([Change(before, after), *persons], vectors=vectors, required=required)


def overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> float:
    """Return the intersection over union of two boxes (left, top, width, height)."""
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (one[2] * one[3] + other[2] * other[3] - shared)
