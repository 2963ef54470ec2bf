"""What a function is told by its environment: read once, frozen, wrong values refused by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self


class SettingsError(ValueError):
    """A variable is missing or wrong; the message names it."""


def _required(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "").strip()
    if not value:
        raise SettingsError(f"the environment variable {name} is not set")
    return value


@dataclass(frozen=True, slots=True)
class IngestSettings:
    """Settings of the ingest function."""

    bucket: str
    table: str
    model_dir: Path

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        return cls(
            bucket=_required(environ, "PICTRACE_BUCKET"),
            table=_required(environ, "PICTRACE_TABLE"),
            model_dir=Path(_required(environ, "PICTRACE_MODEL_DIR")),
        )


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """Settings of the api function."""

    bucket: str
    table: str
    model_dir: Path
    fetch_function: str

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        return cls(
            bucket=_required(environ, "PICTRACE_BUCKET"),
            table=_required(environ, "PICTRACE_TABLE"),
            model_dir=Path(_required(environ, "PICTRACE_MODEL_DIR")),
            fetch_function=_required(environ, "PICTRACE_FETCH_FUNCTION"),
        )


@dataclass(frozen=True, slots=True)
class FetchSettings:
    """Settings of the fetch function."""

    bucket: str

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        return cls(bucket=_required(environ, "PICTRACE_BUCKET"))
