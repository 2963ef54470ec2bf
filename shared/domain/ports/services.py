"""Services other than storage: fetching from the web, messages, and API keys."""

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from shared.domain.access import Caller
    from shared.domain.events import (
        Created,
        DuplicateCheck,
        DuplicateScanStep,
        FaceScan,
        FindFaces,
        Reindex,
        TrashChanged,
    )
    from shared.domain.people.ports import Task


class Fetcher(Protocol):
    """Fetches images from the web, with permissions of its own."""

    def store(self, url: str, key: str) -> None:
        """Fetch the image at a public URL and store it under an upload's key.

        Raises:
            PictureRefused: no image can be fetched there.
        """
        ...


class WebFetcher(Fetcher, Protocol):
    """Fetches images from the web, also without storing them."""

    def read(self, url: str) -> bytes:
        """Return the bytes of the image at a public URL, at most `MAX_QUERY_BYTES`.

        Raises:
            PictureRefused: no image can be fetched there.
        """
        ...


class Messages(Protocol):
    """Sends the ingest function what is to be done later."""

    def postpone(self, check: "DuplicateCheck") -> None:
        """Queue the check, with a delay that grows with its attempts."""
        ...

    def index(self, event: "Created") -> None:
        """Have an object indexed, of which only the name and the collection are sent."""
        ...

    def reindex(self, event: "Reindex") -> None: ...
    def scan(self, step: "DuplicateScanStep", *, delay_seconds: int = 0) -> None: ...

    def trash_changed(self, event: "TrashChanged", *, delay_seconds: int = ...) -> None:
        """Have others follow an image that is moved into the trash, or restored, and have it published.

        Args:
            delay_seconds: by default as long as a move takes.
        """
        ...

    def find_faces(self, event: "FindFaces | FaceScan") -> None: ...

    def delay_task(self, task: "Task") -> None:
        """Have a task on people sent to its queue after as long as a vector index takes at least to become ready."""
        ...

    def purge(self, collection: str | None, before: str | None) -> None:
        """Have images purged: those deleted before a time (None: long enough ago), of one collection or of all."""
        ...


class ApiKeys(Protocol):
    """Verifies API keys."""

    def verify(self, text: str | None) -> "Caller":
        """Return the caller that a key identifies, and count the call.

        Raises:
            Unauthenticated: the text is not a valid key.
            RateLimited: the key has used up its calls for this minute.
        """
        ...
