"""What is known of people moves to another collection, whatever that has already."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from shared.domain.ledger import ImageKey
from shared.domain.people.moving import FacesOff, PeopleMover
from shared.domain.people.ports import ImageState
from shared.domain.people.records import Face, Person, image_of
from tests.people.test_people import People, detected, key, named, three, vector


@pytest.fixture
def source() -> People:
    return People()


@pytest.fixture
def target() -> People:
    people = People()
    people._ids = iter(f"target{number}" for number in range(100))
    return people


def known(people: People, limit: int = 2) -> tuple[list[Person], list[Face]]:
    mover = PeopleMover(people.store, people)
    persons, faces, after = list[Person](), list[Face](), None
    while True:
        some_persons, some_faces, after = mover.page("c", limit=limit, after=after)
        persons += some_persons
        faces += some_faces
        if after is None:
            return persons, faces


def move(source: People, target: People, *, overwrite: bool = False) -> None:
    mover = PeopleMover(target.store, target)
    persons, faces = known(source)
    plain = [replace(one, into=None) for one in persons]
    for person in [*plain, *(one for one in persons if one.into)]:
        mover.restore_person(person, overwrite=overwrite)
    by_image: dict[str, list[Face]] = {}
    for face in faces:
        by_image.setdefault(image_of(face.face_id), []).append(face)
    for image_id, found in by_image.items():
        mover.restore_faces(ImageKey("c", image_id), found, overwrite=overwrite)


Owners = dict[str, tuple[str | None, bool, frozenset[str], Sequence[str]]]


def owners(people: People) -> Owners:
    return {
        face.face_id: (face.person, face.confirmed, face.rejected, face.former)
        for one in people.store.images_.values()
        for face in one.live()
    }


def of_persons(found: Owners, source: Owners) -> Owners:
    """Those faces that have a person in the source."""
    return {face: found[face] for face, (person, *_) in source.items() if person}


def decided(people: People) -> None:
    """Make two persons of seven images, and every kind of decision on them."""
    ada, bob = three(people, 1, 0), three(people, 4, 1)
    people.decisions.rename("c", people.person(ada[0]) or "", "Ada")
    people.decisions.hide("c", people.person(bob[0]) or "", hidden=True)
    people.decisions.reject("c", bob[2])
    people.decisions.start("c", ada[1], "Eve", "now")
    people.merger.merge("c", people.person(ada[1]) or "", people.person(ada[0]) or "")
    people.add(7, vector(0.01), vector(1.5))


def add_all(people: People, model: str = "m") -> None:
    for number, first in ((1, 0), (2, 0), (3, 0), (4, 1), (5, 1), (6, 1)):
        people.add(number, vector(first) + vector(0.02 * ((number - 1) % 3)), model=model)
    people.add(7, vector(0.01), vector(1.5), model=model)


def test_people_are_known_before_their_images_come(source: People, target: People) -> None:
    decided(source)
    for _ in range(2):
        move(source, target)
        assert owners(target) == {}
        assert sum(one.faces for one in target.store.people("c")) == 0
    add_all(target)
    assert owners(target) == owners(source)
    for person in source.store.people("c"):
        assert replace(named(target, person.person_id), version="", sample="") == replace(person, version="", sample="")
    before = known(target)
    move(source, target)
    assert known(target) == before


def test_images_that_are_there_get_the_persons_that_are_given(source: People, target: People) -> None:
    decided(source)
    add_all(target)
    assert {owner for owner, *_ in owners(target).values()} == {"target0", "target1"}
    move(source, target)
    assert of_persons(owners(target), owners(source)) == of_persons(owners(source), owners(source))
    assert target.store.person("c", "target0") is None


def test_what_was_decided_in_the_target_stays_unless_it_is_overwritten(source: People, target: People) -> None:
    decided(source)
    add_all(target)
    faces = sorted(owners(target))
    target.decisions.rename("c", target.person(faces[0]) or "", "Mine")
    target.decisions.confirm("c", faces[1], target.person(faces[0]) or "")
    move(source, target)
    assert target.of(*faces[:3]) == ["target0"] * 3
    assert named(target, "person0").faces == 0
    move(source, target, overwrite=True)
    assert of_persons(owners(target), owners(source)) == of_persons(owners(source), owners(source))
    assert named(target, "target0").name == "Mine"


def test_a_rejection_in_the_target_stays(source: People, target: People) -> None:
    ada = three(source, 1, 0)
    source.decisions.confirm("c", ada[0], "person0")
    move(source, target)
    for number in range(3):
        target.add(1 + number, vector(0.02 * number))
    target.decisions.reject("c", ada[0])
    target.decisions.rename("c", "person0", "Mine")
    source.decisions.rename("c", "person0", "Theirs")
    move(source, target)
    assert target.of(*ada) == [None, "person0", "person0"]
    assert named(target, "person0").name == "Mine"
    move(source, target, overwrite=True)
    assert target.of(*ada) == ["person0"] * 3
    assert named(target, "person0").name == "Theirs"


def test_a_merge_that_was_undone_in_the_target_stays_undone(source: People, target: People) -> None:
    three(source, 1, 0)
    three(source, 4, 1)
    source.merger.merge("c", "person1", "person0")
    move(source, target)
    target.merger.unmerge("c", "person1")
    move(source, target)
    assert named(target, "person1").into is None


def test_a_later_merge_moves_too(source: People, target: People) -> None:
    three(source, 1, 0)
    three(source, 4, 1)
    move(source, target)
    source.decisions.rename("c", "person1", "Bob")
    source.merger.merge("c", "person1", "person0")
    source.decisions.rename("c", "person0", None)
    move(source, target)
    assert (named(target, "person1").into, named(target, "person0").merged) == ("person0", frozenset({"person1"}))
    assert named(target, "person0").name is None


def test_a_face_of_another_network_is_told_by_its_place(source: People, target: People) -> None:
    decided(source)
    add_all(target, model="other")
    move(source, target)
    persons = {face[:64]: owner for face, (owner, *_) in owners(source).items() if owner and face.endswith("-000")}
    found = {face[:64]: owner for face, (owner, *_) in owners(target).items() if face.endswith("-000")}
    assert {image: found[image] for image in persons} == persons


def test_decisions_on_an_image_that_is_gone_move_and_hold_on_its_return(source: People, target: People) -> None:
    ada = three(source, 1, 0)
    source.decisions.start("c", ada[1], "Eve", "now")
    eve = source.person(ada[1])
    source.state(2, ImageState.ABSENT)
    move(source, target)
    target.add(2, vector(0.02))
    assert (target.person(ada[1]), owners(target)[ada[1]][1]) == (eve, True)


def test_faces_keep_their_ids_when_they_are_found_in_another_order(people: People) -> None:
    first, second = people.add(1, vector(0), vector(3))
    one, other = detected(vector(0), vector(3))
    more = replace(other, box=(0.5, 0.5, 0.1, 0.1))
    people.keeper.add("c", key(1).image_id, "m", [more, other, one])
    boxes = {face.box: face.face_id for face in people.store.image(key(1)).live()}
    assert boxes.keys() == {one.box, other.box, more.box}
    assert (boxes[one.box], boxes[other.box]) == (first, second)


def test_nothing_is_restored_where_faces_are_off(source: People, target: People) -> None:
    decided(source)
    target.store.on = False
    with pytest.raises(FacesOff):
        move(source, target)
    persons, faces = known(source)
    with pytest.raises(FacesOff):
        PeopleMover(target.store, target).restore_faces(key(1), faces[:1], overwrite=False)
    assert known(target) == ([], [])
    assert persons


@pytest.fixture
def people() -> People:
    return People()
