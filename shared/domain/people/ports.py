"""The protocol through which people are stored, and what is sent to the queue that assigns faces."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from shared.domain.ledger import ImageKey
from shared.domain.people.faces import FaceVector
from shared.domain.people.records import Change, ImageFaces, Person


class ImageState(StrEnum):
    """Whether a collection shows an image, has it in its trash, or does not have it."""

    SHOWN = "shown"
    TRASHED = "trashed"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Near:
    """A live face that the vector index found; `distance` is Euclidean."""

    face_id: str
    distance: float


@dataclass(frozen=True, slots=True)
class Required:
    """The state that an image must be in for a change, and whether its collection must have faces on."""

    image: ImageKey
    state: ImageState
    faces_on: bool = False


@dataclass(frozen=True, slots=True)
class FacesOn:
    """Required for a change: that a collection has faces on."""

    collection: str


class PeopleStore(Protocol):
    """Stores faces and persons. Every read but `near` sees all changes that were made before."""

    def state(self, image: ImageKey) -> ImageState: ...
    def accepts(self, collection: str) -> bool:
        """Return whether a collection has faces on."""
        ...

    def image(self, image: ImageKey) -> ImageFaces: ...

    def images(self, collection: str, image_ids: Collection[str]) -> Mapping[str, ImageFaces]:
        """Return the faces of those of the images that have some."""
        ...

    def stored_faces(
        self, collection: str, *, limit: int, after: str | None = None
    ) -> tuple[Sequence[ImageFaces], bool]:
        """Return faces that are stored, of whatever state, of at most `limit` images, in the order of their ids.

        Args:
            after: the image after which they begin.

        Returns:
            The faces of each image, and whether there may be more.
        """
        ...

    def person(self, collection: str, person_id: str) -> Person | None: ...

    def find_people(self, collection: str, person_ids: Collection[str]) -> Mapping[str, Person]:
        """Return those of the persons that exist, by their ids."""
        ...

    def people(self, collection: str) -> Sequence[Person]: ...

    def faces_of(
        self, collection: str, person_id: str | None, *, limit: int, after: str | None = None
    ) -> Sequence[str]:
        """Return the ids of a person's live faces (None: of those without a person), in order, from `after` on."""
        ...

    def vectors(self, collection: str, face_ids: Collection[str]) -> Mapping[str, FaceVector]: ...

    def near(self, collection: str, face_model: str, vector: FaceVector, limit: int) -> Sequence[Near]:
        """Return the nearest live faces, at most 100, nearest first. The last changes may not be seen yet.

        Raises:
            IndexNotReady: the index is being built.
        """
        ...

    def commit(
        self,
        changes: Sequence[Change],
        *,
        vectors: Mapping[str, FaceVector] | None = None,
        required: Required | FacesOn | None = None,
    ) -> None:
        """Make changes, all or none.

        Args:
            vectors: of the faces that are new or live again after they were gone.

        Raises:
            ConflictError: a stored record is no longer the one `before`, or what is required is not the case.
        """
        ...

    def erase(self, collection: str, limit: int) -> tuple[int, bool]:
        """Delete the faces of about `limit` images, and after the last of them some persons.

        Returns:
            The number of live faces deleted, and whether something is left.
        """
        ...


@dataclass(frozen=True, slots=True)
class SettleImage:
    """The faces of an image must follow what became of it, and persons be found for them.

    Attributes:
        unready_since: when the vector index of faces was first found not to be ready, ISO 8601 in UTC; None if it has
            not been.
    """

    image: ImageKey
    unready_since: str | None = None


@dataclass(frozen=True, slots=True)
class MoveFaces:
    """A person was merged, or the merge of another into this one undone: its faces must go where they belong.

    Attributes:
        after: the face after which they begin; None to begin with the first.
    """

    collection: str
    person_id: str
    after: str | None = None


@dataclass(frozen=True, slots=True)
class EraseFaces:
    """The rest of the faces of a collection must be erased."""

    collection: str


Task = SettleImage | MoveFaces | EraseFaces


class Tasks(Protocol):
    """The queue of tasks: those of one collection are handled one at a time, in order."""

    def send(self, task: Task) -> None: ...


@dataclass(frozen=True, slots=True)
class FacesFound:
    """The faces of an image are stored; each with its person, if it has one."""

    image: ImageKey
    faces: Sequence[tuple[str, str | None]]


@dataclass(frozen=True, slots=True)
class PersonCreated:
    collection: str
    person_id: str


@dataclass(frozen=True, slots=True)
class PersonMerged:
    """All faces of a person were moved to another."""

    collection: str
    person_id: str
    into: str


PeopleEvent = FacesFound | PersonCreated | PersonMerged
