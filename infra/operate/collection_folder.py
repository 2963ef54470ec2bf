"""The folder of an exported collection: its images, one file each, and a manifest of what is known of them."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TextIO

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from shared.domain.duplicates import Decision
from shared.domain.images import COLLECTION_PATTERN, IMAGE_ID_PATTERN

MANIFEST: Final = "manifest.jsonl"
FORMAT: Final = "pictrace-collection"
VERSION: Final = 2
"""Version of the folder's format: to be raised if an older PicTrace would lose something by reading a newer folder."""
IMAGES: Final = "images"
"""The folder of the images. It has 256 folders: about 400 files each for 100,000 images."""

ImageId = Annotated[str, Field(pattern=IMAGE_ID_PATTERN)]


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True)


class CollectionLine(_Line):
    """The first line."""

    type: Literal["collection"] = "collection"
    format: Literal["pictrace-collection"] = FORMAT
    version: int = VERSION
    collection: Annotated[str, Field(pattern=COLLECTION_PATTERN)]
    title: str | None = None
    exported_at: str


class ImageLine(_Line):
    """An image; `format` is the extension of its file."""

    type: Literal["image"] = "image"
    image_id: ImageId
    format: Annotated[str, Field(pattern="^[a-z0-9]{1,10}$")]
    media_type: str
    bytes: int
    filename: str | None
    created_at: str
    external_id: str | None = None
    note: str | None = None
    fields: dict[str, str] = {}


class GroupLine(_Line):
    """A group of near-duplicates.

    Attributes:
        kept: the best image.
        chosen: whether somebody chose it by hand.
        images: all images of the group, or the first 200.
    """

    type: Literal["group"] = "group"
    kept: ImageId
    chosen: bool
    images: list[ImageId]


class DecisionLine(_Line):
    """What was decided on two images for ever, which the collection need not have any more."""

    type: Literal["decision"] = "decision"
    images: Annotated[list[ImageId], Field(min_length=2, max_length=2)]
    decision: Decision


class EndLine(_Line):
    """The last line, without which a manifest is not complete: how many there are of the others."""

    type: Literal["end"] = "end"
    images: int
    groups: int
    decisions: int = 0


Line = CollectionLine | ImageLine | GroupLine | DecisionLine | EndLine
_LINES: Final[TypeAdapter[Line]] = TypeAdapter(Annotated[Line, Field(discriminator="type")])


class FolderUnusable(LookupError):  # noqa: N818
    """The folder is not one that can be read or written; the message says what to do about it."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a complete manifest lists, besides the images themselves."""

    about: CollectionLine
    images: int
    chosen: Sequence[GroupLine]
    decisions: Sequence[DecisionLine]


