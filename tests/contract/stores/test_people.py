"""What every store does with faces and persons."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from shared.domain.images import ObjectRef
from shared.domain.ledger import ConflictError, ImageKey
from shared.domain.people.assignment import Assigner
from shared.domain.people.decisions import PeopleDecisions
from shared.domain.people.faces import FACE_DIMENSIONS, DetectedFace, FaceVector
from shared.domain.people.keeping import FaceKeeper
from shared.domain.people.merging import Merger
from shared.domain.people.ports import FacesOn, ImageState, Required, SettleImage, Task
from shared.domain.people.records import Change, Face, FaceState, ImageFaces, Person, face_id
from shared.domain.people.tasks import TaskHandler
from tests.contract.stores.conftest import Store, key_of, make_image

SOURCE = ObjectRef("images", "uploads/cats/" + "0" * 32)
MODEL = "dlib"


def vector(*components: float) -> FaceVector:
    made = np.zeros(FACE_DIMENSIONS, np.float32)
    made[: len(components)] = components
    return made


def add(store: Store, collection: str) -> ImageKey:
    """Store an image in a collection that has faces on."""
    store.collections.set_faces(collection, on=True)
    image = make_image(collection)
    store.catalogue.add(image, SOURCE)
    return key_of(image)


def face(image: ImageKey, position: int = 0, **fields: Any) -> Face:
    made = Face(face_id(image.image_id, MODEL, position), MODEL, (0.1, 0.2, 0.3, 0.4), 0.9, 1.0, 50.5)
    return replace(made, **fields)


def put(store: Store, image: ImageKey, *faces: Face, vectors: Sequence[FaceVector] | None = None) -> ImageFaces:
    """Replace the faces of an image; return what is stored then."""
    before = store.people.image(image)
    known = dict(zip([one.face_id for one in faces], vectors or [vector(1)] * len(faces), strict=True))
    store.people.commit([Change(before, replace(before, faces=faces))], vectors=known)
    return store.people.image(image)


def test_faces_are_as_they_were_stored(store: Store, collection: str) -> None:
    image, other = add(store, collection), add(store, collection)
    assert store.people.image(image) == ImageFaces(image)
    decided = face(image, 1, person="a" * 32, confirmed=True, rejected=frozenset({"c", "b"}), former=("z", "y"))
    stored = put(store, image, face(image), decided, vectors=[vector(0.1234), vector(0, -0.5)])
    assert stored.faces == (face(image), decided)
    assert stored.version
    assert store.people.images(collection, [image.image_id, other.image_id]) == {image.image_id: stored}
    vectors = store.people.vectors(collection, [face(image).face_id, face(image, 1).face_id, face(other).face_id])
    assert vectors.keys() == {face(image).face_id, decided.face_id}
    assert vectors[decided.face_id] == pytest.approx(vector(0, -0.5))
    assert store.people.image(ImageKey("elsewhere", image.image_id)).faces == ()


def test_persons_are_as_they_were_stored(store: Store, collection: str) -> None:
    new = Person(collection, "a" * 32, name="Ada", merged=frozenset({"b", "c"}), created_at="2026", origin="x")
    store.people.commit([Change(new, new.joined_by("face"))])
    held = store.people.person(collection, new.person_id)
    assert held == replace(new, faces=1, sample="face", version=held.version if held else "")
    assert list(store.people.people(collection)) == [held]
    assert store.people.find_people(collection, [new.person_id, "f" * 32]) == {new.person_id: held}
    assert store.people.person("elsewhere", new.person_id) is None
    store.people.commit([Change(held, None)])
    assert store.people.person(collection, new.person_id) is None


def test_a_change_of_something_that_has_changed_changes_nothing(store: Store, collection: str) -> None:
    image = add(store, collection)
    person = Person(collection, "a" * 32)
    store.people.commit([Change(person, replace(person, name="Ada"))])
    first = put(store, image, face(image))
    second = put(store, image, face(image, person=person.person_id))
    current = store.people.person(collection, person.person_id)
    assert current
    stale: list[list[Change]] = [
        [Change(current, replace(current, faces=7)), Change(first, replace(first, faces=()))],
        [Change(second, replace(second, faces=())), Change(person, replace(person, faces=7))],
        [Change(second, replace(second, faces=())), Change(replace(current, version="old"), None)],
        [Change(ImageFaces(image), ImageFaces(image, (face(image, 3),)))],
    ]
    for changes in stale:
        with pytest.raises(ConflictError):
            store.people.commit(changes)
    assert store.people.image(image) == second
    assert store.people.person(collection, person.person_id) == current


@pytest.mark.parametrize("state", ImageState)
def test_a_change_can_require_the_state_of_its_image(store: Store, collection: str, state: ImageState) -> None:
    image = add(store, collection)
    if state is ImageState.TRASHED:
        store.trash.put(image, "2026-11-28T12:00:00.000000+00:00")
    if state is ImageState.ABSENT:
        store.catalogue.delete_record(image)
    assert store.people.state(image) is state
    before = store.people.image(image)
    change = Change(before, replace(before, faces=(face(image),)))
    for other in ImageState:
        if other is not state:
            with pytest.raises(ConflictError):
                store.people.commit([change], vectors={face(image).face_id: vector(1)}, required=Required(image, other))
    store.people.commit([change], vectors={face(image).face_id: vector(1)}, required=Required(image, state))


def test_a_change_can_require_that_the_collection_has_faces_on(store: Store, collection: str) -> None:
    image = add(store, collection)
    store.collections.set_faces(collection, on=False)
    assert not store.people.accepts(collection)
    assert not store.people.accepts(collection + "-new")
    change = Change(ImageFaces(image), ImageFaces(image, (face(image),)))
    required = Required(image, ImageState.SHOWN, faces_on=True)
    with pytest.raises(ConflictError):
        store.people.commit([change], vectors={face(image).face_id: vector(1)}, required=required)
    assert store.collections.set_faces(collection, on=True).faces
    store.collections.put(collection, "A title")
    assert store.people.accepts(collection)
    store.people.commit([change], vectors={face(image).face_id: vector(1)}, required=required)


def test_a_person_can_require_that_the_collection_has_faces_on(store: Store, collection: str) -> None:
    person = Person(collection, "a" * 32)
    change, required = Change(person, replace(person, name="Ada")), FacesOn(collection)
    for on in (None, False):
        if on is not None:
            store.collections.set_faces(collection, on=on)
        with pytest.raises(ConflictError):
            store.people.commit([change], required=required)
    store.collections.set_faces(collection, on=True)
    store.people.commit([change], required=required)
    assert [one.name for one in store.people.people(collection)] == ["Ada"]


def test_all_stored_faces_come_in_pages(store: Store, collection: str) -> None:
    images = sorted((add(store, collection) for _ in range(5)), key=lambda image: image.image_id)
    same_digits = ImageKey(collection, images[2].image_id[:-1] + ("0" if images[2].image_id[-1] != "0" else "1"))
    gone = face(same_digits, state=FaceState.GONE, recalled="a" * 32)
    expected = [put(store, image, face(image), face(image, 1, state=FaceState.TRASHED)) for image in images]
    expected.append(put(store, same_digits, gone))
    put(store, add(store, collection + "-other"), face(images[0]))
    expected.sort(key=lambda one: one.image.image_id)
    for limit in (2, 6, 100):
        found: list[ImageFaces] = []
        more = True
        while more:
            after = found[-1].image.image_id if found else None
            page, more = store.people.stored_faces(collection, limit=limit, after=after)
            assert len(page) <= limit
            found += page
        assert found == expected


def test_the_faces_of_a_person_are_the_live_ones_in_pages(store: Store, collection: str) -> None:
    images = sorted((add(store, collection) for _ in range(5)), key=lambda image: image.image_id)
    for image in images:
        put(store, image, face(image, person="a" * 32), face(image, 1), face(image, 2, state=FaceState.TRASHED))
    ids = [face(image).face_id for image in images]
    first = store.people.faces_of(collection, "a" * 32, limit=3)
    assert list(first) == ids[:3]
    assert list(store.people.faces_of(collection, "a" * 32, limit=3, after=first[-1])) == ids[3:]
    assert list(store.people.faces_of(collection, None, limit=9)) == [face(image, 1).face_id for image in images]
    put(store, images[0], face(images[0], person="b" * 32))
    assert list(store.people.faces_of(collection, "a" * 32, limit=9)) == ids[1:]
    assert list(store.people.faces_of(collection, "b" * 32, limit=9)) == ids[:1]


def test_the_nearest_faces_are_the_live_ones_of_the_collection_and_model(store: Store, collection: str) -> None:
    image, trashed = add(store, collection), add(store, collection)
    foreign = replace(face(image, 2), face_model="other")
    put(
        store,
        image,
        face(image),
        face(image, 1),
        foreign,
        vectors=[vector(0.1, 0.2), vector(0.1, 0.6), vector(0.1, 0.2)],
    )
    hidden = put(store, trashed, face(trashed), vectors=[vector(0.1, 0.3)])

    def near(wanted: str = collection) -> list[tuple[str, float]]:
        return [(one.face_id, one.distance) for one in store.people.near(wanted, MODEL, vector(0.1, 0.25), 10)]

    found = near()
    assert [one for one, _ in found][2] == face(image, 1).face_id
    assert [distance for _, distance in found] == pytest.approx([0.05, 0.05, 0.35], abs=1e-4)
    assert near(collection + "-other") == []
    store.people.commit([Change(hidden, replace(hidden, faces=(face(trashed, state=FaceState.TRASHED),)))])
    assert len(near()) == 2
    assert face(trashed).face_id in store.people.vectors(collection, [face(trashed).face_id])
    hidden = store.people.image(trashed)
    store.people.commit([Change(hidden, replace(hidden, faces=(face(trashed),)))])
    assert len(near()) == 3
    put(store, trashed, face(trashed, state=FaceState.GONE, recalled="a"))
    assert store.people.vectors(collection, [face(trashed).face_id]) == {}
    assert store.people.image(trashed).faces == (face(trashed, state=FaceState.GONE, recalled="a"),)
    assert len(store.people.near(collection, MODEL, vector(), 1)) == 1


def test_erasing_leaves_nothing_of_the_collection(store: Store, collection: str) -> None:
    images = [add(store, collection) for _ in range(3)]
    other = add(store, collection + "-other")
    for image in (*images, other):
        put(store, image, face(image, person="a" * 32), face(image, 1, state=FaceState.GONE, recalled="a"))
        person = Person(image.collection, image.image_id[:32], kept=True)
        store.people.commit([Change(person, person)])
    erased, rounds, more = 0, 0, True
    while more:
        count, more = store.people.erase(collection, 2)
        erased, rounds = erased + count, rounds + 1
    assert (erased, rounds > 1) == (3, True)
    assert store.people.images(collection, [image.image_id for image in images]) == {}
    assert store.people.people(collection) == []
    assert store.people.faces_of(collection, "a" * 32, limit=9) == []
    assert store.people.vectors(collection, [face(image).face_id for image in images]) == {}
    assert store.people.near(collection, MODEL, vector(1), 9) == []
    assert len(store.people.image(other).faces) == 2
    assert len(store.people.people(other.collection)) == 1


class Now:
    """Handles each task at once."""

    def __init__(self, store: Store) -> None:
        self.keeper, self.merger = FaceKeeper(store.people, self), Merger(store.people, self)
        self.decisions = PeopleDecisions(store.people, self)
        assigner = Assigner(store.people, lambda: "2026-11-29T00:00:00+00:00")
        self._handler = TaskHandler(store.people, self.keeper, assigner, self.merger, lambda event: None)

    def send(self, task: Task) -> None:
        self._handler.handle(task)


def test_the_use_cases_find_merge_and_keep_persons(store: Store, collection: str) -> None:
    now = Now(store)

    def found(*places: float) -> list[str]:
        images = [add(store, collection) for _ in places]
        for image, place in zip(images, places, strict=True):
            faces = [DetectedFace((0.1, 0.1, 0.2, 0.3), 0.9, 1.0, 60, vector(place))]
            now.keeper.add(collection, image.image_id, MODEL, faces)
        return [face(image).face_id for image in images]

    def persons(faces: Sequence[str]) -> set[str | None]:
        return {one.person for each in faces if (one := store.people.image(ImageKey(collection, each[:64])).find(each))}

    ada, bob = found(0, 0.1, 0.2), found(1, 1.1, 1.2)
    (first,), (second,) = persons(ada), persons(bob)
    assert first and second and first != second  # noqa: PT018
    now.decisions.rename(collection, first, "Ada")
    now.merger.merge(collection, second, first)
    assert persons([*ada, *bob]) == {first}
    now.merger.unmerge(collection, second)
    assert persons(bob) == {second}
    image = ImageKey(collection, ada[0][:64])
    store.trash.put(image, "2026-11-28T12:00:00.000000+00:00")
    now.send(SettleImage(image))
    held = store.people.person(collection, first)
    assert held and (held.faces, held.name) == (2, "Ada")  # noqa: PT018
    store.trash.take_out(image)
    now.send(SettleImage(image))
    assert persons(ada) == {first}
