"""Settings of the functions: read from the environment once and validated."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from shared.domain.access import Access


class SettingsError(ValueError):
    """An environment variable is missing or invalid; the message names it."""


def _required(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "").strip()
    if not value:
        raise SettingsError(f"the environment variable {name} is not set")
    return value


def _access(environ: Mapping[str, str]) -> Access:
    """Return the access mode, which has no default so that the API is never open by accident."""
    value = _required(environ, "PICTRACE_ACCESS")
    try:
        return Access(value)
    except ValueError:
        raise SettingsError(f"the environment variable PICTRACE_ACCESS must be one of {', '.join(Access)}") from None


def _source_buckets(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of other buckets whose images are indexed."""
    return tuple(name for name in environ.get("PICTRACE_SOURCE_BUCKETS", "").split(",") if name)


def _trash_days(environ: Mapping[str, str]) -> int:
    """Return how many days a deleted image stays in the trash; 0 means that a deletion is final at once."""
    value = _required(environ, "PICTRACE_TRASH_DAYS")
    if not (value.isascii() and value.isdigit()):
        raise SettingsError("the environment variable PICTRACE_TRASH_DAYS must be a whole number of days")
    return int(value)


def _show_location(environ: Mapping[str, str]) -> bool:
    """Return whether callers without the scope `admin` may know where images were taken."""
    value = environ.get("PICTRACE_SHOW_LOCATION_TO", "admin")
    if value not in ("admin", "everyone"):
        raise SettingsError("the environment variable PICTRACE_SHOW_LOCATION_TO must be admin or everyone")
    return value == "everyone"


def _pdq(environ: Mapping[str, str]) -> bool:
    """Return whether the PDQ hash of each image is stored."""
    value = environ.get("PICTRACE_PDQ", "off")
    if value not in ("off", "on"):
        raise SettingsError("the environment variable PICTRACE_PDQ must be off or on")
    return value == "on"


def _model_dirs(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the folder of the model, followed by that of the next model if one is set."""
    following = environ.get("PICTRACE_NEXT_MODEL_DIR", "").strip()
    return (Path(_required(environ, "PICTRACE_MODEL_DIR")), *([Path(following)] if following else []))


def _faces_dir(environ: Mapping[str, str]) -> Path | None:
    """Return the folder of the networks for faces, or None if the deployment has none."""
    folder = environ.get("PICTRACE_FACES_DIR", "").strip()
    return Path(folder) if folder else None


@dataclass(frozen=True, slots=True)
class IngestSettings:
    """Settings of the ingest function.

    Attributes:
        queue, dead_letters, people_queue: URLs of queues.
        source_buckets: other buckets whose images are indexed.
    """

    bucket: str
    table: str
    model_dirs: tuple[Path, ...]
    faces_dir: Path | None
    bus: str
    queue: str
    dead_letters: str
    people_queue: str
    fetch_function: str
    source_buckets: tuple[str, ...]
    trash_days: int
    pdq: bool

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        return cls(
            bucket=_required(environ, "PICTRACE_BUCKET"),
            table=_required(environ, "PICTRACE_TABLE"),
            model_dirs=_model_dirs(environ),
            faces_dir=_faces_dir(environ),
            bus=_required(environ, "PICTRACE_BUS"),
            queue=_required(environ, "PICTRACE_QUEUE"),
            dead_letters=_required(environ, "PICTRACE_DEAD_LETTERS"),
            people_queue=_required(environ, "PICTRACE_PEOPLE_QUEUE"),
            fetch_function=_required(environ, "PICTRACE_FETCH_FUNCTION"),
            source_buckets=_source_buckets(environ),
            trash_days=_trash_days(environ),
            pdq=_pdq(environ),
        )


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """Settings of the api function."""

    bucket: str
    table: str
    model_dirs: tuple[Path, ...]
    faces_dir: Path | None
    access: Access
    queue: str
    people_queue: str
    fetch_function: str
    source_buckets: tuple[str, ...]
    trash_days: int
    show_location: bool

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        return cls(
            bucket=_required(environ, "PICTRACE_BUCKET"),
            table=_required(environ, "PICTRACE_TABLE"),
            model_dirs=_model_dirs(environ),
            faces_dir=_faces_dir(environ),
            access=_access(environ),
            queue=_required(environ, "PICTRACE_QUEUE"),
            people_queue=_required(environ, "PICTRACE_PEOPLE_QUEUE"),
            fetch_function=_required(environ, "PICTRACE_FETCH_FUNCTION"),
            source_buckets=_source_buckets(environ),
            trash_days=_trash_days(environ),
            show_location=_show_location(environ),
        )


@dataclass(frozen=True, slots=True)
class FetchSettings:
    """Settings of the fetch function."""

    bucket: str

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        return cls(bucket=_required(environ, "PICTRACE_BUCKET"))
