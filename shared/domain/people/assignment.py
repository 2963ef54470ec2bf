"""Find persons for faces, one image at a time.

Each assignment is one transaction of faces and person, which fails if either has changed since it was read: if the
person was merged, the face got a person, was rejected or withdrawn, or another face of its image was assigned.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import uuid4

from shared.domain.ledger import ImageKey
from shared.domain.people import matching
from shared.domain.people.faces import FaceVector
from shared.domain.people.lookup import home, is_barred, repeated, resolve
from shared.domain.people.ports import Near, PeopleStore
from shared.domain.people.records import Change, Face, ImageFaces, Person, image_of

SEARCHED: Final = 50
"""Neighbours of a face that are looked at."""
MAX_GROUP: Final = 20
"""Maximum number of faces that start a person at once; the others join."""


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """What is near a face: the distances to the faces of each person, and the faces without a person."""

    persons: Mapping[str, Person]
    distances: Mapping[str, Sequence[float]]
    free: Sequence[Near]


class Assigner:
    """Assigns faces to persons.

    Args:
        now: returns the time, ISO 8601 in UTC.
        new_id: returns an id that no person has had.
    """

    def __init__(
        self, store: PeopleStore, now: Callable[[], str], new_id: Callable[[], str] = lambda: uuid4().hex
    ) -> None:
        self._store = store
        self._now = now
        self._new_id = new_id

    def assign(self, image: ImageKey) -> None:
        """Find persons for the faces of an image, and for their neighbours that have none."""
        faces = sorted(self._store.image(image).live(), key=lambda face: face.recalled is None)
        for face in faces:
            near = self._placed(image, face.face_id)
            for free in near:  # what they lacked may have been this face
                self._placed(ImageKey(image.collection, image_of(free.face_id)), free.face_id)

    def neighbourhood(self, image: ImageKey, face: Face, vector: FaceVector) -> Neighbourhood:
        """Return what is near a face, but for persons that it cannot be."""
        collection = image.collection
        near = [
            one
            for one in self._store.near(collection, face.face_model, vector, SEARCHED)
            if one.face_id != face.face_id
        ]
        stored = self._store.images(collection, {image_of(one.face_id) for one in near})
        others = {one: faces.find(one.face_id) for one in near if (faces := stored.get(image_of(one.face_id)))}
        live = {
            one: other
            for one, other in others.items()
            if other and other.is_live and other.face_model == face.face_model
        }
        persons = self._resolved(collection, {other.person for other in live.values() if other.person})
        distances = defaultdict(list)
        free = []
        for one, other in live.items():
            if other.person is None:
                free += [one] if one.distance <= matching.SUGGESTED else []
            elif (person := persons.get(other.person)) and not is_barred(face, person):
                distances[person.person_id].append(one.distance)
        return Neighbourhood({one.person_id: one for one in persons.values()}, distances, free)

    def _resolved(self, collection: str, person_ids: Collection[str]) -> Mapping[str, Person]:
        """Return the persons that ids stand for now, read at once but for those that were merged into others."""
        found = self._store.find_people(collection, person_ids)
        return {
            person_id: person
            for person_id, read in found.items()
            if (person := resolve(self._store, collection, read.into) if read.into else read)
        }

    def _placed(self, image: ImageKey, face_id: str) -> Sequence[Near]:
        """Find a person for a face; if it gets one, return the near faces without a person."""
        return repeated(lambda: self._place(image, face_id))

    def _place(self, image: ImageKey, face_id: str) -> Sequence[Near]:
        faces = self._store.image(image)
        face = faces.find(face_id)
        if face is None or not face.is_live or face.person:
            return ()
        vector = self._store.vectors(image.collection, [face_id]).get(face_id)
        if vector is None:
            return ()
        around = self.neighbourhood(image, face, vector)
        free = [one for one in around.free if one.distance <= matching.NEAREST]
        if known := home(self._store, image.collection, face):
            person, former = known
            if not is_barred(face, person):
                self._join(faces, replace(face, former=former), person)
                return free
        taken = self._taken(faces, face, around)
        chosen = matching.joined({one: found for one, found in around.distances.items() if one not in taken})
        if chosen:
            self._join(faces, replace(face, former=(), confirmed=False), around.persons[chosen])
            return free
        return free if self._start(faces, face, vector, free) else ()

    def _taken(self, faces: ImageFaces, face: Face, around: Neighbourhood) -> frozenset[str]:
        """Return those persons nearby who have another face of the image, so that this one cannot belong to them.

        Only those faces are looked up that were one of them before merges: a crowd has hundreds.
        """
        nearby = {known for person in around.persons.values() for known in person.known_as}
        taken = set()
        for one in faces.live():
            if one is face or nearby.isdisjoint((one.person, one.recalled, *one.former)):
                continue
            if one.person and one.person in around.persons and not one.former:
                taken.add(one.person)
            elif found := home(self._store, faces.image.collection, one):
                taken.add(found[0].person_id)
        return frozenset(taken)

    def _join(self, faces: ImageFaces, face: Face, person: Person) -> None:
        joined = replace(face, person=person.person_id, recalled=None)
        self._store.commit([Change(faces, faces.with_face(joined)), Change(person, person.joined_by(face.face_id))])

    def _start(self, faces: ImageFaces, face: Face, vector: FaceVector, free: Sequence[Near]) -> bool:
        """Start a person from a face and its neighbours of other images, if they suffice."""
        collection = faces.image.collection
        nearest: dict[str, str] = {}
        for one in free:
            nearest.setdefault(image_of(one.face_id), one.face_id)
        nearest.pop(faces.image.image_id, None)
        vectors = self._store.vectors(collection, nearest.values())
        members = [one for one in nearest.values() if one in vectors][: 2 * MAX_GROUP]
        group = matching.founders([vector, *(vectors[one] for one in members)])[:MAX_GROUP]
        if not group:
            return False
        stored = self._store.images(collection, {image_of(members[number - 1]) for number in group[1:]})
        founding = [(faces, face)]
        for number in group[1:]:
            of_image = stored.get(image_of(members[number - 1]))
            member = of_image.find(members[number - 1]) if of_image else None
            if of_image and member and member.is_live and not home(self._store, collection, member):
                founding.append((of_image, member))
        if len(founding) < matching.FOUNDERS:
            return False
        person_id = self._new_id()
        ids = [member.face_id for _, member in founding]
        started = Person(collection, person_id, origin=faces.image.image_id, created_at=self._now())
        changes = [
            Change(of_image, of_image.with_face(replace(member, person=person_id, recalled=None, former=())))
            for of_image, member in founding
        ]
        self._store.commit([*changes, Change(started, started.joined_by(*ids))])
        return True
