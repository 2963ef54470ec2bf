"""Have everything else follow an image that was moved into the trash, or restored from it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from shared.domain.events import DuplicateCheck, FindFaces, Reindex, TrashChanged
from shared.domain.ledger import ImageKey
from shared.domain.limits import MAX_GROUP_MEMBERS, MOVE_SECONDS
from shared.domain.outcomes import Outcome, OutcomeStatus
from shared.domain.people.ports import SettleImage, Tasks
from shared.domain.ports.catalogue import Catalogue
from shared.domain.ports.duplicates import Duplicates
from shared.domain.ports.services import Messages


class TrashFollower:
    """Has faces, groups and the vectors of every model follow. May be repeated, and die at any point.

    The API sends the message before it moves an image, so that nothing is missed if it dies. What is done therefore
    depends on where the image is now.

    Args:
        tasks: has the faces of an image follow it.
        models: the models that describe every image.
    """

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        duplicates: Duplicates,
        tasks: Tasks,
        messages: Messages,
        models: Sequence[str],
        clock: Callable[[], datetime],
    ) -> None:
        self._catalogue = catalogue
        self._duplicates = duplicates
        self._tasks = tasks
        self._messages = messages
        self._models = models
        self._clock = clock

    def follow(self, event: TrashChanged) -> Outcome:
        image = event.image_key
        outcome = Outcome(status=OutcomeStatus.IGNORED, collection=image.collection, image_key=image)
        is_shown = bool(self._catalogue.existing([image.image_id], image.collection))
        if is_shown != event.restored:
            if not self._may_still_move(event):
                return replace(outcome, reason="the image was not moved, or has been moved back")
            self._messages.trash_changed(event, delay_seconds=MOVE_SECONDS)
            return replace(outcome, reason="the image has not been moved yet")
        self._tasks.send(SettleImage(image))
        if event.restored:
            self._complete(image)
            return replace(outcome, status=OutcomeStatus.RESTORED)
        members = self._duplicates.members(image, MAX_GROUP_MEMBERS)
        self._compare(image, [member for member in members if member != image.image_id])
        return replace(outcome, status=OutcomeStatus.TRASHED)

    def _may_still_move(self, event: TrashChanged) -> bool:
        if event.at is None:
            return False
        return self._clock() - datetime.fromisoformat(event.at) < timedelta(seconds=MOVE_SECONDS)

    def _complete(self, image: ImageKey) -> None:
        """Have what was lost in the trash made again, and what was turned on meanwhile."""
        for model in self._models:
            if not self._catalogue.described(image, [model]):
                self._messages.reindex(Reindex(image, model))
        self._messages.find_faces(FindFaces(image))
        self._compare(image, [image.image_id])

    def _compare(self, image: ImageKey, image_ids: Sequence[str]) -> None:
        for image_id in image_ids:
            self._messages.postpone(DuplicateCheck(replace(image, image_id=image_id)))
