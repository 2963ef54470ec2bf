"""Uploads, and the ledger of the objects that hold images."""

from typing import Protocol

from shared.domain.images import ObjectRef, Upload
from shared.domain.ledger import ObjectState


class Uploads(Protocol):
    """Stores the state of uploads."""

    def open(self, upload: Upload, source: ObjectRef) -> None: ...
    def find(self, upload_id: str) -> Upload | None: ...

    def finish(self, upload: Upload) -> None:
        """Store the final state of an upload; nothing of an earlier end remains."""
        ...

    def grouped(self, upload_id: str) -> None:
        """Note that the image of a finished upload is in its group of near-duplicates."""
        ...

    def expect_end(self, upload_id: str, ends_by: int) -> None:
        """Store when a pending upload's last attempt will have ended, in seconds since the epoch."""
        ...

    def fail(self, upload_id: str, reason: str) -> None:
        """Reject an upload with the code `failed`, if it is pending."""
        ...


class Ledger(Protocol):
    """Records which object holds which image."""

    def find(self, source: ObjectRef) -> ObjectState | None: ...

    def change(self, before: ObjectState | None, after: ObjectState) -> None:
        """Replace an entry and update the sources of the images concerned, in one transaction.

        Raises:
            ConflictError: the stored entry is no longer `before`.
        """
        ...
