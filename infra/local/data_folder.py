"""The folder in which the local run keeps everything."""

import errno
import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import platformdirs

from shared.domain.images import UPLOADS_PREFIX
from shared.embedded.disk import sync_folder
from shared.embedded.objects import INCOMPLETE

DATABASE_FILE: Final = "pictrace.sqlite3"
INCOMPLETE_DATABASE: Final = f"{DATABASE_FILE}.incomplete"
"""The database of a backup that has not ended."""
LOCK_FILE: Final = "lock"
OBJECTS_FOLDER: Final = "objects"
VECTORS_FOLDER: Final = "vectors"
_NO_LOCKS_ON_FOLDERS: Final = {errno.EBADF, errno.EINVAL, errno.EISDIR, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP}
"""What `flock` fails with where only files can be locked."""
THROW_AWAY: Final = "none"
"""The name by which a run asks for a folder that is removed at its end."""


class FolderUnusable(Exception):  # noqa: N818 - told to a person, not a fault
    """The folder cannot be used; the message says why and what to do, in English sentences."""


@dataclass(frozen=True, slots=True)
class DataFolder:
    """A folder that this process alone uses.

    Attributes:
        is_new: whether nothing was stored in it before.
        throw_away: whether it is removed at the end.
    """

    path: Path
    is_new: bool
    throw_away: bool = False

    @property
    def database(self) -> Path:
        return self.path / DATABASE_FILE

    @property
    def objects(self) -> Path:
        return self.path / OBJECTS_FOLDER

    @property
    def vectors(self) -> Path:
        return self.path / VECTORS_FOLDER

    @property
    def is_private(self) -> bool:
        """Whether the owner alone may look into it."""
        return not self.path.stat().st_mode & 0o077


def default_path() -> Path:
    """Return the folder that a run uses if it names none: `pictrace` in the user's data directory."""
    return platformdirs.user_data_path("pictrace", appauthor=False)


@contextmanager
def data_folder(name: str | None) -> Iterator[DataFolder]:
    """Yield the folder, created if missing, and keep other processes out meanwhile.

    Args:
        name: a path, `THROW_AWAY` for a temporary folder, or None for the default.

    Raises:
        FolderUnusable: another process uses it, it holds something else, lacks a part or cannot be written to, or it
            is not the default and would lie in a folder that does not exist.
    """
    if name == THROW_AWAY:
        with tempfile.TemporaryDirectory(prefix="pictrace-", ignore_cleanup_errors=True) as folder:
            yield DataFolder(Path(folder), is_new=True, throw_away=True)
        return
    path = Path(name).expanduser().absolute() if name else default_path()
    try:
        _create(path, with_parents=not name)
        is_new = _is_new(path)
    except OSError as error:
        raise _unusable(path, error) from error
    with ExitStack() as locks:
        try:
            _lock(path, locks)
            if is_new:
                make_private(path)
                # before the database, which without it counts as incomplete
                (path / OBJECTS_FOLDER).mkdir(exist_ok=True)
                sync_folder(path)
        except OSError as error:
            raise _unusable(path, error) from error
        yield DataFolder(path, is_new)


def _unusable(path: Path, error: OSError) -> FolderUnusable:
    return FolderUnusable(f"The data folder {path} cannot be used: {error.strerror}. Choose another: DATA=folder")


def existing_folder(name: str | None) -> DataFolder:
    """Return a folder that exists, without keeping other processes out.

    Raises:
        FolderUnusable: nothing is stored in it.
    """
    path = Path(name).expanduser().absolute() if name else default_path()
    if not (path / DATABASE_FILE).is_file():
        raise FolderUnusable(f"{path} is not a data folder of PicTrace. Name one: --data folder")
    return DataFolder(path, is_new=False)


def _create(path: Path, *, with_parents: bool) -> None:
    try:
        path.mkdir(mode=0o700, parents=with_parents, exist_ok=True)
    except FileNotFoundError:
        raise FolderUnusable(
            f"{path} is not created, because {path.parent} does not exist. Is its disk attached? For a new folder "
            f"there, create {path.parent} first."
        ) from None


def make_private(path: Path) -> None:
    """Let the owner alone look into a folder that was empty; one of another owner stays as it is."""
    with suppress(PermissionError):
        path.chmod(0o700)


def _is_new(path: Path) -> bool:
    names = {entry.name for entry in path.iterdir()}
    has_objects = (path / OBJECTS_FOLDER).is_dir()
    if DATABASE_FILE in names:
        if not has_objects:
            raise FolderUnusable(
                f"{path} has a database, and no folder {OBJECTS_FOLDER}, in which its images are. If they are on "
                f"another disk, attach it; if only a part was copied or restored, copy {OBJECTS_FOLDER} too. To use it "
                f"without any images, create {path / OBJECTS_FOLDER}."
            )
        return False
    if INCOMPLETE_DATABASE in names:
        raise FolderUnusable(f"{path} is a backup that was interrupted. Delete it, and back up again.")
    if has_objects and (path / OBJECTS_FOLDER / UPLOADS_PREFIX).is_dir():
        raise FolderUnusable(
            f"{path} has images, and no database {DATABASE_FILE}. If only a part was copied or restored, copy the "
            "database too, from the same copy. If it is lost, index the images again: "
            f"DATA={path}-new PICTURES={path / OBJECTS_FOLDER / UPLOADS_PREFIX}"
        )
    if names - {LOCK_FILE, OBJECTS_FOLDER} or (has_objects and _holds_more(path / OBJECTS_FOLDER)):
        raise FolderUnusable(
            f"{path} holds files that are not PicTrace's. Choose a new or an empty folder to keep the data in: "
            f"DATA={path / 'pictrace'}"
        )
    return True


def _holds_more(objects: Path) -> bool:
    return any(entry.name != INCOMPLETE for entry in objects.iterdir())


def _lock(path: Path, locks: ExitStack) -> None:
    """Lock a folder until `locks` is closed or the process ends, however it ends.

    The folder itself is locked, since the file can be deleted; and the file, which names the process, and is all that
    earlier versions lock.
    """
    file = locks.enter_context((path / LOCK_FILE).open("a+b", buffering=0))
    folder = os.open(path, os.O_RDONLY)
    locks.callback(os.close, folder)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _lock_folder(folder)
    except BlockingIOError:
        file.seek(0)
        holder = file.read().decode(errors="replace").strip()
        raise FolderUnusable(
            f"Another PicTrace{f' (process {holder})' if holder else ''} uses the data folder {path}. "
            "Stop it, or choose another folder: DATA=folder"
        ) from None
    file.truncate(0)
    file.write(str(os.getpid()).encode())


def _lock_folder(descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError as error:
        if error.errno not in _NO_LOCKS_ON_FOLDERS:
            raise
