"""What is waited for until it counts as written."""

import fcntl
import os
from pathlib import Path

import pytest

from shared.embedded.disk import sync, sync_folder

FULL = 51


@pytest.fixture
def flushes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The calls that flush, on a system such as macOS."""
    calls = list[str]()
    monkeypatch.setattr(fcntl, "F_FULLFSYNC", FULL, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", lambda _, command: calls.append(f"fcntl {command}"))
    monkeypatch.setattr(os, "fsync", lambda _: calls.append("fsync"))
    return calls


def test_a_drive_is_told_to_flush_where_it_must_be(flushes: list[str], tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        sync(file.fileno())
    sync_folder(tmp_path)
    assert flushes == [f"fcntl {FULL}"] * 2


def test_a_file_system_that_cannot_is_flushed_as_it_can_be(
    flushes: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsupported(*_: object) -> None:
        raise OSError(45, "Operation not supported")

    monkeypatch.setattr(fcntl, "fcntl", unsupported)
    sync_folder(tmp_path)
    assert flushes == ["fsync"]
