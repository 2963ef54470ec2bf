"""Which persons faces get, and what people decide about them, over a store in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from shared.domain.errors import NotFound
from shared.domain.ledger import ImageKey
from shared.domain.people import matching, merging
from shared.domain.people.assignment import Assigner
from shared.domain.people.decisions import PeopleDecisions
from shared.domain.people.faces import FACE_DIMENSIONS, DetectedFace, FaceVector
from shared.domain.people.keeping import FaceKeeper
from shared.domain.people.merging import Merger
from shared.domain.people.ports import (
    FacesFound,
    ImageState,
    MoveFaces,
    PeopleEvent,
    PersonCreated,
    PersonMerged,
    SettleImage,
    Task,
)
from shared.domain.people.records import Person, face_id
from shared.domain.people.tasks import TaskHandler
from tests.people.memory_store import MemoryPeople

MODEL = "m"


def vector(*components: float) -> FaceVector:
    """A vector whose first components are given; the distances between such are plain to see."""
    made = np.zeros(FACE_DIMENSIONS, np.float32)
    made[: len(components)] = components
    return made


@dataclass
class People:
    """The use cases over a store in memory; tasks are handled, and the index sees all changes, at once."""

    store: MemoryPeople = field(default_factory=MemoryPeople)
    events: list[PeopleEvent] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.keeper = FaceKeeper(self.store, self)
        self.merger = Merger(self.store, self)
        self.decisions = PeopleDecisions(self.store, self)
        self._ids = iter(f"person{number}" for number in range(100))
        assigner = Assigner(self.store, lambda: "now", lambda: next(self._ids))
        self.handler = TaskHandler(self.store, self.keeper, assigner, self.merger, self.events.append)

    def send(self, task: Task) -> None:
        self.store.index = self.store.live_vectors()
        self.handler.handle(task)
        self.store.index = self.store.live_vectors()

    def add(self, number: int, *vectors: FaceVector, model: str = MODEL) -> list[str]:
        """Store an image with these faces; return their ids."""
        image = key(number)
        self.store.states[image] = ImageState.SHOWN
        self.keeper.add("c", image.image_id, model, detected(*vectors))
        return [face_id(image.image_id, model, position) for position in range(len(vectors))]

    def state(self, number: int, state: ImageState) -> None:
        self.store.states[key(number)] = state
        self.keeper.follow(key(number))

    def person(self, face: str) -> str | None:
        found = self.store.image(ImageKey("c", face[:64])).find(face)
        return found.person if found else None

    def of(self, *faces: str) -> list[str | None]:
        return [self.person(face) for face in faces]


def key(number: int) -> ImageKey:
    return ImageKey("c", f"{number:064x}")


def detected(*vectors: FaceVector) -> Sequence[DetectedFace]:
    return [DetectedFace((0.02 * at, 0.1, 0.015, 0.3), 0.9, 1.0, 60.0, one) for at, one in enumerate(vectors)]


@pytest.fixture
def people() -> People:
    return People()


def three(people: People, first: int, *at: float) -> list[str]:
    """Add three images of a person, whose faces are near a place."""
    return [people.add(first + number, vector(*at) + vector(0.02 * number))[0] for number in range(3)]


def named(people: People, person_id: str | None) -> Person:
    found = people.store.person("c", person_id or "")
    assert found
    return found


def test_three_near_faces_start_a_person_whom_a_fourth_joins(people: People) -> None:
    (one,), (two,) = people.add(1, vector(0)), people.add(2, vector(0.3))
    assert people.of(one, two) == [None, None]
    (three_,), (four,) = people.add(3, vector(0.4)), people.add(4, vector(0.2))
    assert people.of(one, two, three_, four) == ["person0"] * 4
    assert named(people, "person0").faces == 4
    assert [event for event in people.events if isinstance(event, PersonCreated)] == [PersonCreated("c", "person0")]
    assert people.events[-1] == FacesFound(key(4), [(four, "person0")])


@pytest.mark.parametrize(
    ("distances", "person"),
    [
        ({"a": [0.50]}, "a"),
        ({"a": [0.51]}, None),
        ({"a": [0.3, 0.4, 0.5, 0.6, 0.7]}, "a"),
        ({"a": [0.3, 0.5, 0.5, 0.6, 0.7]}, None),
        ({"a": [0.30], "b": [0.31]}, None),
        ({"a": [0.30], "b": [0.33]}, "a"),
        ({}, None),
    ],
)
def test_a_face_joins_a_person_that_is_near_and_nearer_than_others(
    distances: dict[str, list[float]], person: str | None
) -> None:
    assert matching.joined(distances) == person


def test_founders_are_near_each_other() -> None:
    assert matching.founders([vector(0), vector(0.4), vector(-0.4), vector(0.1)]) == [0, 1, 3]
    assert matching.founders([vector(0), vector(0.4), vector(-0.4)]) == []


def test_neighbours_without_a_person_are_looked_at_again(people: People) -> None:
    alone = people.add(1, vector(0))[0]
    for number, place in enumerate((0.51, 0.52, 0.53), start=2):
        people.add(number, vector(place))
    assert people.person(alone) is None
    people.add(5, vector(0.3))
    assert people.person(alone) == "person0"


def test_a_person_has_at_most_one_face_of_an_image(people: People) -> None:
    three(people, 1, 0)
    faces = people.add(9, vector(0.01), vector(0.02))
    assert sorted(people.of(*faces), key=str) == [None, "person0"]


def test_a_rejected_person_is_not_assigned_again(people: People) -> None:
    faces = three(people, 1, 0)
    people.decisions.reject("c", faces[0])
    assert people.of(*faces) == [None, "person0", "person0"]
    assert named(people, "person0").faces == 2
    people.add(5, vector(0.01))
    assert people.person(faces[0]) is None


def test_a_confirmed_face_stays_however_far_it_is(people: People) -> None:
    three(people, 1, 0)
    far = people.add(5, vector(0, 3))[0]
    people.decisions.confirm("c", far, "person0")
    people.state(5, ImageState.ABSENT)
    assert (people.person(far), named(people, "person0").faces) == (None, 3)
    people.add(5, vector(0, 3))
    assert (people.person(far), named(people, "person0").faces) == ("person0", 4)


def test_a_named_person_survives_all_images_and_gets_them_back(people: People) -> None:
    faces = three(people, 1, 0)
    people.decisions.rename("c", "person0", "Ada")
    for number in (1, 2, 3):
        people.state(number, ImageState.TRASHED)
    assert (named(people, "person0").faces, named(people, "person0").name) == (0, "Ada")
    for number in (1, 2, 3):
        people.state(number, ImageState.SHOWN)
        people.send(SettleImage(key(number)))
    assert people.of(*faces) == ["person0"] * 3


def test_an_unnamed_person_goes_with_the_last_face(people: People) -> None:
    three(people, 1, 0)
    for number in (1, 2, 3):
        people.state(number, ImageState.ABSENT)
    assert people.store.person("c", "person0") is None


def test_another_model_keeps_who_everybody_is(people: People) -> None:
    faces = three(people, 1, 0)
    people.decisions.reject("c", faces[0])
    people.decisions.rename("c", "person0", "Ada")
    after = [people.add(number, vector(0, 0, 5 + number), model="other")[0] for number in (1, 2, 3)]
    assert people.of(*after) == [None, "person0", "person0"]
    assert people.of(*faces) == [None] * 3
    assert named(people, "person0").faces == 2


def test_a_merge_moves_all_faces_and_its_undoing_returns_them(people: People) -> None:
    ada, bob = three(people, 1, 0), three(people, 11, 0, 1)
    people.decisions.rename("c", "person1", "Ada")
    people.merger.merge("c", "person1", "person0")
    assert people.of(*ada, *bob) == ["person0"] * 6
    assert (named(people, "person0").name, named(people, "person1").faces) == ("Ada", 0)
    assert people.events[-1] == PersonMerged("c", "person1", "person0")
    people.merger.unmerge("c", "person1")
    assert people.of(*ada, *bob) == ["person0"] * 3 + ["person1"] * 3
    assert (named(people, "person0").name, named(people, "person1").name) == (None, "Ada")
    with pytest.raises(NotFound):
        people.merger.unmerge("c", "person0")


def test_the_faces_of_a_person_with_many_are_moved_by_several_tasks(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One function has no time for a merge of tens of thousands; that nothing is left behind shows in its undoing."""
    monkeypatch.setattr(merging, "BATCH", 2)
    monkeypatch.setattr(merging, "MOVED_AT_ONCE", 4)
    ada = three(people, 1, 0)
    bob = [face for number in range(11, 18) for face in people.add(number, vector(0, 1))]
    handled: list[Task] = []
    handle = people.handler.handle

    def record(task: Task) -> None:
        handled.append(task)
        handle(task)

    monkeypatch.setattr(people.handler, "handle", record)
    people.merger.merge("c", "person1", "person0")
    assert [task.after for task in handled if isinstance(task, MoveFaces)] == [None, bob[3], bob[6]]
    assert people.of(*ada, *bob) == ["person0"] * 10
    assert people.events.count(PersonMerged("c", "person1", "person0")) == 1
    handled.clear()
    people.merger.unmerge("c", "person1")
    assert [task.after for task in handled if isinstance(task, MoveFaces)] == [None, bob[0], bob[4]]
    assert people.of(*ada, *bob) == ["person0"] * 3 + ["person1"] * 7
    assert (named(people, "person0").faces, named(people, "person1").faces) == (3, 7)


