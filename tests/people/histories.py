"""Random histories of the people of a collection: the real use cases, interleaved at every call of the store.

Workers die between any two calls, messages come twice, and the index lags behind. In the end, what must always hold
is checked, and that no decision was lost.
"""

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from greenlet import getcurrent, greenlet

from shared.domain.errors import NotFound
from shared.domain.ledger import ConflictError, ImageKey
from shared.domain.people.assignment import Assigner
from shared.domain.people.decisions import PeopleDecisions
from shared.domain.people.faces import FACE_DIMENSIONS, DetectedFace, FaceVector
from shared.domain.people.keeping import FaceKeeper
from shared.domain.people.lookup import resolve
from shared.domain.people.merging import Merger
from shared.domain.people.moving import FacesOff, PeopleMover
from shared.domain.people.ports import ImageState, SettleImage, Task
from shared.domain.people.records import Change, Face, ImageFaces, Person, face_id, image_of
from shared.domain.people.tasks import TaskHandler
from tests.people.memory_store import MemoryPeople

COLLECTION: Final = "c"
MODELS: Final = ("first", "second")
MAX_STEPS: Final = 60_000
ERASED_AFTER: Final = 1_000
"""Steps after which some histories erase everything."""
WORKERS: Final = 4


class Died(BaseException):
    """The worker dies here."""


class SteppedPeople(MemoryPeople):
    """A store at each call of which another worker may go on."""

    playing = False
    committed: Callable[[Sequence[Change]], None] | None = None

    def step(self) -> None:
        parent = getcurrent().parent
        if self.playing and parent:
            parent.switch()

    def commit(self, changes: Sequence[Change], **conditions: Any) -> None:
        self.step()
        super().commit(changes, **conditions)
        if self.committed:
            self.committed(changes)


def _stepped(name: str) -> Any:
    original = getattr(MemoryPeople, name)

    def call(self: SteppedPeople, *args: Any, **kwargs: Any) -> Any:
        self.step()
        return original(self, *args, **kwargs)

    return call


for _name in (
    "state",
    "accepts",
    "image",
    "images",
    "person",
    "find_people",
    "faces_of",
    "vectors",
    "near",
    "erase",
    "stored_faces",
    "people",
):
    setattr(SteppedPeople, _name, _stepped(_name))


@dataclass(frozen=True)
class Parts:
    """The classes that a history is played with; each safeguard can be left out by a subclass of one."""

    store: type[SteppedPeople] = SteppedPeople
    keeper: type[FaceKeeper] = FaceKeeper
    assigner: type[Assigner] = Assigner
    merger: type[Merger] = Merger
    decisions: type[PeopleDecisions] = PeopleDecisions
    mover: type[PeopleMover] = PeopleMover


@dataclass
class Played:
    """What came of a history."""

    violations: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


Message = tuple[str, tuple[Any, ...]]


