"""Find the files that a command line names: files, folders with all that is in them, and patterns."""

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file.

    Attributes:
        named: whether it was named itself, and not found in a folder.
        name: the name that its image is to have, if not its own.
        image_id: the SHA-256 that its bytes must have, if that is known.
    """

    path: Path
    named: bool = False
    name: str | None = None
    image_id: str | None = None


def find_files(names: Sequence[str]) -> Iterator[FoundFile]:
    """Yield the files that `names` stand for, each once, folders in sorted order and without what is hidden.

    A name that does not exist may be a pattern (`photos/**/*.jpg`) that the shell has not expanded. Links to folders
    are not followed.

    Raises:
        LookupError: a name stands for nothing.
    """
    seen: set[Path] = set()
    for name in names:
        for found in _expand(str(Path(name).expanduser())):
            if found.path not in seen:
                seen.add(found.path)
                yield found


def _expand(name: str) -> Iterator[FoundFile]:
    path = Path(name)
    if path.is_dir():
        yield from map(FoundFile, files_below(path))
    elif path.exists():
        yield FoundFile(path, named=True)
    else:
        matches = sorted(glob.glob(name, recursive=True)) if glob.has_magic(name) else []  # noqa: PTH207 - pathlib's differ
        if not matches:
            raise LookupError(f"{name} does not exist. Name files, folders, or a pattern in quotes.")
        for match in map(Path, matches):
            if match.is_dir():
                yield from map(FoundFile, files_below(match))
            else:
                yield FoundFile(match, named=True)


def files_below(folder: Path) -> Iterator[Path]:
    """Yield all files below a folder, sorted, except those that are hidden or in a hidden folder."""
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(parent, name) for name in sorted(names) if not name.startswith("."))