def test_merges_of_merges_are_undone_in_any_order(people: People) -> None:
    ada, bob, eve = three(people, 1, 0), three(people, 11, 0, 1), three(people, 21, 0, 2)
    people.merger.merge("c", "person2", "person1")
    people.merger.merge("c", "person1", "person0")
    assert people.of(*ada, *bob, *eve) == ["person0"] * 9
    people.merger.unmerge("c", "person2")
    assert people.of(*ada, *bob, *eve) == ["person0"] * 6 + ["person2"] * 3
    people.merger.merge("c", "person2", "person1")
    people.merger.unmerge("c", "person1")
    assert people.of(*ada, *bob, *eve) == ["person0"] * 3 + ["person1"] * 3 + ["person0"] * 3


def test_a_merge_leaves_out_a_face_that_is_not_the_other(people: People) -> None:
    three(people, 1, 0)
    bob = three(people, 11, 0, 1)
    people.decisions.reject("c", bob[0], "person0")
    people.merger.merge("c", "person1", "person0")
    assert people.of(*bob) == [None, "person0", "person0"]


def test_faces_that_return_go_where_their_person_was_merged_to(people: People) -> None:
    three(people, 1, 0)
    bob = three(people, 11, 0, 1)
    people.state(11, ImageState.TRASHED)
    people.merger.merge("c", "person1", "person0")
    people.state(11, ImageState.SHOWN)
    people.send(SettleImage(key(11)))
    assert people.of(*bob) == ["person0"] * 3
    people.merger.unmerge("c", "person1")
    assert people.of(*bob) == ["person1"] * 3


