"""Download a collection into a folder, several images at a time, without those that the folder has."""

import hashlib
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from infra.operate.collection_client import CollectionClient
from infra.operate.collection_folder import CollectionFolder
from infra.operate.manifest_lines import (
    AlbumLine,
    CollectionLine,
    DecisionLine,
    FaceLine,
    GroupLine,
    ImageLine,
    Line,
    PersonLine,
)
from infra.operate.parallel import in_parallel
from infra.operate.upload_client import FailureCount, ServerFailed, StorageRefused
from shared.domain.filters import Order
from shared.domain.formats import MEDIA_TYPES


class ExportStatus(StrEnum):
    """What became of an image. `PRESENT`: the folder had it."""

    EXPORTED = "exported"
    PRESENT = "present"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ExportResult:
    """The result for one image; `code` and `reason` say why it is not in the folder."""

    path: Path
    status: ExportStatus
    image: ImageLine
    code: str | None = None
    reason: str | None = None

    @property
    def refused(self) -> bool:
        return self.status is ExportStatus.FAILED


class Exporter:
    """Exports one collection.

    Args:
        people: whether to export who is in the images, if the collection has faces on.

    Attributes:
        persons: number of persons that were exported.
    """

    def __init__(
        self, client: CollectionClient, folder: CollectionFolder, *, parallel: int, people: bool = True
    ) -> None:
        self._people = people
        self.persons = 0
        self._client = client
        self._folder = folder
        self._parallel = parallel
        self._failures = FailureCount()

    def export_all(self, title: str | None) -> Generator[ExportResult]:
        """Export all images, and yield results as they come; the manifest lists those that are in the folder.

        Raises:
            ServerFailed: the server cannot be used.
            OSError: the folder cannot be written.
        """
        now = datetime.now(UTC).isoformat(timespec="seconds")
        faces = self._people and self._client.has_faces_on()
        about = CollectionLine(collection=self._client.collection, title=title, exported_at=now, faces=faces)
        with self._folder.writing(about) as manifest:
            images = map(_image, self._client.images(order=Order.OLDEST))
            for result in in_parallel(self._export, images, self._parallel, stop=self._client.stop):
                if not result.refused:
                    manifest.write(result.image)
                yield result
            for group in self._client.groups():
                manifest.write(_group(group))
            for decided in self._client.decisions():
                manifest.write(DecisionLine.model_validate({**decided, "type": "decision"}))
            for album in self._client.albums():
                manifest.write(self._album(album))
            for line in self._known_of_people() if faces else ():
                manifest.write(line)

    def _album(self, found: Mapping[str, Any]) -> AlbumLine:
        images = self._client.images(album=found["album_id"], order=Order.OLDEST)
        return AlbumLine.model_validate({**found, "type": "album", "images": [image["image_id"] for image in images]})

    def _known_of_people(self) -> Iterator[Line]:
        for page in self._client.people_records():
            self.persons += len(page["persons"])
            yield from (PersonLine.model_validate({**one, "type": "person"}) for one in page["persons"])
            yield from (FaceLine.model_validate({**one, "type": "face"}) for one in page["faces"])

    def _export(self, image: ImageLine) -> ExportResult:
        path = self._folder.file(image)
        if _sha256(path) == image.image_id:
            return ExportResult(path, ExportStatus.PRESENT, image)
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{path.name}.part")
        try:
            self._client.download(image.image_id, unfinished)
            unfinished.replace(path)
        except StorageRefused as refused:
            return ExportResult(path, ExportStatus.FAILED, image, "storage", str(refused))
        except ServerFailed as failed:
            self._failures.failed(failed)
            return ExportResult(path, ExportStatus.FAILED, image, "server", str(failed))
        finally:
            unfinished.unlink(missing_ok=True)
        self._failures.succeeded()
        return ExportResult(path, ExportStatus.EXPORTED, image)


def _sha256(path: Path) -> str | None:
    """Return the SHA-256 of a file, or None if there is none."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None


def _image(found: Mapping[str, Any]) -> ImageLine:
    media_type = MEDIA_TYPES.get(found["format"], f"image/{found['format']}")
    return ImageLine.model_validate({**found, "type": "image", "media_type": media_type})


def _group(found: Mapping[str, Any]) -> GroupLine:
    images = [image["image_id"] for image in found["images"]]
    return GroupLine(kept=found["best"], chosen=found["chosen"], images=images)
