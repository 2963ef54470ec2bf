"""What a function is told by its environment: read once, frozen, wrong values refused by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from shared.domain.access import Access


class SettingsError(ValueError):
    """A variable is missing or wrong; the message names it."""


def _required(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "").strip()
    if not value:
        raise SettingsError(f"the environment variable {name} is not set")
    return value


def _access(environ: Mapping[str, str]) -> Access:
    """Never open where nothing is said."""
    value = _required(environ, "PICTRACE_ACCESS")
    try:
        return Access(value)
    except ValueError:
        raise SettingsError(f"the environment variable PICTRACE_ACCESS must be one of {', '.join(Access)}") from None


def _source_buckets(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The buckets of others whose images are taken in."""
    return tuple(name for name in environ.get("PICTRACE_SOURCE_BUCKETS", "").split(",") if name)


def _model_dirs(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """The folder of the model, and that of the next one while there are two."""
    following = environ.get("PICTRACE_NEXT_MODEL_DIR", "").strip()
    return (Path(_required(environ, "PICTRACE_MODEL_DIR")), *([Path(following)] if following else []))


@dataclass(frozen=True, slots=True)
class IngestSettings:
    """Settings of the ingest function.

    `queue` and `dead_letters` are URLs of queues, `source_buckets` are those of others whose images it takes in.
    """

    bucket: str
    table: str
    model_dirs: tuple[Path, ...]
    bus: str
    queue: str
    dead_letters: str
    fetch_function: str
    source_buckets: tuple[str, ...]

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        return cls(
            bucket=_required(environ, "PICTRACE_BUCKET"),
            table=_required(environ, "PICTRACE_TABLE"),
            model_dirs=_model_dirs(environ),
            bus=_required(environ, "PICTRACE_BUS"),
            queue=_required(environ, "PICTRACE_QUEUE"),
            dead_letters=_required(environ, "PICTRACE_DEAD_LETTERS"),
            fetch_function=_required(environ, "PICTRACE_FETCH_FUNCTION"),
            source_buckets=_source_buckets(environ),
        )


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """Settings of the api function."""

    bucket: str
    table: str
    model_dirs: tuple[Path, ...]
    access: Access
    fetch_function: str
    source_buckets: tuple[str, ...]

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        return cls(
            bucket=_required(environ, "PICTRACE_BUCKET"),
            table=_required(environ, "PICTRACE_TABLE"),
            model_dirs=_model_dirs(environ),
            access=_access(environ),
            fetch_function=_required(environ, "PICTRACE_FETCH_FUNCTION"),
            source_buckets=_source_buckets(environ),
        )


@dataclass(frozen=True, slots=True)
class FetchSettings:
    """Settings of the fetch function."""

    bucket: str

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        return cls(bucket=_required(environ, "PICTRACE_BUCKET"))
