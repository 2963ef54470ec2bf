"""The people of collections, as the API reads them: lists, suggestions, and persons in a query image."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from shared.domain.albums import AlbumKey
from shared.domain.cursors import decode_cursor, decode_place, encode_cursor, encode_place
from shared.domain.errors import NotFound
from shared.domain.filters import ImageFilter, Order, Sort
from shared.domain.images import ImageRecord, Page
from shared.domain.ledger import ImageKey
from shared.domain.people import matching
from shared.domain.people.assignment import Assigner
from shared.domain.people.faces import DetectedFace
from shared.domain.people.lookup import existing_person, is_barred
from shared.domain.people.ports import PeopleStore
from shared.domain.people.records import FACE_ID_PATTERN, PERSON_ID_PATTERN, Face, Person, image_of
from shared.domain.ports.albums import Albums
from shared.domain.ports.catalogue import Catalogue
from shared.domain.tags import TagMatch

if TYPE_CHECKING:
    from shared.vision.pixels import Pixels

SAMPLED: Final = 3
"""Faces of a person by which others are suggested."""
EXAMINED: Final = 12
"""Persons for which one page of suggestions searches at most."""
MAX_IMAGES: Final = 5_000
"""Maximum number of images of one person that a listing looks through."""
_ORDER: Final = rf"[01]-[0-9]{{10}}-{PERSON_ID_PATTERN}"


class FaceFinder(Protocol):
    """Finds the faces of an image."""

    @property
    def face_model(self) -> str: ...
    def find(self, rgb: "Pixels") -> Sequence[DetectedFace]: ...


@dataclass(frozen=True, slots=True)
class ShownFace:
    """A face and the collection that it is in."""

    collection: str
    face: Face


@dataclass(frozen=True, slots=True)
class ShownPerson:
    """A person with the face that shows them, if one is left."""

    person: Person
    cover: Face | None


@dataclass(frozen=True, slots=True)
class NearPerson:
    """A person who may be the one asked for; `distance` is between faces."""

    person: ShownPerson
    distance: float


@dataclass(frozen=True, slots=True)
class Pair:
    """Two persons who may be the same."""

    person: ShownPerson
    other: NearPerson


@dataclass(frozen=True, slots=True)
class Recognised:
    """A face of a query image, who it is, and who else it may be."""

    face: DetectedFace
    person: ShownPerson | None
    near: Sequence[NearPerson]


class PeopleFinder:
    """Reads the people of one store."""

    def __init__(self, store: PeopleStore, catalogue: Catalogue, albums: Albums) -> None:
        self._store = store
        self._catalogue = catalogue
        self._albums = albums
        self._assigner = Assigner(store, lambda: "")

    def page(
        self, collection: str, *, hidden: bool, limit: int, cursor: str | None
    ) -> tuple[Sequence[ShownPerson], str | None]:
        """Return one page of persons: those with a name first, then by their number of faces.

        Raises:
            InvalidCursor: the cursor is malformed or belongs to another collection.
        """
        after = decode_place(cursor, collection, _ORDER) if cursor else ""
        shown = [
            one
            for one in self._store.people(collection)
            if one.into is None and one.hidden is hidden and (one.faces or one.name) and _place(one) > after
        ]
        ordered = sorted(shown, key=_place)
        more = len(ordered) > limit
        return self._shown(ordered[:limit]), encode_place(collection, _place(ordered[limit - 1])) if more else None

    def person(self, collection: str, person_id: str) -> ShownPerson:
        """Return a person, also by an id that was merged into theirs.

        Raises:
            NotFound: there is none.
        """
        return self._shown([existing_person(self._store, collection, person_id)])[0]

    def faces(
        self, collection: str, person_id: str | None, *, limit: int, cursor: str | None
    ) -> tuple[Sequence[ShownFace], str | None]:
        """Return one page of a person's faces (None: of those of nobody), in the order of their images' ids.

        Raises:
            NotFound: there is no such person.
            InvalidCursor: the cursor is malformed or belongs to another collection.
        """
        wanted = existing_person(self._store, collection, person_id).person_id if person_id else None
        after = decode_place(cursor, collection, FACE_ID_PATTERN) if cursor else None
        ids = self._store.faces_of(collection, wanted, limit=limit + 1, after=after)
        found = self._faces(collection, ids[:limit])
        more = encode_place(collection, ids[limit - 1]) if len(ids) > limit else None
        return [ShownFace(collection, face) for face in found], more

    def of_image(self, collection: str, image_id: str) -> Sequence[ShownFace]:
        """Return the faces of an image."""
        return [ShownFace(collection, face) for face in self._store.image(ImageKey(collection, image_id)).live()]

    def face(self, collection: str, face_id: str) -> ShownFace:
        """Return a face.

        Raises:
            NotFound: there is none.
        """
        for face in self._faces(collection, [face_id]):
            return ShownFace(collection, face)
        raise NotFound("There is no face with this id.")

    def suggestions(self, collection: str, person_id: str) -> tuple[Sequence[NearPerson], Sequence[ShownFace]]:
        """Return persons who may be the same as a person, and faces of nobody that may be theirs, nearest first.

        Raises:
            NotFound: there is no such person.
        """
        person = existing_person(self._store, collection, person_id)
        near, free = self._around(person)
        faces = [face for face in self._faces(collection, free) if face.person is None and not is_barred(face, person)]
        return self._near(near), [ShownFace(collection, face) for face in faces]

    def pairs(self, collection: str, *, limit: int, cursor: str | None) -> tuple[Sequence[Pair], str | None]:
        """Return pairs of persons who may be the same; a page may be empty and still have a next one.

        Raises:
            InvalidCursor: the cursor is malformed or belongs to another collection.
        """
        after = decode_place(cursor, collection, _ORDER) if cursor else ""
        persons = [one for one in self._store.people(collection) if one.into is None and one.faces and not one.hidden]
        waiting = [one for one in sorted(persons, key=_place) if _place(one) > after]
        pairs: list[Pair] = []
        for number, person in enumerate(waiting, start=1):
            near, _ = self._around(person)
            later = {one: distance for one, distance in near.items() if _place(one) > _place(person)}
            pairs += [Pair(self._shown([person])[0], other) for other in self._near(later)]
            if number < len(waiting) and (number == EXAMINED or len(pairs) >= limit):
                return pairs, encode_place(collection, _place(person))
        return pairs, None

    def recognise(self, collection: str, face_model: str, faces: Sequence[DetectedFace]) -> Sequence[Recognised]:
        """Return who the faces of a query image are; nothing of it is stored."""
        recognised = []
        for detected in faces:
            face = Face("", face_model, detected.box, detected.score, detected.presence, detected.eye_distance)
            around = self._assigner.neighbourhood(ImageKey(collection, ""), face, detected.vector)
            chosen = matching.joined(around.distances)
            near = {
                around.persons[one]: distance
                for distance, one in matching.ranked(around.distances)
                if distance <= matching.SUGGESTED and one != chosen
            }
            person = self._shown([around.persons[chosen]])[0] if chosen else None
            recognised.append(Recognised(detected, person, self._near(near)))
        return recognised

    def images(
        self,
        collection: str,
        people: Sequence[str],
        match: TagMatch,
        *,
        wanted: ImageFilter,
        sort: Sort,
        order: Order,
        limit: int,
        cursor: str | None,
    ) -> Page:
        """Return one page of the images that show all or any of some persons.

        Raises:
            NotFound: one of them does not exist.
            InvalidCursor: the cursor is malformed, or belongs to another collection or order.
        """
        sets = [self._images_of(collection, existing_person(self._store, collection, one).person_id) for one in people]
        images = set.intersection(*sets) if match is TagMatch.ALL else set.union(*sets)
        if wanted.album is not None:
            images.intersection_update(self._albums.held(AlbumKey(collection, wanted.album), images))
        records = [one for one in self._catalogue.shown(collection, sorted(images)).values() if wanted.accepts(one)]
        key: Callable[[ImageRecord], tuple[str, str]] = (
            (lambda one: (one.created_at, one.image_id))
            if sort is Sort.ADDED
            else (lambda one: (one.dated_at, one.image_id))
        )
        newest = order is Order.NEWEST
        records.sort(key=key, reverse=newest)
        if cursor:
            after = decode_cursor(cursor, collection, sort)
            records = [one for one in records if (key(one) < after if newest else key(one) > after)]
        more = len(records) > limit
        return Page(records[:limit], encode_cursor(collection, *key(records[limit - 1]), sort) if more else None)

    def _images_of(self, collection: str, person_id: str) -> set[str]:
        return {image_of(face) for face in self._store.faces_of(collection, person_id, limit=MAX_IMAGES)}

    def _around(self, person: Person) -> tuple[dict[Person, float], Sequence[str]]:
        """Return the persons near some faces of a person, with their distances, and the faces of nobody."""
        sample = self._store.faces_of(person.collection, person.person_id, limit=SAMPLED)
        vectors = self._store.vectors(person.collection, sample)
        distances: dict[str, list[float]] = defaultdict(list)
        persons: dict[str, Person] = {}
        free: dict[str, float] = {}
        for face in self._faces(person.collection, sample):
            if face.face_id not in vectors:
                continue
            image = ImageKey(person.collection, image_of(face.face_id))
            around = self._assigner.neighbourhood(image, face, vectors[face.face_id])
            for one in around.free:
                free[one.face_id] = min(one.distance, free.get(one.face_id, one.distance))
            for one_id, found in around.distances.items():
                persons[one_id] = around.persons[one_id]
                distances[one_id].append(min(found))
        near = {
            persons[one_id]: min(found)
            for one_id, found in distances.items()
            if not self._is_told_apart(person, persons[one_id]) and min(found) <= matching.SUGGESTED
        }
        return near, sorted(free, key=lambda one: free[one])

    @staticmethod
    def _is_told_apart(person: Person, other: Person) -> bool:
        same = person.person_id == other.person_id
        return same or other.hidden or not person.apart.isdisjoint(other.known_as)

    def _near(self, near: dict[Person, float]) -> list[NearPerson]:
        ordered = sorted(near, key=lambda person: near[person])
        return [NearPerson(shown, near[person]) for person, shown in zip(ordered, self._shown(ordered), strict=True)]

    def _shown(self, persons: Sequence[Person]) -> list[ShownPerson]:
        """Return persons with the faces that show them: what somebody chose, else the first that joined."""
        wanted = {one.person_id: [face for face in (one.cover, one.sample) if face] for one in persons}
        collection = persons[0].collection if persons else ""
        faces = {
            face.face_id: face for face in self._faces(collection, [one for ids in wanted.values() for one in ids])
        }
        shown = []
        for one in persons:
            theirs = [faces[face] for face in wanted[one.person_id] if face in faces]
            cover = next((face for face in theirs if face.person in one.known_as), None)
            if cover is None and one.faces:
                first = self._store.faces_of(collection, one.person_id, limit=1)
                cover = next(iter(self._faces(collection, first)), None)
            shown.append(ShownPerson(one, cover))
        return shown

    def _faces(self, collection: str, face_ids: Sequence[str]) -> list[Face]:
        """Return those of the faces that are live, in the same order."""
        stored = self._store.images(collection, {image_of(one) for one in face_ids}) if face_ids else {}
        found = [stored[image_of(one)].find(one) for one in face_ids if image_of(one) in stored]
        return [face for face in found if face and face.is_live]


def _place(person: Person) -> str:
    """Return the place of a person in the list, as text that sorts: named ones first, then those with most faces."""
    return f"{0 if person.name else 1}-{10**10 - 1 - person.faces:010d}-{person.person_id}"
