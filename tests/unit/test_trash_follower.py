"""What must follow an image into the trash, or out of it, follows, whenever its message is handled."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from functions.ingest.trash_follower import TrashFollower
from shared.aws.ingest_messages import SOON, IngestMessages
from shared.aws.messages import parse
from shared.domain.events import DuplicateCheck, FindFaces, Reindex, TrashChanged
from shared.domain.ledger import ImageKey
from shared.domain.limits import MOVE_SECONDS
from shared.domain.outcomes import OutcomeStatus
from shared.domain.people.ports import SettleImage

IMAGE: Final = ImageKey("c", "a" * 64)
MEMBER: Final = ImageKey("c", "b" * 64)
SENT: Final = datetime(2026, 12, 1, tzinfo=UTC)
RESTORED: Final = TrashChanged(IMAGE, restored=True, at=SENT.isoformat())
TRASHED: Final = TrashChanged(IMAGE, restored=False, at=SENT.isoformat())


class System(IngestMessages):
    """One image, which is shown or not, and what was sent because of it."""

    def __init__(self, *, is_shown: bool) -> None:
        self.is_shown = is_shown
        self.now = SENT
        self.sent: list[Any] = []
        self.delays: list[int] = []
        self.failing: Callable[[], bool] = lambda: False
        parts: dict[str, Any] = {"catalogue": self, "duplicates": self, "tasks": self, "messages": self}
        self.follower = TrashFollower(models=["m", "n"], clock=lambda: self.now, **parts)

    def existing(self, image_ids: Sequence[str], _: str) -> dict[str, Any]:
        return dict.fromkeys(image_ids) if self.is_shown else {}

    def described(self, _: ImageKey, models: Sequence[str]) -> bool:
        return models == ["m"]

    def members(self, *_: Any) -> list[str]:
        return [IMAGE.image_id, MEMBER.image_id]

    def send(self, task: SettleImage) -> None:
        self._note(task)

    def _send(self, body: str, delay: int) -> None:
        [event] = parse(body)
        self._note(event)
        self.delays.append(delay)

    def _note(self, what: Any) -> None:
        if self.failing():
            raise ConnectionError
        self.sent.append(what)


FOLLOWS: Final = {
    RESTORED: [SettleImage(IMAGE), Reindex(IMAGE, "n"), FindFaces(IMAGE), DuplicateCheck(IMAGE)],
    TRASHED: [SettleImage(IMAGE), DuplicateCheck(MEMBER)],
}


@pytest.mark.parametrize(("event", "status"), [(RESTORED, OutcomeStatus.RESTORED), (TRASHED, OutcomeStatus.TRASHED)])
def test_it_follows_an_image_that_was_moved(event: TrashChanged, status: OutcomeStatus) -> None:
    for sent in (event, replace(event, at=None)):  # an earlier version sent no time
        system = System(is_shown=event.restored)
        outcome = system.follower.follow(sent)
        assert (outcome.status, outcome.image_key, outcome.collection) == (status, IMAGE, "c")
        assert system.sent == FOLLOWS[event]


@pytest.mark.parametrize("event", [RESTORED, TRASHED])
def test_a_message_that_is_handled_before_the_move_waits_for_it(event: TrashChanged) -> None:
    system = System(is_shown=not event.restored)
    system.now += timedelta(seconds=SOON)
    assert system.follower.follow(event).status is OutcomeStatus.IGNORED
    assert (system.sent, system.delays) == ([event], [MOVE_SECONDS])
    system.now += timedelta(seconds=MOVE_SECONDS)
    system.is_shown = event.restored
    system.sent.clear()
    assert system.follower.follow(event).status is not OutcomeStatus.IGNORED
    assert system.sent == FOLLOWS[event]


@pytest.mark.parametrize("event", [RESTORED, TRASHED])
def test_nothing_follows_an_image_that_was_not_moved(event: TrashChanged) -> None:
    for sent, seconds in ((event, MOVE_SECONDS), (replace(event, at=None), 0)):
        system = System(is_shown=not event.restored)
        system.now += timedelta(seconds=seconds)
        assert system.follower.follow(sent).status is OutcomeStatus.IGNORED
        assert system.sent == []


@pytest.mark.parametrize("event", [RESTORED, TRASHED])
def test_a_failure_at_any_point_is_made_up_for_by_the_repeated_message(event: TrashChanged) -> None:
    for fails_at in range(len(FOLLOWS[event])):
        system = System(is_shown=event.restored)
        system.failing = lambda system=system, at=fails_at: len(system.sent) == at  # type: ignore[misc]
        with pytest.raises(ConnectionError):
            system.follower.follow(event)
        system.failing = lambda: False
        system.sent.clear()
        system.follower.follow(event)
        assert system.sent == FOLLOWS[event]
