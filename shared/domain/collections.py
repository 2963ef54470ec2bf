"""The collections that exist."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CollectionEntry:
    """A collection that was created or used.

    Attributes:
        title: the name for people; None for a collection that has only its own name.
        created_at: ISO 8601 in UTC with seconds; None if it is not known.
        faces: whether the faces of its images are found and stored.
    """

    name: str
    title: str | None = None
    created_at: str | None = None
    faces: bool = False


@dataclass(frozen=True, slots=True)
class CollectionPage:
    """A page of collections, ordered by name, and the cursor of the next page (None on the last one)."""

    entries: Sequence[CollectionEntry]
    cursor: str | None = None
