"""What people decide about persons and faces. All of it is kept until the collection's faces are erased."""

from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

from shared.domain.errors import NotFound
from shared.domain.ledger import ConflictError, ImageKey
from shared.domain.people.lookup import existing_person, repeated
from shared.domain.people.ports import PeopleStore, SettleImage, Tasks
from shared.domain.people.records import Change, Face, ImageFaces, Person, image_of


class PeopleDecisions:
    """Stores decisions."""

    def __init__(self, store: PeopleStore, tasks: Tasks) -> None:
        self._store = store
        self._tasks = tasks

    def rename(self, collection: str, person_id: str, name: str | None) -> Person:
        """Give a person a name, or none.

        Raises:
            NotFound: there is no such person, as for all of these methods.
        """
        return self._change(collection, person_id, lambda person: replace(person, name=name, named_by=None))

    def hide(self, collection: str, person_id: str, *, hidden: bool) -> Person:
        return self._change(collection, person_id, lambda person: replace(person, hidden=hidden))

    def show_by(self, collection: str, person_id: str, cover: str | None) -> Person:
        """Choose the face that a person is shown by; it must be one of theirs."""
        if cover:
            face = self._store.image(ImageKey(collection, image_of(cover))).find(cover)
            person = existing_person(self._store, collection, person_id)
            if face is None or face.person not in person.known_as:
                raise NotFound("The person has no face with this id.")
        return self._change(collection, person_id, lambda person: replace(person, cover=cover))

    def separate(self, collection: str, person_id: str, other: str) -> None:
        """Note that two persons are not the same, so that it is not suggested."""

        def change() -> None:
            one = existing_person(self._store, collection, person_id)
            two = existing_person(self._store, collection, other)
            if one.person_id != two.person_id:
                self._store.commit(
                    [
                        Change(one, replace(one, apart=one.apart | {two.person_id}, kept=True)),
                        Change(two, replace(two, apart=two.apart | {one.person_id}, kept=True)),
                    ]
                )

        repeated(change)

    def confirm(self, collection: str, face_id: str, person_id: str) -> None:
        """Note that a face is a person, to whom it is assigned."""

        def change() -> None:
            faces, face = self._face(collection, face_id)
            person = existing_person(self._store, collection, person_id)
            rejected = face.rejected - person.known_as
            changed = replace(
                face, person=person.person_id, confirmed=True, rejected=rejected, former=(), recalled=None
            )
            changes = [Change(faces, faces.with_face(changed))]
            if face.person == person.person_id:
                changes.append(Change(person, replace(person, kept=True)))
            else:
                changes.append(Change(person, replace(person.joined_by(face_id), kept=True)))
                changes += self._leave(collection, face)
            self._store.commit(changes)

        repeated(change)

    def start(self, collection: str, face_id: str, name: str, now: str) -> Person:
        """Start a person with a name from one face; return the person."""

        def change() -> Person:
            faces, face = self._face(collection, face_id)
            new = Person(collection, uuid4().hex, name=name, kept=True, created_at=now)
            started = new.joined_by(face_id)
            changed = replace(face, person=new.person_id, confirmed=True, former=(), recalled=None)
            self._store.commit(
                [Change(faces, faces.with_face(changed)), Change(new, started), *self._leave(collection, face)]
            )
            return started

        person = repeated(change)
        self._tasks.send(SettleImage(ImageKey(collection, image_of(face_id))))
        return person

    def reject(self, collection: str, face_id: str, person_id: str | None = None) -> None:
        """Note that a face is not a person (None: the one that it is assigned to); another one is looked for."""

        def change() -> None:
            faces, face = self._face(collection, face_id)
            wrong = person_id or face.person
            if wrong is None:
                raise NotFound("The face has no person.")
            person = existing_person(self._store, collection, wrong)
            been = person.known_as.intersection((face.person or "", *face.former))
            changed = replace(face, rejected=face.rejected | been | {person.person_id, wrong})
            changes: list[Change] = []
            if face.person in person.known_as:
                changed = replace(changed, person=None, confirmed=False, former=(), recalled=None)
                left = self._leave(collection, face)
                changes += left
                if all(one.before != person for one in left):
                    changes.append(Change(person, replace(person, kept=True)))
            else:
                changes.append(Change(person, replace(person, kept=True)))
            self._store.commit([Change(faces, faces.with_face(changed)), *changes])

        repeated(change)
        self._tasks.send(SettleImage(ImageKey(collection, image_of(face_id))))

    def _leave(self, collection: str, face: Face) -> list[Change]:
        """Return the change of the person that a face leaves, who is kept, because somebody decided that."""
        if face.person is None:
            return []
        person = self._store.person(collection, face.person)
        if person is None:
            raise ConflictError
        return [Change(person, replace(person, kept=True).left_by(face.face_id))]

    def _change(self, collection: str, person_id: str, change: Callable[[Person], Person]) -> Person:
        def commit() -> Person:
            person = existing_person(self._store, collection, person_id)
            changed = replace(change(person), kept=True)
            self._store.commit([Change(person, changed)])
            return changed

        return repeated(commit)

    def _face(self, collection: str, face_id: str) -> tuple[ImageFaces, Face]:
        faces = self._store.image(ImageKey(collection, image_of(face_id)))
        face = faces.find(face_id)
        if face is None or not face.is_live:
            raise NotFound("There is no face with this id.")
        return faces, face
