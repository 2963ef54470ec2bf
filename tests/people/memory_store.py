"""People in memory, with the conditional operations of the stores, and an index that lags behind."""

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from shared.domain.ledger import ConflictError, ImageKey
from shared.domain.people.faces import FaceVector
from shared.domain.people.ports import FacesOn, ImageState, Near, Required
from shared.domain.people.records import Change, FaceState, ImageFaces, Person, Record, image_of


class MemoryPeople:
    """The people of one collection.

    Attributes:
        states: the state of each image; absent images are missing.
        index: what the vector index has seen, by face.
    """

    def __init__(self) -> None:
        self.states: dict[ImageKey, ImageState] = {}
        self.on = True
        self._versions = itertools.count(1)
        self.images_: dict[ImageKey, ImageFaces] = {}
        self.persons: dict[str, Person] = {}
        self.stored: dict[str, FaceVector] = {}
        self.index: dict[str, tuple[str, FaceVector]] = {}

    def state(self, image: ImageKey) -> ImageState:
        return self.states.get(image, ImageState.ABSENT)

    def accepts(self, collection: str) -> bool:
        return self.on

    def image(self, image: ImageKey) -> ImageFaces:
        return self.images_.get(image, ImageFaces(image))

    def images(self, collection: str, image_ids: Collection[str]) -> Mapping[str, ImageFaces]:
        keys = [ImageKey(collection, image_id) for image_id in sorted(image_ids)]
        return {key.image_id: self.images_[key] for key in keys if key in self.images_}

    def stored_faces(
        self, collection: str, *, limit: int, after: str | None = None
    ) -> tuple[Sequence[ImageFaces], bool]:
        later = sorted(
            (one for one in self._docs(collection) if one.image.image_id > (after or "")),
            key=lambda one: one.image.image_id,
        )
        return later[:limit], len(later) > limit

    def person(self, collection: str, person_id: str) -> Person | None:
        return self.persons.get(person_id)

    def find_people(self, collection: str, person_ids: Collection[str]) -> Mapping[str, Person]:
        return {one: self.persons[one] for one in person_ids if one in self.persons}

    def people(self, collection: str) -> Sequence[Person]:
        return list(self.persons.values())

    def faces_of(
        self, collection: str, person_id: str | None, *, limit: int, after: str | None = None
    ) -> Sequence[str]:
        faces = sorted(
            face.face_id for one in self._docs(collection) for face in one.live() if face.person == person_id
        )
        return [face for face in faces if after is None or face > after][:limit]

    def _docs(self, collection: str) -> Sequence[ImageFaces]:
        return [one for one in self.images_.values() if one.image.collection == collection]

    def vectors(self, collection: str, face_ids: Collection[str]) -> Mapping[str, FaceVector]:
        return {face: self.stored[face] for face in face_ids if face in self.stored}

    def live_vectors(self) -> dict[str, tuple[str, FaceVector]]:
        """Return model and vector of each live face: what the index will have seen in the end."""
        return {
            face.face_id: (face.face_model, self.stored[face.face_id])
            for one in self.images_.values()
            for face in one.live()
            if face.face_id in self.stored
        }

    def near(self, collection: str, face_model: str, vector: FaceVector, limit: int) -> Sequence[Near]:
        known = [(face, held) for face, (model, held) in self.index.items() if model == face_model]
        if not known:
            return []
        distances = np.linalg.norm(np.stack([held for _, held in known]) - vector, axis=1)
        order = np.argsort(distances, kind="stable")[:limit]
        return [Near(known[at][0], float(distances[at])) for at in order]

    def commit(
        self,
        changes: Sequence[Change],
        *,
        vectors: Mapping[str, FaceVector] | None = None,
        required: Required | FacesOn | None = None,
    ) -> None:
        if required and not self._is_met(required):
            raise ConflictError
        if any(self._is_stale(change.before) for change in changes):
            raise ConflictError
        self.stored.update(vectors or {})
        for change in changes:
            self._write(change)

    def _is_met(self, required: Required | FacesOn) -> bool:
        if isinstance(required, FacesOn):
            return self.on
        return self.states.get(required.image, ImageState.ABSENT) is required.state and (
            self.on or not required.faces_on
        )

    def _is_stale(self, before: Record) -> bool:
        return self._version(before) != before.version

    def _version(self, record: Record) -> str:
        held = self.persons.get(record.person_id) if isinstance(record, Person) else self.images_.get(record.image)
        return held.version if held else ""

    def _write(self, change: Change) -> None:
        version = str(next(self._versions))
        match change.before, change.after:
            case ImageFaces(image=image), ImageFaces(faces=faces) if faces:
                self.images_[image] = replace(change.after, version=version)
            case ImageFaces(image=image), _:
                self.images_.pop(image, None)
            case Person(person_id=person_id), Person():
                self.persons[person_id] = replace(change.after, version=version)
            case Person(person_id=person_id), _:
                self.persons.pop(person_id, None)
        if isinstance(change.before, ImageFaces):
            after = change.after.faces if isinstance(change.after, ImageFaces) else ()
            kept = {face.face_id for face in after if face.state is not FaceState.GONE}
            for face in change.before.faces:
                if face.face_id not in kept:
                    self.stored.pop(face.face_id, None)

    def erase(self, collection: str, limit: int) -> tuple[int, bool]:
        docs = self._docs(collection)[:limit]
        for one in docs:
            self.images_.pop(one.image)
            for face in one.faces:
                self.stored.pop(face.face_id, None)
        if self.images_:
            return sum(len(list(one.live())) for one in docs), True
        self.persons.clear()
        return sum(len(list(one.live())) for one in docs), False


def neighbours_of(store: MemoryPeople, face: str) -> Sequence[Near]:
    """Return the nearest faces of a face, itself left out."""
    return [one for one in store.near("c", "m", store.stored[face], 50) if image_of(one.face_id) != image_of(face)]
