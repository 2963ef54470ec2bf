"""Handle the tasks of the queue. Each may be repeated, also after a worker died at any point of it."""

from collections.abc import Callable
from datetime import UTC, datetime

from shared.domain.people.assignment import Assigner
from shared.domain.people.keeping import FaceKeeper
from shared.domain.people.merging import Merger
from shared.domain.people.ports import (
    EraseFaces,
    FacesFound,
    MoveFaces,
    PeopleEvent,
    PeopleStore,
    PersonCreated,
    PersonMerged,
    SettleImage,
    Task,
    Tasks,
)


def task_handler(store: PeopleStore, tasks: Tasks, publish: Callable[[PeopleEvent], None]) -> "TaskHandler":
    """Return the handler of the tasks of a store."""
    assigner = Assigner(store, lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    return TaskHandler(store, FaceKeeper(store, tasks), assigner, Merger(store, tasks), publish)


class TaskHandler:
    """Handles tasks and publishes what they did, at least once.

    Args:
        publish: publishes an event; if it raises, the task is repeated.
    """

    def __init__(
        self,
        store: PeopleStore,
        keeper: FaceKeeper,
        assigner: Assigner,
        merger: Merger,
        publish: Callable[[PeopleEvent], None],
    ) -> None:
        self._store = store
        self._keeper = keeper
        self._assigner = assigner
        self._merger = merger
        self._publish = publish

    def handle(self, task: Task) -> None:
        match task:
            case SettleImage():
                self._settle(task)
            case MoveFaces():
                stays = self._merger.move(task.collection, task.person_id, task.after)
                if stays:
                    self._publish(PersonMerged(task.collection, task.person_id, stays.person_id))
            case EraseFaces():
                self._keeper.erase(task.collection)

    def _settle(self, task: SettleImage) -> None:
        if not self._keeper.follow(task.image):
            return
        self._assigner.assign(task.image)
        faces = list(self._store.image(task.image).live())
        if faces:
            self._publish(FacesFound(task.image, [(face.face_id, face.person) for face in faces]))
        for person_id in {face.person for face in faces if face.person}:
            person = self._store.person(task.image.collection, person_id)
            if person and person.origin == task.image.image_id:
                self._publish(PersonCreated(task.image.collection, person_id))
