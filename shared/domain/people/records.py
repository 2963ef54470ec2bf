"""What is stored of people: the faces of each image, and the persons that they belong to."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Self

from shared.domain.ledger import ImageKey

FACE_ID_PATTERN: Final = r"[0-9a-f]{64}-[0-9a-f]{8}-[0-9]{3}"
PERSON_ID_PATTERN: Final = r"[0-9a-f]{32}"
MAX_PERSON_NAME: Final = 100
MAX_FACES: Final = 200
"""Maximum number of faces of one image that are kept: those that the detector is surest of."""


class FaceState(StrEnum):
    """`LIVE` faces are found and counted. One whose image is in the trash is `TRASHED`: it keeps its vector. Of one
    that is `GONE` only its place and what people decided are kept."""

    LIVE = "live"
    TRASHED = "trashed"
    GONE = "gone"


def face_id(image_id: str, face_model: str, position: int) -> str:
    """Return the fixed id of the face at a position in what a model found in an image."""
    model = hashlib.blake2b(face_model.encode(), digest_size=4).hexdigest()
    return f"{image_id}-{model}-{position:03d}"


def image_of(face: str) -> str:
    """Return the id of the image that a face is in."""
    return face[:64]


@dataclass(frozen=True, slots=True)
class Face:
    """A face of an image.

    Attributes:
        box: left, top, width and height in shares of the image's sides.
        person: the person that a live face belongs to and is counted for.
        confirmed: whether somebody said that it is this person.
        rejected: persons that it is not, as somebody said.
        former: the persons from which merges have moved it to `person`, oldest first.
        recalled: the person that it belonged to before it ceased to be live.
    """

    face_id: str
    face_model: str
    box: tuple[float, float, float, float]
    score: float
    presence: float
    eye_distance: float
    state: FaceState = FaceState.LIVE
    person: str | None = None
    confirmed: bool = False
    rejected: frozenset[str] = frozenset()
    former: tuple[str, ...] = ()
    recalled: str | None = None

    @property
    def is_live(self) -> bool:
        return self.state is FaceState.LIVE

    @property
    def is_decided(self) -> bool:
        """Whether something is worth keeping once its image is gone."""
        return bool(self.rejected or self.person or self.recalled)

    def withdrawn(self, state: FaceState) -> Self:
        """Return the face as it is while its image is not shown."""
        state = FaceState.GONE if self.state is FaceState.GONE else state
        return replace(self, state=state, person=None, recalled=self.person or self.recalled)


@dataclass(frozen=True, slots=True)
class ImageFaces:
    """The faces of an image.

    Attributes:
        version: a token that each change replaces and that never comes back; empty if nothing is stored.
    """

    image: ImageKey
    faces: tuple[Face, ...] = ()
    version: str = ""

    def find(self, wanted: str) -> Face | None:
        return next((face for face in self.faces if face.face_id == wanted), None)

    def live(self) -> Iterator[Face]:
        return (face for face in self.faces if face.is_live)

    def with_face(self, changed: Face) -> Self:
        """Return the faces with one replaced."""
        return replace(self, faces=tuple(changed if one.face_id == changed.face_id else one for one in self.faces))


@dataclass(frozen=True, slots=True)
class Person:
    """A person of a collection.

    Attributes:
        faces: number of live faces.
        cover: the face that somebody chose to show the person by.
        sample: a face that shows the person otherwise.
        into: the person that this one was merged into.
        released: the person from which the last merge of this one was undone.
        merged: all persons that were merged into this one, also through others.
        apart: persons that are somebody else, as somebody said.
        kept: whether somebody decided something about the person, who is then kept without faces.
        named_by: the merged person whose name this one got.
        origin: the image whose face started the person.
        version: see `ImageFaces`.
    """

    collection: str
    person_id: str
    faces: int = 0
    name: str | None = None
    hidden: bool = False
    cover: str | None = None
    sample: str | None = None
    into: str | None = None
    released: str | None = None
    merged: frozenset[str] = frozenset()
    apart: frozenset[str] = frozenset()
    kept: bool = False
    named_by: str | None = None
    origin: str | None = None
    created_at: str = ""
    version: str = ""

    @property
    def known_as(self) -> frozenset[str]:
        """The ids of this person and of all that were merged into it."""
        return self.merged | {self.person_id}

    def joined_by(self, *faces: str) -> Self:
        return replace(self, faces=self.faces + len(faces), sample=self.sample or faces[0])

    def left_by(self, *faces: str) -> Self | None:
        """Return the person without faces that it had, or None if it need not be kept."""
        left = self.faces - len(faces)
        if not left and not self.kept:
            return None
        return replace(self, faces=left, sample=None if self.sample in faces else self.sample)


Record = ImageFaces | Person


@dataclass(frozen=True, slots=True)
class Change:
    """The replacement of a record; without faces or as None, it is deleted."""

    before: Record
    after: Record | None
