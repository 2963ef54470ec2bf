"""Compare every image of a collection again, one page for each message."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final

from functions.ingest.index_wait import waiting_since
from shared.domain.duplicate_scans import DuplicateScan, ScanStatus
from shared.domain.errors import IndexNotReady, PictureRefused
from shared.domain.events import DuplicateCheck, DuplicateScanStep
from shared.domain.filters import EVERYTHING
from shared.domain.images import ImageRecord
from shared.domain.ledger import ImageKey
from shared.domain.limits import CHECK_HOURS, INDEX_RETRY_AFTER_SECONDS
from shared.domain.outcomes import Outcome, OutcomeStatus
from shared.domain.ports.catalogue import Catalogue
from shared.domain.ports.duplicates import Duplicates, Scans
from shared.domain.ports.objects import Objects
from shared.domain.ports.services import Messages
from shared.search.concurrency import COMPUTING, FILES
from shared.search.grouping import Grouper
from shared.search.stored_bytes import read_bytes
from shared.vision.decode.decoding import decode
from shared.vision.quality.measure import measure

PAGE: Final = 10
"""Images of a page. Each takes two searches of a vector index and the signatures of a few candidates, so a page takes
seconds, far less than a message may."""


class DuplicateScanner:
    """Compares images again, and measures the quality of those stored before it was measured.

    Args:
        now: returns the time, ISO 8601 in UTC.
    """

    def __init__(
        self,
        *,
        scans: Scans,
        catalogue: Catalogue,
        duplicates: Duplicates,
        objects: Objects,
        grouper: Grouper,
        messages: Messages,
        now: Callable[[], str],
    ) -> None:
        self._scans = scans
        self._catalogue = catalogue
        self._duplicates = duplicates
        self._objects = objects
        self._grouper = grouper
        self._messages = messages
        self._now = now

    def step(self, event: DuplicateScanStep) -> Outcome:
        """Compare one page, and send the message for the next one.

        A repeated message does nothing but send that again, so a worker that died between the two stops nothing. While
        a vector index is being built, the same page is tried again, for at most `CHECK_HOURS`.
        """
        outcome = Outcome(status=OutcomeStatus.IGNORED, collection=event.collection, reason="compared again")
        scan = self._scans.find(event.collection)
        if scan is None or scan.scan_id != event.scan_id:
            return replace(outcome, reason="another check of this collection was started")
        if (scan.cursor, scan.done) != (event.cursor, event.done):
            if scan.status is not ScanStatus.DONE and scan.done == event.done + PAGE:
                self._messages.scan(_following(event, scan))
            return replace(outcome, reason="this page has been compared")
        page = self._catalogue.page(event.collection, wanted=EVERYTHING, limit=PAGE, cursor=event.cursor)
        try:
            changed = sum(self._settle(record) for record in page.records)
        except IndexNotReady:
            return replace(outcome, reason=self._wait(scan, event))
        after = replace(
            scan,
            cursor=page.cursor,
            done=scan.done + (PAGE if page.cursor else len(page.records)),
            changed=scan.changed + changed,
            status=ScanStatus.RUNNING if page.cursor else ScanStatus.DONE,
        )
        if self._scans.advance(scan, after) and page.cursor:
            self._messages.scan(_following(event, after))
        return outcome

    def _wait(self, scan: DuplicateScan, event: DuplicateScanStep) -> str:
        """Have the same page tried later, or give up; return what was done, in words."""
        since = waiting_since(event.unready_since, datetime.fromisoformat(self._now()))
        if since is None:
            self._scans.advance(scan, replace(scan, status=ScanStatus.FAILED))
            return f"no vector index was ready for {CHECK_HOURS} hours"
        self._messages.scan(replace(event, unready_since=since), delay_seconds=INDEX_RETRY_AFTER_SECONDS)
        return "the vector index is still not ready"

    def _settle(self, record: ImageRecord) -> bool:
        image = ImageKey(record.collection, record.image_id)
        self._rate(image)
        settled = self._grouper.settle(image)
        for image_id in sorted(settled.affected):
            self._messages.postpone(DuplicateCheck(replace(image, image_id=image_id)))
        return settled.changed

    def _rate(self, image: ImageKey) -> None:
        """Measure the quality of an image of which it is not known, if its bytes can be read."""
        known = self._duplicates.records(image.collection, [image.image_id]).get(image.image_id)
        if known is None or known.quality is not None:
            return
        record = self._catalogue.find(image.image_id, image.collection)
        if record is None:
            return
        try:
            with FILES.reservation() as reserve:
                data = read_bytes(record, self._objects, reserve)
                with COMPUTING:
                    decoded = decode(data, patience=None)
                    quality = measure(data, decoded.rgb, decoded.format, (decoded.width, decoded.height))
        except PictureRefused:
            return
        self._duplicates.rate(image, quality)


def _following(event: DuplicateScanStep, scan: DuplicateScan) -> DuplicateScanStep:
    """Return the event for the page that a scan has come to."""
    return replace(event, cursor=scan.cursor, done=scan.done, unready_since=None)