def test_the_faces_of_a_crowd_are_stored_and_withdrawn(people: People) -> None:
    crowd = [vector(0, 3 * number) for number in range(50)]
    people.add(1, *crowd)
    people.add(1, *crowd, model="other")
    assert [face.face_model for face in people.store.image(key(1)).live()] == ["other"] * 50
    people.state(1, ImageState.TRASHED)
    assert not list(people.store.image(key(1)).live())
    people.state(1, ImageState.SHOWN)
    assert len(list(people.store.image(key(1)).live())) == 50
    people.state(1, ImageState.ABSENT)
    assert not people.store.images_


def test_the_persons_of_a_crowd_are_found_with_few_reads(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each face of a class of 200 once read the persons of all others, and a function has time for 40,000 reads."""
    crowd = [vector(0, number) for number in range(50)]
    for number in (1, 2, 3):
        people.add(number, *crowd)
    reads: list[str] = []
    read = people.store.person

    def record(collection: str, person_id: str) -> Person | None:
        reads.append(person_id)
        return read(collection, person_id)

    monkeypatch.setattr(people.store, "person", record)
    faces = people.add(4, *crowd)
    assert len(set(people.of(*faces)) - {None}) == len(crowd)
    assert len(reads) <= 2 * len(crowd)


def test_a_collection_without_faces_stores_none_and_erases_all(people: People) -> None:
    three(people, 1, 0)
    people.store.on = False
    assert people.keeper.erase("c") == 3
    people.add(4, vector(0))
    assert (people.store.images_, people.store.persons, people.store.stored) == ({}, {}, {})


def test_decisions_about_nobody_are_refused(people: People) -> None:
    faces = three(people, 1, 0)
    lone = people.add(9, vector(5))[0]
    calls: list[Any] = [
        lambda: people.decisions.rename("c", "nobody", "Ada"),
        lambda: people.decisions.confirm("c", "0" * 77, "person0"),
        lambda: people.decisions.reject("c", lone),
        lambda: people.decisions.show_by("c", "person0", lone),
        lambda: people.merger.merge("c", "person0", "nobody"),
    ]
    for call in calls:
        with pytest.raises(NotFound):
            call()
    assert people.decisions.show_by("c", "person0", faces[1]).cover == faces[1]
