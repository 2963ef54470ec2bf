"""Merge persons, and undo that.

A merge first marks the person that goes, so that no face is assigned to it any more, and holds the one that stays. Its
faces are then moved one by one, by a task that can be repeated; the count of each person changes with each face.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from shared.domain.errors import NotFound
from shared.domain.ledger import ImageKey
from shared.domain.people.lookup import MAX_MERGES, existing_person, home, is_barred, repeated, resolve
from shared.domain.people.ports import MoveFaces, PeopleStore, SettleImage, Tasks
from shared.domain.people.records import Change, Face, Person, image_of

BATCH: Final = 100
MOVED_AT_ONCE: Final = 1000
"""Faces that one task moves, each by half a dozen requests; a further task moves the next ones. A function has time for
about three times as many."""


class Merger:
    """Merges persons, and returns what was merged."""

    def __init__(self, store: PeopleStore, tasks: Tasks) -> None:
        self._store = store
        self._tasks = tasks

    def merge(self, collection: str, person_id: str, into: str, *, names: bool = True) -> Person:
        """Merge a person into another; return the other.

        Args:
            names: have the other take over the name of this one if it has none.

        Raises:
            NotFound: one of them does not exist.
        """

        def mark() -> tuple[Person, str]:
            gone = existing_person(self._store, collection, person_id)
            stays = existing_person(self._store, collection, into)
            if gone.person_id == stays.person_id:
                return stays, person_id  # repeated, perhaps because nobody was told of the first time
            named = gone.name if names and stays.name is None else None
            held = replace(
                stays,
                merged=stays.merged | gone.known_as,
                apart=(stays.apart | gone.apart) - stays.known_as - gone.known_as,
                name=stays.name or named,
                named_by=gone.person_id if named else stays.named_by,
                kept=True,
            )
            self._mark(gone, stays, held)
            return held, gone.person_id

        person, gone = repeated(mark)
        self._tasks.send(MoveFaces(collection, gone))
        return person

    def _mark(self, gone: Person, stays: Person, held: Person) -> None:
        marked = replace(gone, into=stays.person_id, released=None, kept=True)
        self._store.commit([Change(gone, marked), Change(stays, held)])

    def unmerge(self, collection: str, person_id: str) -> Person:
        """Undo the merge of a person, who gets back the faces that it moved; return the person.

        Raises:
            NotFound: the person does not exist or was not merged.
        """

        def release() -> tuple[Person, str]:
            gone = self._store.person(collection, person_id)
            if gone and gone.released:
                return gone, gone.released
            if gone is None or gone.into is None:
                raise NotFound("There is no merged person with this id.")
            returned = replace(gone, into=None, released=gone.into, apart=gone.apart | {gone.into})
            changes = [Change(gone, returned)]
            for above in self._above(collection, gone.into):
                renamed = {"name": None, "named_by": None} if above.named_by in gone.known_as else {}
                apart = above.apart | ({gone.person_id} if above.person_id == gone.into else set())
                changes.append(
                    Change(above, replace(above, merged=above.merged - gone.known_as, apart=apart, **renamed))  # type: ignore[arg-type]
                )
            self._store.commit(changes)
            return returned, gone.into

        returned, parent = repeated(release)
        for above in self._above(collection, parent):
            self._tasks.send(MoveFaces(collection, above.person_id))
        return returned

    def move(self, collection: str, person_id: str, after: str | None = None) -> Person | None:
        """Move the faces of a merged person to where they belong, some by a further task.

        Args:
            after: the face after which to begin.

        Returns:
            The person that it was merged into, once all faces have moved.
        """
        for _ in range(MOVED_AT_ONCE // BATCH):
            faces = self._store.faces_of(collection, person_id, limit=BATCH, after=after)
            if not faces:
                break
            for face_id in faces:
                repeated(lambda face_id=face_id: self._move(collection, person_id, face_id))  # type: ignore[misc]
            after = faces[-1]
        else:
            self._tasks.send(MoveFaces(collection, person_id, after))
            return None
        person = self._store.person(collection, person_id)
        return resolve(self._store, collection, person_id) if person and person.into else None

    def _move(self, collection: str, person_id: str, face_id: str) -> None:
        """Move a face that is not where it belongs; one that was rejected from there is left without a person."""
        image = ImageKey(collection, image_of(face_id))
        faces, left = self._store.image(image), self._store.person(collection, person_id)
        face = faces.find(face_id)
        if face is None or left is None or face.person != person_id:
            return
        belongs = home(self._store, collection, face)
        if belongs is None or belongs[0].person_id == person_id:
            return
        to, former = belongs
        if self._is_barred(face, to):
            alone = replace(face, person=None, former=(), confirmed=False)
            self._store.commit([Change(faces, faces.with_face(alone)), Change(left, left.left_by(face_id))])
            self._tasks.send(SettleImage(image))
            return
        moved = replace(face, person=to.person_id, former=former)
        self._store.commit(
            [
                Change(faces, faces.with_face(moved)),
                Change(left, left.left_by(face_id)),
                Change(to, to.joined_by(face_id)),
            ]
        )

    def _is_barred(self, face: Face, person: Person) -> bool:
        return is_barred(face, person)

    def _above(self, collection: str, person_id: str) -> Iterator[Person]:
        """Yield a person, and those that it was merged into, one after the other."""
        following: str | None = person_id
        for _ in range(MAX_MERGES):
            person = self._store.person(collection, following) if following else None
            if person is None:
                return
            yield person
            following = person.into