class History:
    """One history.

    Args:
        seed: decides everything.
    """

    def __init__(self, seed: int, parts: Parts) -> None:
        self.random = random.Random(seed)
        self.store = parts.store()
        self.store.committed = self._committed
        self.queue: list[Message] = []
        self.keeper = parts.keeper(self.store, self)
        self.merger = parts.merger(self.store, self)
        self.decisions = parts.decisions(self.store, self)
        self.mover = parts.mover(self.store, self)
        self.copies: list[tuple[Sequence[Person], Sequence[Face]]] = []
        ids = iter(range(10**6))
        self.assigner = parts.assigner(self.store, lambda: "", lambda: f"person{next(ids)}")
        self.handler = TaskHandler(self.store, self.keeper, self.assigner, self.merger, lambda event: None)
        self.pictures = _pictures(np.random.default_rng(seed))
        self.models = dict.fromkeys(self.pictures, MODELS[0])
        self.decided: dict[str, tuple[str, str]] = {}
        self.names: dict[str, set[str]] = {}
        self.into: dict[str, str] = {}
        self.played = Played()
        self.running: dict[greenlet, Message] = {}

    def send(self, task: Task) -> None:
        self.queue.append(("task", (task,)))

    def play(self) -> Played:
        """Play the history to its end, and check it."""
        self.queue = [("store", (image,)) for image in self.pictures]
        actions, deaths, erases = self.random.randrange(30), 5, self.random.random() < 0.1
        self.store.playing = True
        steps = 0
        while self.queue or self.running or actions:
            steps += 1
            if steps > MAX_STEPS:
                self.played.violations.append("no end")
                return self.played
            if self.random.random() < 0.05:
                self._index(self.random.random())
            if self.queue and len(self.running) < WORKERS and self.random.random() < 0.5:
                self._begin(self.queue.pop(self.random.randrange(len(self.queue))))
            if erases and steps > ERASED_AFTER:
                erases = False
                self.queue += [("import", (copy,)) for copy in self.copies] + [("erase", ())]
            idle = not self.queue and not self.running
            for _ in range(self.random.randint(1, WORKERS) if actions and (idle or self.random.random() < 0.01) else 0):
                actions = max(0, actions - 1)
                self.queue += [action] if (action := self._action()) else []
            if self.running:
                worker = self.random.choice(list(self.running))
                if deaths and self.random.random() < 0.004:
                    deaths -= 1
                    self.played.counts["deaths"] += 1
                    self.queue.append(self.running[worker])
                    if worker:  # otherwise it has not begun
                        worker.throw(Died())
                    else:
                        del self.running[worker]
                        continue
                else:
                    worker.switch()
                if worker.dead:
                    del self.running[worker]
        self.store.playing = False
        self.played.counts["steps"] = steps
        self._assign_all()
        self._check()
        return self.played

    def _begin(self, message: Message) -> None:
        if self.random.random() < 0.15:
            self.queue.append(message)  # delivered again
        kind, args = message

        def work() -> None:
            try:
                getattr(self, f"_{kind}")(*args)
            except (NotFound, FacesOff):
                return
            except ConflictError:
                self.queue.append(message)  # tried again
            except Died:
                return

        self.running[greenlet(work)] = message

    def _index(self, share: float) -> None:
        """Let the index see some of what has changed."""
        live = self.store.live_vectors()
        index = self.store.index
        for face in sorted(index.keys() | live.keys()):
            if self.random.random() < share:
                if face in live:
                    index[face] = live[face]
                else:
                    index.pop(face, None)

    def _action(self) -> Message | None:
        persons = [one.person_id for one in self.store.persons.values() if one.into is None]
        merged = [one.person_id for one in self.store.persons.values() if one.into]
        faces = [face for one in self.store.images_.values() for face in one.live()]
        image = self.random.choice(list(self.pictures))
        assigned = [face for face in faces if face.person]
        kind = self.random.choices(
            (
                "trash",
                "restore",
                "remove",
                "store",
                "model",
                "clear",
                "rename",
                "merge",
                "unmerge",
                "reject",
                "confirm",
                "export",
                "import",
            ),
            (8, 6, 6, 8, 4, 6, 12, 20, 6, 16, 8, 8, 14),
        )[0]
        args: tuple[Any, ...] | None = None
        match kind:
            case "trash" | "restore" | "remove" | "store" | "model":
                args = (image,)
                if kind == "remove" and self.random.random() < 0.7:
                    self.queue.append(("store", args))  # the same bytes are being uploaded
            case "rename" if persons:
                args = (self.random.choice(persons), f"name {len(self.names)}-{self.random.random():.9f}")
            case "merge" if len(persons) > 1:
                rejected = [(face.person, other) for face in assigned for other in sorted(face.rejected)]
                doubtful = [(person, other) for person, other in rejected if other in persons]
                by_chance = not doubtful or self.random.random() < 0.3
                args = tuple(self.random.sample(persons, 2)) if by_chance else self.random.choice(doubtful)
            case "clear" if persons:
                args = (self.random.choice(persons),)
            case "unmerge" if merged:
                args = (self.random.choice(merged),)
            case "reject" if assigned:
                face = self.random.choice(assigned)
                args = (face.face_id, self.random.choice([face.person, *persons]))
            case "confirm" if faces and persons:
                args = (self.random.choice(faces).face_id, self.random.choice(persons))
            case "export":
                args = ()
            case "import" if self.copies:
                args = (self.random.choice(self.copies),)
        return None if args is None else (kind, args)

    def _task(self, task: Task) -> None:
        self.handler.handle(task)

    def _store(self, image: ImageKey) -> None:
        """What ingest does with an image: its record, then its faces."""
        self.store.step()
        self.store.states[image] = ImageState.SHOWN
        self.store.step()
        self.keeper.add(image.collection, image.image_id, self.models[image], self._found(image))

    def _found(self, image: ImageKey) -> Sequence[DetectedFace]:
        return self.pictures[image][self.models[image]]

    def _model(self, image: ImageKey) -> None:
        self.models[image] = MODELS[1]
        if self.store.state(image) is ImageState.SHOWN:
            self.keeper.add(image.collection, image.image_id, MODELS[1], self._found(image))

    def _trash(self, image: ImageKey) -> None:
        if self.store.state(image) is ImageState.SHOWN:
            self.store.states[image] = ImageState.TRASHED
        self.store.step()
        self.send(SettleImage(image))

    def _restore(self, image: ImageKey) -> None:
        if self.store.state(image) is ImageState.TRASHED:
            self.store.states[image] = ImageState.SHOWN
        self.store.step()
        self.send(SettleImage(image))
        if self.models[image] == MODELS[1]:  # it may have been in the trash when the model changed
            self.queue.append(("store", (image,)))

    def _remove(self, image: ImageKey) -> None:
        self.store.step()
        self.store.states.pop(image, None)
        self.store.step()
        self.keeper.remove(image.collection, image.image_id)

    def _clear(self, person: str) -> None:
        """Somebody deletes all images of a person for good."""
        for face in self.store.faces_of(COLLECTION, person, limit=100):
            self.queue.append(("remove", (ImageKey(COLLECTION, image_of(face)),)))

    def _rename(self, person: str, name: str) -> None:
        self.decisions.rename(COLLECTION, person, name)

    def _merge(self, person: str, into: str) -> None:
        self.merger.merge(COLLECTION, person, into)

    def _unmerge(self, person: str) -> None:
        self.merger.unmerge(COLLECTION, person)

    def _reject(self, face: str, person: str) -> None:
        self.decisions.reject(COLLECTION, face, person)

    def _confirm(self, face: str, person: str) -> None:
        self.decisions.confirm(COLLECTION, face, person)

    def _export(self) -> None:
        persons: list[Person] = []
        faces: list[Face] = []
        after: str | None = ""
        while after is not None:
            some_persons, some_faces, after = self.mover.page(COLLECTION, limit=5, after=after or None)
            persons += some_persons
            faces += some_faces
        self.copies.append((persons, faces))

    def _import(self, copy: tuple[Sequence[Person], Sequence[Face]]) -> None:
        persons, faces = copy
        for person in persons:
            self.mover.restore_person(replace(person, into=None), overwrite=False)
        for person in persons:
            if person.into:
                self.mover.restore_person(person, overwrite=False)
        by_image: dict[str, list[Face]] = {}
        for face in faces:
            by_image.setdefault(image_of(face.face_id), []).append(face)
        for image_id, found in by_image.items():
            self.mover.restore_faces(ImageKey(COLLECTION, image_id), found, overwrite=False)
        self.played.counts["imports"] += 1

    def _erase(self) -> None:
        self.store.on = False
        while self.store.erase(COLLECTION, 5)[1]:
            pass
        self.decided.clear()
        self.names.clear()
        self.into.clear()
        self.played.counts["erased"] += 1

    def _committed(self, changes: Sequence[Change]) -> None:
        """Note what somebody decided at the moment when it was stored."""
        kind, args = self.running.get(getcurrent(), ("", ()))
        if kind in {"reject", "confirm"}:
            persons = [one.before.person_id for one in changes if isinstance(one.before, Person)]
            self.decided[args[0]] = (kind, persons[0] if kind == "confirm" and persons else args[1])
        for change in changes:
            before, after = change.before, change.after
            if isinstance(before, Person) and isinstance(after, Person):
                if kind == "rename":
                    self.names.setdefault(after.person_id, set()).add(after.name or "")
                if after.into != before.into:
                    self.into[after.person_id] = after.into or ""
            elif kind == "task" and isinstance(before, ImageFaces) and isinstance(after, ImageFaces):
                for face in before.live():
                    left = after.find(face.face_id)
                    if face.confirmed and face.rejected and left and left.is_live and left.person is None:
                        self.decided.pop(face.face_id, None)  # a merge of two, of whom it was said to be and not to be

    def _assign_all(self) -> None:
        """Look once more for persons, now that the index has seen everything."""
        self._index(1)
        for image in self.pictures:
            self.assigner.assign(image)

    def _check(self) -> None:
        store, wrong = self.store, self.played.violations
        faces = {face.face_id: (one.image, face) for one in store.images_.values() for face in one.live()}
        counted = Counter(face.person for _, face in faces.values() if face.person)
        for person_id, person in store.persons.items():
            if person.faces != counted[person_id]:
                wrong.append(f"count: {person_id} has {counted[person_id]} faces and says {person.faces}")
            if person.into and counted[person_id]:
                wrong.append(f"merged: {person_id} was merged and has faces")
            if person.into and person.into not in store.persons:
                wrong.append(f"person lost: {person_id} was merged into {person.into}")
        if not store.on and store.persons:
            wrong.append("erased: persons are left")
        for image, face in faces.values():
            if store.state(image) is not ImageState.SHOWN or not store.on:
                wrong.append(f"orphan: {face.face_id}")
            if face.person and face.person not in store.persons:
                wrong.append(f"person lost: {face.person} of {face.face_id}")
            if face.person and not face.rejected.isdisjoint({face.person, *face.former}):
                wrong.append(f"rejected: {face.face_id} is {face.person} again")
        for image, found in self.pictures.items():
            if store.on and store.state(image) is ImageState.SHOWN:
                # A worker that began with the model before may end last; its faces are whole, and replaced by the next.
                by_model = [
                    [face_id(image.image_id, model, number) for number in range(len(found[model]))]
                    for model in {*MODELS[:1], self.models[image]}
                ]
                ids = min(by_model, key=lambda ids: sum(one not in faces for one in ids))
                wrong += [f"missing: {one}" for one in ids if one not in faces]
                plain = [faces[one][1] for one in ids if one in faces]
                assigned = [one.person for one in plain if one.person and not one.former and not one.confirmed]
                if len(set(assigned)) < len(assigned) and not self.into:
                    wrong.append(f"twice: {image} has one person twice")
        self._check_decisions({face: found for face, (_, found) in faces.items()})
        self.played.counts.update(
            histories=1,
            persons=len(store.persons),
            named=sum(bool(one.name) for one in store.persons.values()),
            merged=sum(bool(one.into) for one in store.persons.values()),
            faces=len(faces),
            assigned=sum(counted.values()),
            rejections=sum(len(face.rejected) for _, face in faces.values()),
        )

    def _check_decisions(self, faces: Mapping[str, Any]) -> None:
        wrong, persons = self.played.violations, self.store.persons
        for face_id_, (kind, person_id) in self.decided.items():
            face = faces.get(face_id_)
            if face is None:
                continue
            person = persons.get(face.person or "")
            there = resolve(self.store, COLLECTION, person_id)
            contradicted = there is not None and not face.rejected.isdisjoint(there.known_as)
            if kind == "confirm" and not contradicted and (person is None or person_id not in person.known_as):
                wrong.append(f"confirmation lost: {face_id_} was {person_id} and is {face.person}")
            if kind == "reject" and person_id not in face.rejected:
                wrong.append(f"rejection lost: {face_id_} is not {person_id}")
        for person_id, names in self.names.items():
            if person_id not in persons or persons[person_id].name not in names:
                wrong.append(f"name lost: {person_id}")
        for person_id, into in self.into.items():
            if person_id not in persons or (persons[person_id].into or "") != into:
                wrong.append(f"merge lost: {person_id} into {into}")


