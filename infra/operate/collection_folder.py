"""The folder of an exported collection: its images, one file each, and a manifest of what is known of them."""

import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TextIO

from pydantic import ValidationError

from infra.operate.manifest_lines import (
    COUNTED,
    FORMAT,
    LINES,
    VERSION,
    AlbumLine,
    CollectionLine,
    DecisionLine,
    EndLine,
    FaceLine,
    GroupLine,
    ImageLine,
    Line,
    PersonLine,
    end_of,
)

MANIFEST: Final = "manifest.jsonl"
IMAGES: Final = "images"
"""The folder of the images. It has 256 folders: about 400 files each for 100,000 images."""


class FolderUnusable(LookupError):  # noqa: N818
    """The folder is not one that can be read or written; the message says what to do about it."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a complete manifest lists, besides the images and the faces themselves."""

    about: CollectionLine
    images: int
    chosen: Sequence[GroupLine]
    decisions: Sequence[DecisionLine]
    albums: Sequence[AlbumLine]
    persons: Sequence[PersonLine]
    faces: int


class ManifestWriter:
    """Writes a manifest, which replaces an earlier one when it is finished."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._counts = Counter[str]()

    def write(self, line: Line) -> None:
        if type(line) in COUNTED:
            self._counts[COUNTED[type(line)]] += 1
        self._file.write(json.dumps(line.model_dump(), ensure_ascii=False) + "\n")

    def finish(self) -> None:
        self.write(end_of(self._counts))
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
        counts = Counter[str]()
        kept: list[Line] = []
        end: EndLine | None = None
        for number, line in self._lines():
            if end:
                raise FolderUnusable(f"{self._manifest} goes on after its end, in line {number}. Export it again.")
            match line:
                case EndLine():
                    end = line
                case ImageLine() | FaceLine():
                    counts[COUNTED[type(line)]] += 1
                case _:
                    counts[COUNTED.get(type(line), "")] += 1
                    kept.append(line)
        if end != end_of(counts):
            expected = f", not the {end.images:,} that its end states" if end else " and no end"
            raise FolderUnusable(
                f"{self._manifest} is not complete: it has {counts['images']:,} images{expected}. Copy or export it "
                "again; nothing was imported."
            )
        return Contents(
            about,
            counts["images"],
            [line for line in kept if isinstance(line, GroupLine) and line.chosen],
            [line for line in kept if isinstance(line, DecisionLine)],
            [line for line in kept if isinstance(line, AlbumLine)],
            [line for line in kept if isinstance(line, PersonLine)],
            counts["faces"],
        )

    def images(self) -> Iterator[ImageLine]:
        """Yield the images in the order of the manifest."""
        return (line for _, line in self._lines() if isinstance(line, ImageLine))

    def faces(self) -> Iterator[FaceLine]:
        """Yield the faces in the order of the manifest."""
        return (line for _, line in self._lines() if isinstance(line, FaceLine))

    def _lines(self) -> Iterator[tuple[int, Line]]:
        """Yield all lines but the first, with their numbers."""
        with self._manifest.open("rb") as file:
            for number, text in enumerate(file, start=1):
                if number > 1:
                    yield number, self._parsed(text, number)

    def _parsed(self, text: bytes, number: int) -> Line:
        try:
            return LINES.validate_json(text)
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
