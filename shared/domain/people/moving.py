"""Take what is known of a collection's people elsewhere: persons, whose each face is, and what somebody decided.

Vectors are not moved. A face is stored as one whose image is gone, with its place; when the other collection finds the
faces of that image, the one in this place takes over what is known, as after the return of a deleted image.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from shared.domain.ledger import ConflictError, ImageKey
from shared.domain.people.keeping import AT_ONCE, SAME_PLACE, overlap
from shared.domain.people.lookup import is_barred, repeated, resolve
from shared.domain.people.merging import Merger
from shared.domain.people.ports import FacesOn, PeopleStore, Required, SettleImage, Tasks
from shared.domain.people.records import Change, Face, FaceState, ImageFaces, Person

PERSONS_FIRST: Final = "person-"
FACES_THEN: Final = "image-"
"""What the place after a page begins with; the id follows."""


class FacesOff(Exception):  # noqa: N818 - a refusal, named as the other refusals
    """The collection does not have faces on, so that nothing about people is stored in it."""


class PeopleMover:
    """Reads and restores the people of collections."""

    def __init__(self, store: PeopleStore, tasks: Tasks) -> None:
        self._store = store
        self._tasks = tasks
        self._merger = Merger(store, tasks)

    def page(
        self, collection: str, *, limit: int, after: str | None
    ) -> tuple[Sequence[Person], Sequence[Face], str | None]:
        """Return persons or, after the last of them, the faces of at most `limit` images of which something is known.

        Args:
            after: the place after the last page.

        Returns:
            Persons, faces, and the place after this page; None if it is the last one.
        """
        if after is None or after.startswith(PERSONS_FIRST):
            last = (after or "").removeprefix(PERSONS_FIRST)
            persons = sorted(self._store.people(collection), key=lambda one: one.person_id)
            page = [one for one in persons if one.person_id > last][:limit]
            full = len(page) == limit
            return page, [], PERSONS_FIRST + page[-1].person_id if full else FACES_THEN
        stored, more = self._store.stored_faces(collection, limit=limit, after=after.removeprefix(FACES_THEN) or None)
        faces = [face for one in stored for face in one.faces if face.is_decided]
        return [], faces, FACES_THEN + stored[-1].image.image_id if more and stored else None

    def restore_person(self, given: Person, *, overwrite: bool) -> None:
        """Store a person without faces, or add what is given to the one with this id.

        A merge is repeated if both persons exist, and nobody has undone it here. Send the person that others were
        merged into first, and then those that were merged, who carry others with them, after these.

        Args:
            overwrite: replace name, cover and whether the person is hidden, if they are different here.

        Raises:
            FacesOff: see there.
        """
        if not self._store.accepts(given.collection):
            raise FacesOff
        person = repeated(lambda: self._put(given, overwrite=overwrite))
        if given.into and person.into is None:
            stays = resolve(self._store, given.collection, given.into)
            if stays and person.apart.isdisjoint(stays.known_as):
                self._merger.merge(given.collection, given.person_id, stays.person_id, names=False)

    def _put(self, given: Person, *, overwrite: bool) -> Person:
        before = self._store.person(given.collection, given.person_id)
        if before is None:
            new = replace(given, faces=0, into=None, merged=frozenset(), version="")
            nobody = Person(given.collection, given.person_id)
            self._store.commit([Change(nobody, new)], required=FacesOn(given.collection))
            return new
        renamed = given.name is not None and (overwrite or before.name is None)
        after = replace(
            before,
            name=given.name if renamed else before.name,
            named_by=given.named_by if renamed else before.named_by,
            hidden=given.hidden if overwrite else before.hidden,
            cover=(given.cover or before.cover) if overwrite else (before.cover or given.cover),
            apart=before.apart | (given.apart - before.known_as),
            kept=before.kept or given.kept,
        )
        if after != before:
            self._store.commit([Change(before, after)])
        return after

    def restore_faces(self, image: ImageKey, given: Sequence[Face], *, overwrite: bool) -> None:
        """Store whose the faces of an image are, whether or not the collection has the image, or has found its faces.

        What somebody decided here stays: that a face is somebody (`confirmed`), and whom a person has whom somebody
        named or changed. Faces that are not somebody are those of both.

        Args:
            overwrite: take what is given instead.

        Raises:
            FacesOff: see there.
        """
        for at in range(0, len(given), AT_ONCE):
            part = given[at : at + AT_ONCE]
            if repeated(lambda part=part: self._restore(image, part, overwrite=overwrite)):  # type: ignore[misc]
                self._tasks.send(SettleImage(image))

    def _restore(self, image: ImageKey, given: Sequence[Face], *, overwrite: bool) -> bool:
        """Return whether a face must get the person that is given for it."""
        if not self._store.accepts(image.collection):
            raise FacesOff
        state, before = self._store.state(image), self._store.image(image)
        after, left = before, dict[str, list[str]]()
        for one in given:
            owner = one.person or one.recalled
            held = _same(after, one)
            if held is None:
                gone = replace(one, state=FaceState.GONE, person=None, recalled=owner)
                after = replace(after, faces=(*after.faces, gone))
                continue
            others = {face.person or face.recalled for face in after.faces if face is not held}
            wanted = owner if one.confirmed or owner not in others else None
            changed = self._combined(image.collection, held, one, wanted, overwrite=overwrite)
            if held.person and changed.person is None:
                left.setdefault(held.person, []).append(held.face_id)
            after = after.with_face(changed)
        if after.faces == before.faces:
            return False
        persons: list[Change] = []
        for person_id, faces in left.items():
            person = self._store.person(image.collection, person_id)
            if person is None:
                raise ConflictError
            persons.append(Change(person, person.left_by(*faces)))
        self._store.commit([Change(before, after), *persons], required=Required(image, state, faces_on=True))
        return any(face.person is None for face in after.live())

    def _combined(self, collection: str, held: Face, given: Face, owner: str | None, *, overwrite: bool) -> Face:
        """Return a stored face with what is given."""
        here = held.person or held.recalled
        person = self._store.person(collection, here) if here else None
        decided_here = held.confirmed or (person is not None and person.kept and not given.confirmed)
        wanted = resolve(self._store, collection, owner) if owner else None
        changed = replace(held, rejected=held.rejected | given.rejected)
        if wanted and (overwrite or not (decided_here or is_barred(held, wanted))):
            changed = replace(changed, rejected=changed.rejected - wanted.known_as)
            if owner != here:
                return replace(changed, person=None, recalled=owner, former=given.former, confirmed=given.confirmed)
            changed = replace(changed, confirmed=held.confirmed or given.confirmed)
        if person and is_barred(changed, person):
            return replace(changed, person=None, recalled=None, former=(), confirmed=False)
        return changed


def _same(faces: ImageFaces, given: Face) -> Face | None:
    """Return the stored face that is the given one: by its id, or in its place if another network found it."""
    if found := faces.find(given.face_id):
        return found
    nearest = max(faces.faces, key=lambda face: overlap(face.box, given.box), default=None)
    return nearest if nearest and overlap(nearest.box, given.box) >= SAME_PLACE else None
