"""Keeps the trash from being purged by a clock that was wrong.

How long an image has been in the trash is told by the clock, when it was deleted and now. A machine that has just
started may have neither network nor battery, and take the year to be 1970, or the next one.
"""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from shared.embedded.database import Database

MIGRATION: Final = """
CREATE TABLE purge_hold (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    checked_at REAL NOT NULL,
    seconds_left REAL NOT NULL
);
"""
"""From format 7 to format 8: one row, with the time of the last check, and for how long nothing is purged from then."""

HOLD: Final = timedelta(hours=24)
"""How long nothing is purged after the clock has jumped."""
LARGEST_STEP: Final = timedelta(days=7)
"""How much later than the last check it may be. More is a jump, or a long time in which nothing ran."""
SMALLEST_STEP: Final = timedelta(hours=-1)
"""How much earlier than the last check it may be: clocks are corrected all the time."""

_log = logging.getLogger(__name__)


class PurgeHold:
    """Tells when images may be purged that were deleted long enough ago by the clock.

    That is once the system has been running for `HOLD` since the last jump of the clock, in this process and earlier
    ones, as measured without the clock.

    Args:
        clock: seconds since the epoch.
        running: seconds since any moment, which nobody sets.
    """

    def __init__(
        self,
        database: Database,
        clock: Callable[[], float] = time.time,
        running: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._clock = clock
        self._running = running
        self._last = running()

    def purge_before(self, kept: timedelta) -> datetime | None:
        """Return the time before which images were deleted that may be purged; None while none may be.

        Args:
            kept: how long an image stays in the trash.
        """
        now, seconds_left = self._check()
        return None if seconds_left else datetime.fromtimestamp(now, UTC) - kept

    def note_time(self) -> None:
        """Note for how long the system has been running, before it ends."""
        self._check()

    def _check(self) -> tuple[float, float]:
        now, running = self._clock(), self._running()
        with self._database.transaction() as connection:
            found: Any = connection.execute("SELECT checked_at, seconds_left FROM purge_hold").fetchone()
            trashed = connection.execute("SELECT 1 FROM trashed_images LIMIT 1").fetchone() is not None
            last, left = found or (now, 0)
            jumped = _jumped(last, now) if found else trashed
            left = HOLD.total_seconds() if jumped else max(0, left - (running - self._last))
            connection.execute("INSERT OR REPLACE INTO purge_hold VALUES (1, ?, ?)", (now, left))
        self._last = running
        if jumped and trashed:
            _log.warning("The clock may have been wrong: nothing is purged from the trash in the next 24 hours.")
        return now, left


def _jumped(last: float, now: float) -> bool:
    return not SMALLEST_STEP.total_seconds() <= now - last <= LARGEST_STEP.total_seconds()
