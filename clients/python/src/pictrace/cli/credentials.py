"""The address and key that `pictrace login` stores, and which ones a command uses."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import click

from pictrace.client import KEY_VARIABLE, LOCAL_URL, URL_VARIABLE

MODE: Final = 0o600


@dataclass(frozen=True, slots=True)
class Credentials:
    """Where the API is, and the key for it; None if it is open."""

    url: str
    key: str | None = None


def path() -> Path:
    return Path(click.get_app_dir("pictrace")) / "credentials.json"


def store(credentials: Credentials) -> None:
    """Write a file that only its owner can read."""
    path().parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path().with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE), "w", encoding="utf-8") as file:
        json.dump(asdict(credentials), file)
    temporary.replace(path())


def stored() -> Credentials | None:
    """Return what is stored.

    Raises:
        click.ClickException: the file cannot be read.
    """
    try:
        return Credentials(**json.loads(path().read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise click.ClickException(f"{path()} cannot be read ({error}). Run `pictrace login` again.") from error


def chosen(url: str | None) -> Credentials:
    """Return what a command uses: its option, else the environment, else what is stored, else a local run.

    A stored key is sent to the address that it is stored with, and to no other.
    """
    known = stored()
    url = url or os.environ.get(URL_VARIABLE) or (known.url if known else LOCAL_URL)
    key = known.key if known and known.url.rstrip("/") == url.rstrip("/") else None
    return Credentials(url, os.environ.get(KEY_VARIABLE) or key)
