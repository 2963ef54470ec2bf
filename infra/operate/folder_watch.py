"""Follow folders: say which files came or changed, and which are gone."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from watchfiles import Change, watch

from infra.operate.local_files import files_below

SETTLED_SECONDS: Final = 1.0
"""A file whose size and time have not changed for so long is complete."""
GONE_SECONDS: Final = 2.0
"""A file is gone after so long, and not while others are incomplete: it may have moved, and its image is kept then."""
LOOK_MILLISECONDS: Final = 500


@dataclass(frozen=True, slots=True)
class FolderChange:
    """Files that came or changed and are complete, and files and folders that are gone."""

    came: Sequence[Path]
    gone: Sequence[Path]


@dataclass(frozen=True, slots=True)
class _Seen:
    stamp: tuple[int, int]
    at: float


class FolderWatch:
    """Follows folders with all that is in them, from `start` on; what is hidden is left out."""

    def __init__(self, folders: Sequence[Path], clock: Callable[[], float] = time.monotonic) -> None:
        self._folders = folders
        self._clock = clock
        self._incomplete: dict[Path, _Seen] = {}
        self._gone: dict[Path, float] = {}

        self._events = watch(
            *folders,
            watch_filter=self._is_visible,
            step=LOOK_MILLISECONDS // 10,
            debounce=LOOK_MILLISECONDS,
            rust_timeout=LOOK_MILLISECONDS,
            yield_on_timeout=True,
            raise_interrupt=True,
        )

    def start(self) -> None:
        """Begin to note changes, so that none is missed between listing the folders and following them."""
        self.collect([Path(name) for _, name in next(self._events)])

    def changes(self) -> Iterator[FolderChange]:
        """Yield changes as they happen, until the user presses Ctrl-C, which raises KeyboardInterrupt."""
        for events in self._events:
            found = self.collect([Path(name) for _, name in events])
            if found.came or found.gone:
                yield found

    def collect(self, touched: Sequence[Path]) -> FolderChange:
        """Return what is known after these paths were touched."""
        now = self._clock()
        for path in touched:
            if path.exists():
                self._gone.pop(path, None)
                for file in self._files_at(path):
                    self._incomplete.setdefault(file, _Seen((-1, -1), now))
            else:
                self._incomplete.pop(path, None)
                self._gone[path] = now
        came = [path for path, seen in list(self._incomplete.items()) if self._is_complete(path, seen, now)]
        for path in came:
            del self._incomplete[path]
        gone = [path for path, at in sorted(self._gone.items()) if not self._incomplete and now - at >= GONE_SECONDS]
        for path in gone:
            del self._gone[path]
        return FolderChange(came, gone)

    def _files_at(self, path: Path) -> Iterable[Path]:
        """Return the files of a path that was touched: a folder that moved is one event, a link to one is left out."""
        if not path.is_dir():
            return (path,)
        return () if path.is_symlink() and path not in self._folders else files_below(path)

    def _is_complete(self, path: Path, seen: _Seen, now: float) -> bool:
        try:
            found = path.stat()
        except OSError:
            return True  # whoever reads it finds out
        stamp = (found.st_size, found.st_mtime_ns)
        if stamp != seen.stamp:
            self._incomplete[path] = _Seen(stamp, now)
            return False
        return now - seen.at >= SETTLED_SECONDS

    def _is_visible(self, _: Change, name: str) -> bool:
        path = Path(name)
        folder = next((folder for folder in self._folders if path.is_relative_to(folder)), None)
        parts = path.relative_to(folder).parts if folder else path.parts[-1:]
        return not any(part.startswith(".") for part in parts)
