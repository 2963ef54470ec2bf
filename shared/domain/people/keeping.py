"""Store the faces of images, and have them follow what becomes of their image."""

import itertools
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
AT_ONCE: Final = 16
"""Faces of an image that one transaction changes: each may take five of the hundred writes that DynamoDB allows."""
ERASED_AT_ONCE: Final = 200
"""Images whose faces one task erases; a further task erases the next ones."""

_RESTORED: Final = {FaceState.LIVE: FaceState.LIVE, FaceState.TRASHED: FaceState.LIVE, FaceState.GONE: FaceState.GONE}
_ADDED: Final = {ImageState.SHOWN: FaceState.LIVE, ImageState.TRASHED: FaceState.TRASHED}
_HIDDEN: Final = {ImageState.TRASHED: FaceState.TRASHED, ImageState.ABSENT: FaceState.GONE}


class FaceKeeper:
    """Keeps the faces of images; see `shared.domain.people.faces.Faces`.

    Faces are stored only while their collection has the image and has faces on, and are withdrawn only while it does
    not show the image: the store checks both in the transaction.
    """

    def __init__(self, store: PeopleStore, tasks: Tasks) -> None:
        self._store = store
        self._tasks = tasks

    def add(self, collection: str, image_id: str, face_model: str, faces: Sequence[DetectedFace]) -> None:
        """Store an image's faces; the image must have its record. Those of another model are replaced."""
        image = ImageKey(collection, image_id)
        surest = sorted(range(len(faces)), key=lambda position: -faces[position].score)[:MAX_FACES]
        kept = [faces[position] for position in sorted(surest)]

        def store() -> bool:
            while self._store.accepts(collection) and (state := self._store.state(image)) in _ADDED:
                before = self._store.image(image)
                detected = identified(before, face_model, kept)
                after, vectors = self._merged(before, face_model, detected, _ADDED[state])
                if after.faces == before.faces:
                    return bool(after.faces)
                self._commit(before, after, Required(image, state, faces_on=True), vectors)
            return False

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
        while (state := self._store.state(image)) is not ImageState.SHOWN:
            before = self._store.image(image)
            hidden = [face.withdrawn(_HIDDEN[state]) for face in before.faces]
            after = _partly(before, [face for face in hidden if state is ImageState.TRASHED or face.is_decided])
            if after.faces == before.faces:
                return True
            self._commit(before, after, Required(image, state))
        return False

    def _restore(self, image: ImageKey) -> bool:
        while True:
            before = self._store.image(image)
            after = _partly(before, [replace(face, state=_RESTORED[face.state]) for face in before.faces])
            if after.faces == before.faces:
                return True
            self._commit(before, after, Required(image, ImageState.SHOWN))

    def _merged(
        self, before: ImageFaces, face_model: str, detected: Mapping[str, DetectedFace], state: FaceState
    ) -> tuple[ImageFaces, Mapping[str, FaceVector]]:
        """Return the faces after some of those detected are added, and the vectors of those.

        A new face takes over what is known of the face that another model found in its place. The faces of other
        models that remain are withdrawn in the end.
        """
        known = {wanted: before.find(wanted) for wanted in detected}
        present = {FaceState.LIVE, state}
        lacking = [wanted for wanted, face in known.items() if face is None or face.state not in present][:AT_ONCE]
        others = [face for face in before.faces if face.face_id not in detected]
        if not lacking:
            left = [face.withdrawn(FaceState.GONE) for face in others]
            faces = [face for face in before.faces if face.face_id in detected]
            return _partly(before, [*faces, *(face for face in left if face.is_decided)]), {}
        added, vectors = [], {}
        for wanted in lacking:
            one, face = detected[wanted], known[wanted]
            if face is None:
                face = Face(wanted, face_model, one.box, one.score, one.presence, one.eye_distance)
                other = max(others, key=lambda face, box=one.box: overlap(face.box, box), default=None)  # type: ignore[misc]
                if other and overlap(other.box, one.box) >= SAME_PLACE:
                    others.remove(other)
                    face = replace(
                        face,
                        confirmed=other.confirmed,
                        rejected=other.rejected,
                        former=other.former,
                        recalled=other.person or other.recalled,
                    )
            added.append(replace(face, state=state))
            vectors[wanted] = one.vector
        kept = [face for wanted, face in known.items() if face and wanted not in vectors]
        return replace(before, faces=(*kept, *added, *others)), vectors

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


def identified(before: ImageFaces, face_model: str, detected: Sequence[DetectedFace]) -> dict[str, DetectedFace]:
    """Return the faces that a model found, each by the id of the stored one in its place, or else by a free one.

    So a face keeps its id if another version of the program, or another processor, finds the faces of the image in
    another order, or more of them.
    """
    free = {face.face_id: face for face in before.faces if face.face_model == face_model}
    places: list[str | None] = []
    for one in detected:
        nearest = max(free.values(), key=lambda face, box=one.box: overlap(face.box, box), default=None)  # type: ignore[misc]
        found = nearest if nearest and overlap(nearest.box, one.box) >= SAME_PLACE else None
        places.append(free.pop(found.face_id).face_id if found else None)
    taken = {face.face_id for face in before.faces}
    unused = (
        wanted
        for position in itertools.count()
        if (wanted := face_id(before.image.image_id, face_model, position)) not in taken
    )
    return {place or next(unused): one for place, one in zip(places, detected, strict=True)}


def _partly(before: ImageFaces, faces: Sequence[Face]) -> ImageFaces:
    """Return an image's faces with the first of the changes that lead to others, of which none is new."""
    wanted = {face.face_id: face for face in faces}
    changed = [face.face_id for face in before.faces if wanted.get(face.face_id) != face][AT_ONCE:]
    kept = [face if face.face_id in changed else wanted.get(face.face_id) for face in before.faces]
    return replace(before, faces=tuple(face for face in kept if face))


def overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> float:
    """Return the intersection over union of two boxes (left, top, width, height)."""
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (one[2] * one[3] + other[2] * other[3] - shared)