class ManifestWriter:
    """Writes a manifest, which replaces an earlier one when it is finished."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._images = self._groups = self._decisions = 0

    def write(self, line: Line) -> None:
        self._images += isinstance(line, ImageLine)
        self._groups += isinstance(line, GroupLine)
        self._decisions += isinstance(line, DecisionLine)
        self._file.write(json.dumps(line.model_dump(), ensure_ascii=False) + "\n")

    def finish(self) -> None:
        self.write(EndLine(images=self._images, groups=self._groups, decisions=self._decisions))
        self._file.flush()
        os.fsync(self._file.fileno())


class CollectionFolder:
    """An export on this machine."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._manifest = path / MANIFEST
        self._unfinished = path / f"{MANIFEST}.part"

    def file(self, image: ImageLine) -> Path:
        """Return where the image's bytes are."""
        return self.path / IMAGES / image.image_id[:2] / f"{image.image_id}.{image.format}"

    def prepare(self, collection: str) -> None:
        """Create the folder if it is missing.

        Raises:
            FolderUnusable: it has other files, or another collection's export.
        """
        if self.path.exists() and not self.path.is_dir():
            raise FolderUnusable(f"{self.path} is a file. Name a folder.")
        self.path.mkdir(parents=True, exist_ok=True)
        earlier = [path for path in (self._manifest, self._unfinished) if path.exists()]
        if not earlier and any(self.path.iterdir()):
            raise FolderUnusable(f"{self.path} has other files. Name an empty folder, or one that was exported to.")
        for path in earlier:
            if path.stat().st_size and (found := self._about(path).collection) != collection:
                raise FolderUnusable(f"{self.path} has the collection {found}. Name another folder for {collection}.")

    @contextmanager
    def writing(self, about: CollectionLine) -> Iterator[ManifestWriter]:
        """Provide a writer. Its manifest becomes the folder's if the context ends without an exception."""
        with self._unfinished.open("w", encoding="utf-8", newline="\n") as file:
            writer = ManifestWriter(file)
            writer.write(about)
            file.flush()
            yield writer
            writer.finish()
        self._unfinished.replace(self._manifest)

    def check(self) -> Contents:
        """Read the whole manifest, and return what it says of the collection.

        Raises:
            FolderUnusable: there is none, it is not complete, or this version cannot read it.
        """
        if not self._manifest.is_file():
            if self._unfinished.is_file():
                raise FolderUnusable(f"The export to {self.path} has not ended. Run it again, then import the folder.")
            raise FolderUnusable(f"{self.path} has no {MANIFEST}, so it is not an exported collection.")
        about = self._about(self._manifest)
        images = groups = 0
        chosen: list[GroupLine] = []
        decisions: list[DecisionLine] = []
        end: EndLine | None = None
        for number, line in self._lines():
            if end:
                raise FolderUnusable(f"{self._manifest} goes on after its end, in line {number}. Export it again.")
            match line:
                case ImageLine():
                    images += 1
                case GroupLine():
                    groups += 1
                    chosen += [line] if line.chosen else []
                case DecisionLine():
                    decisions.append(line)
                case EndLine():
                    end = line
        if end is None or (end.images, end.groups, end.decisions) != (images, groups, len(decisions)):
            expected = f", not the {end.images:,} that its end states" if end else " and no end"
            raise FolderUnusable(
                f"{self._manifest} is not complete: it has {images:,} images{expected}. Copy or export it again; "
                "nothing was imported."
            )
        return Contents(about, images, chosen, decisions)

    def images(self) -> Iterator[ImageLine]:
        """Yield the images in the order of the manifest."""
        return (line for _, line in self._lines() if isinstance(line, ImageLine))

    def _lines(self) -> Iterator[tuple[int, Line]]:
        """Yield all lines but the first, with their numbers."""
        with self._manifest.open("rb") as file:
            for number, text in enumerate(file, start=1):
                if number > 1:
                    yield number, self._parsed(text, number)

    def _parsed(self, text: bytes, number: int) -> Line:
        try:
            return _LINES.validate_json(text)
        except ValidationError as error:
            problem = error.errors()[0]
            where = ".".join(str(part) for part in problem["loc"][1:])
            raise FolderUnusable(
                f"Line {number} of {self._manifest} cannot be read: {where}{where and ': '}{problem['msg']}. Copy or "
                "export it again; nothing was imported."
            ) from error

    def _about(self, path: Path) -> CollectionLine:
        """Return the first line of a manifest, having checked the format before all else."""
        with path.open("rb") as file:
            text = file.readline()
        try:
            stated: Any = json.loads(text)
            version = stated["version"] if stated["format"] == FORMAT else None
        except (ValueError, TypeError, KeyError):
            version = None
        if not isinstance(version, int):
            raise FolderUnusable(f"{path} is not the manifest of an exported collection.")
        if version > VERSION:
            raise FolderUnusable(
                f"{self.path} was exported by a newer version of PicTrace: it has format {version}, and this version "
                f"knows formats up to {VERSION}. Update PicTrace."
            )
        line = self._parsed(text, 1)
        if not isinstance(line, CollectionLine):
            raise FolderUnusable(f"{path} is not the manifest of an exported collection.")
        return line