def _pictures(rng: np.random.Generator) -> dict[ImageKey, dict[str, Sequence[DetectedFace]]]:
    """Make images of people: of seven, some of whom are siblings, as two networks see them."""
    people = 7
    shown = rng.permutation(np.repeat(np.arange(people), 4))
    found: dict[str, list[FaceVector]] = {model: [] for model in MODELS}
    for model in MODELS:
        centres = _directions(rng, people) * 0.6
        for sibling in range(0, 4, 2):
            centres[sibling + 1] = centres[sibling] + _directions(rng, 1)[0] * rng.uniform(0.4, 0.55)
        noise = _directions(rng, len(shown)) * rng.uniform(0.1, 0.36, (len(shown), 1))
        found[model] = list((centres[shown] + noise).astype(np.float32))
    pictures: dict[ImageKey, dict[str, Sequence[DetectedFace]]] = {}
    at = 0
    while at < len(shown):
        numbers = range(at, min(at + int(rng.integers(1, 4)), len(shown)))
        image = ImageKey(COLLECTION, rng.bytes(32).hex())
        pictures[image] = {
            model: [
                DetectedFace((0.3 * place, 0.1, 0.25, 0.4), 0.9, 1.0, 60.0, found[model][number])
                for place, number in enumerate(numbers)
            ]
            for model in MODELS
        }
        at = numbers.stop
    return pictures


def _directions(rng: np.random.Generator, count: int) -> Any:
    vectors = rng.normal(size=(count, FACE_DIMENSIONS))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def play(seeds: Sequence[int], parts: Parts | None = None) -> tuple[Counter[str], list[tuple[int, str]]]:
    """Play histories; return what was in them, and the violations with their seeds."""
    counts: Counter[str] = Counter()
    violations = []
    for seed in seeds:
        played = History(seed, parts or Parts()).play()
        counts.update(played.counts)
        violations += [(seed, one) for one in played.violations]
    return counts, violations
