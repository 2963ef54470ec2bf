"""The folder of the vector index: its files, and a manifest of what they hold.

Nothing in it is needed: it is derived from the database, and is deleted and built again if it is damaged. The manifest
is replaced as a whole, after the rows that it counts have reached the disk; so whatever a crash leaves, the rows it
counts are complete, and rows beyond them are overwritten.
"""

import hashlib
import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from shared.embedded.disk import sync, sync_folder
from shared.embedded.vector_file import VectorFile

FORMAT: Final = 1
"""Increased with any change of the files, or of what their numbers mean."""
MANIFEST: Final = "manifest.json"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, order=True)
class Space:
    """The vectors that can be compared with each other: those of one kind (`features` or `local`) and one model."""

    kind: str
    model: str


class VectorFolder:
    """The vector files of a folder, loaded as the manifest lists them; empty if they cannot be used.

    One thread changes it at a time.

    Attributes:
        last_id: the largest id of the table `vectors` up to which its rows are in the files.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.last_id = 0
        self._generation = 0
        self._files: dict[Space, VectorFile] = {}
        path.mkdir(parents=True, exist_ok=True)
        try:
            self._load()
        except FileNotFoundError:
            self.clear()
        except (OSError, ValueError, KeyError, TypeError) as error:
            _log.warning("The vector index cannot be used and will be rebuilt: %s", error)
            self.clear()

    def __iter__(self) -> Iterator[VectorFile]:
        return iter(self._files.values())

    def items(self) -> Iterable[tuple[Space, VectorFile]]:
        return self._files.items()

    def find(self, space: Space) -> VectorFile | None:
        """Return the file of a space, None if it has no vectors."""
        return self._files.get(space)

    def provide(self, space: Space, width: int) -> VectorFile:
        """Return the file of a space, at least `width` wide: created, or copied to a wider one, if necessary."""
        file = self._files.get(space)
        if file is None:
            file = self._files[space] = VectorFile(self._new_stem(space), width)
        elif file.width < width:
            file = self._replace(space, file, width)
        return file

    def save(self) -> None:
        """Return when all rows and the manifest are on the disk."""
        for file in self:
            file.sync()
        temporary = self._path / f"{MANIFEST}.new"
        with temporary.open("w", encoding="utf-8") as out:
            json.dump(self._manifest(), out, indent=1)
            out.flush()
            sync(out.fileno())
        temporary.replace(self._path / MANIFEST)
        sync_folder(self._path)
        self._delete_unlisted()

    def compact(self) -> None:
        """Write the files again without their removed rows, and save."""
        for space, file in list(self.items()):
            if file.removed:
                self._replace(space, file, file.width)
        self.save()

    def clear(self) -> None:
        """Delete everything."""
        self.close()
        self._files.clear()
        self.last_id = 0
        (self._path / MANIFEST).unlink(missing_ok=True)
        self._delete_unlisted()

    def close(self) -> None:
        """Close the files, without saving."""
        for file in self:
            file.close()

    def _load(self) -> None:
        manifest = json.loads((self._path / MANIFEST).read_text(encoding="utf-8"))
        if manifest["format"] != FORMAT:
            raise ValueError(f"it has format {manifest['format']}, not {FORMAT}")
        self._generation = int(manifest["generation"])
        for entry in manifest["files"]:
            file = VectorFile(self._path / entry["name"], entry["width"], entry["rows"])
            self._files[Space(entry["kind"], entry["model"])] = file
        self.last_id = int(manifest["last_id"])

    def _manifest(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "last_id": self.last_id,
            "generation": self._generation,
            "files": [
                {
                    "name": file.stem.name,
                    "kind": space.kind,
                    "model": space.model,
                    "width": file.width,
                    "rows": len(file),
                }
                for space, file in sorted(self._files.items())
            ],
        }

    def _replace(self, space: Space, file: VectorFile, width: int) -> VectorFile:
        """Copy a file; the old one stays on the disk until the manifest no longer lists it."""
        new = self._files[space] = file.compacted(self._new_stem(space), width)
        file.close()
        return new

    def _new_stem(self, space: Space) -> Path:
        self._generation += 1
        digest = hashlib.blake2b(space.model.encode(), digest_size=6).hexdigest()
        return self._path / f"{space.kind}-{digest}-{self._generation}"

    def _delete_unlisted(self) -> None:
        kept = {MANIFEST, *(path.name for file in self for path in file.paths)}
        for path in self._path.iterdir():
            if path.name not in kept:
                path.unlink()
