"""The protocol of people with one safeguard left out, each of which histories must find."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from shared.domain.ledger import ImageKey
from shared.domain.people.assignment import Assigner
from shared.domain.people.faces import FaceVector
from shared.domain.people.keeping import FaceKeeper
from shared.domain.people.lookup import is_barred, repeated, resolve
from shared.domain.people.merging import BATCH, Merger
from shared.domain.people.moving import PeopleMover
from shared.domain.people.ports import FacesOn, Required
from shared.domain.people.records import Change, Face, ImageFaces, Person, Record, image_of
from tests.people.histories import Parts, SteppedPeople


class WritesFacesAgain(FaceKeeper):
    """Writes a face again that is stored."""

    def _merged(self, before: ImageFaces, *detected: Any) -> tuple[ImageFaces, Mapping[str, FaceVector]]:
        after, vectors = super()._merged(_FindsNone(before.image, before.faces, before.version), *detected)
        return ImageFaces(after.image, after.faces, after.version), vectors


class _FindsNone(ImageFaces):
    """Faces of which none is found, though they are stored."""

    def find(self, wanted: str) -> Face | None:
        return None


class CountsApart(SteppedPeople):
    """Stores the faces first, and then each count."""

    def commit(self, changes: Sequence[Change], **conditions: Any) -> None:
        super().commit([one for one in changes if isinstance(one.before, ImageFaces)], **conditions)
        for one in changes:
            if isinstance(one.before, Person):
                super().commit([one])


class AssignsToAnyPerson(SteppedPeople):
    """Assigns faces whatever became of the person meanwhile, as it was read but for its count."""

    def commit(self, changes: Sequence[Change], **conditions: Any) -> None:
        faces = [one for one in changes if isinstance(one.before, ImageFaces)]
        super().commit([self._now(one) if faces else one for one in changes], **conditions)

    def _now(self, change: Change) -> Change:
        before, after = change.before, change.after
        if not isinstance(before, Person) or not isinstance(after, Person) or not before.version:
            return change
        held = self.persons.get(before.person_id)
        if held is None or before.kept != after.kept:
            return change
        return Change(held, replace(after, faces=held.faces + after.faces - before.faces))


class OverwritesFaces(SteppedPeople):
    """Replaces the faces of an image whatever became of them meanwhile."""

    def _is_stale(self, before: Record) -> bool:
        return isinstance(before, Person) and super()._is_stale(before)


class StoresForAnyImage(SteppedPeople):
    """Stores and withdraws faces whatever became of their image meanwhile."""

    def _is_met(self, required: Required | FacesOn) -> bool:
        return isinstance(required, Required) or super()._is_met(required)


class ImportsWhereFacesAreOff(SteppedPeople):
    """Stores persons that come from elsewhere whether or not the collection has faces on."""

    def _is_met(self, required: Required | FacesOn) -> bool:
        return isinstance(required, FacesOn) or super()._is_met(required)


class ImportsOverDecisions(PeopleMover):
    """Takes what comes from elsewhere for right, whatever somebody decided here meanwhile."""

    def restore_faces(self, image: ImageKey, given: Sequence[Face], *, overwrite: bool) -> None:
        super().restore_faces(image, given, overwrite=True)


class MarksLast(Merger):
    """Moves the faces of a merged person before it is marked."""

    def merge(self, collection: str, person_id: str, into: str, *, names: bool = True) -> Person:
        for face_id in self._store.faces_of(collection, person_id, limit=BATCH):
            repeated(lambda face_id=face_id: self._hand_over(collection, face_id, person_id, into))  # type: ignore[misc]
        return super().merge(collection, person_id, into, names=names)

    def _hand_over(self, collection: str, face_id: str, person_id: str, into: str) -> None:
        faces = self._store.image(ImageKey(collection, image_of(face_id)))
        face, left, to = faces.find(face_id), *(self._store.person(collection, one) for one in (person_id, into))
        if face and face.person == person_id and left and to and not is_barred(face, to):
            moved = replace(face, person=into, former=(*face.former, person_id))
            changes = [Change(left, left.left_by(face_id)), Change(to, to.joined_by(face_id))]
            self._store.commit([Change(faces, faces.with_face(moved)), *changes])

    def move(self, collection: str, person_id: str, after: str | None = None) -> Person | None:
        return resolve(self._store, collection, person_id)


class HoldsNobody(Merger):
    """Does not hold the person that stays."""

    def _mark(self, gone: Person, stays: Person, held: Person) -> None:
        super()._mark(gone, stays, replace(held, kept=stays.kept))


class MovesRejected(Merger):
    """Moves faces that are not the person that stays, as somebody said."""

    def _is_barred(self, face: Face, person: Person) -> bool:
        return False


class AssignsTwice(Assigner):
    """Assigns several faces of an image to one person."""

    def _taken(self, *_: object) -> frozenset[str]:
        return frozenset()


WITHOUT: Final[Mapping[str, Parts]] = {
    "a stored face is not written again": Parts(keeper=WritesFacesAgain),
    "faces and counts change in one transaction": Parts(store=CountsApart),
    "an assignment fails if the person was merged": Parts(store=AssignsToAnyPerson),
    "a change fails if the image's faces have changed": Parts(store=OverwritesFaces),
    "faces are stored only while their image is shown": Parts(store=StoresForAnyImage),
    "a merge first marks the person that goes": Parts(merger=MarksLast),
    "a merge holds the person that stays": Parts(merger=HoldsNobody),
    "a merge leaves out faces that rejected the other": Parts(merger=MovesRejected),
    "a person has at most one face of an image": Parts(assigner=AssignsTwice),
    "an import stores nothing where faces are off": Parts(store=ImportsWhereFacesAreOff),
    "an import leaves what was decided meanwhile": Parts(mover=ImportsOverDecisions),
}
"""The protocol without each safeguard, by what that ensures."""

FOUND_BY: Final[Mapping[str, int]] = {
    "a stored face is not written again": 0,
    "faces and counts change in one transaction": 0,
    "an assignment fails if the person was merged": 20,
    "a change fails if the image's faces have changed": 0,
    "faces are stored only while their image is shown": 33,
    "a merge first marks the person that goes": 0,
    "a merge holds the person that stays": 134,
    "a merge leaves out faces that rejected the other": 2,
    "a person has at most one face of an image": 3,
    "an import stores nothing where faces are off": 925,
    "an import leaves what was decided meanwhile": 9,
}
"""The seed of a history that fails without each safeguard."""
