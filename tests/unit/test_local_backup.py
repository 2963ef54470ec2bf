"""Copies of a data folder, and what `check` says of one."""

import itertools
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.local import backup as backup_module
from infra.local import commands
from infra.local.data_folder import DATABASE_FILE, DataFolder
from shared.domain.images import ObjectRef, preview_key, signature_key, thumbnail_key, upload_key
from shared.domain.ledger import ImageKey, ObjectState, ObjectStatus
from shared.embedded.catalogue import EmbeddedCatalogue
from shared.embedded.database import Database
from shared.embedded.ledger import EmbeddedLedger
from shared.embedded.links import Links
from shared.embedded.migrations import open_database
from shared.embedded.objects import BUCKET, FolderObjects
from shared.embedded.queue import Queue
from shared.embedded.trash import EmbeddedTrash
from tests.contract.stores.conftest import make_image

NOW = "2026-11-30T12:00:00.000000+00:00"


@dataclass(frozen=True)
class Library:
    """A data folder in use, with two images, one of them in the trash."""

    folder: DataFolder
    database: Database
    objects: FolderObjects
    uploads: list[str]
    images: list[ImageKey]

    def add(self, number: int) -> None:
        image = make_image("c", model="m")
        key, upload = ImageKey("c", image.record.image_id), upload_key("c", f"{number:032x}")
        self.objects.write(upload, b"image", "image/png")
        self.objects.write(signature_key("m", key.image_id), b"signature", "application/octet-stream")
        self.objects.write(thumbnail_key("c", key.image_id), b"thumbnail", "image/webp")
        source = ObjectRef(BUCKET, upload)
        no_search: Any = None
        EmbeddedCatalogue(self.database, no_search).add(image, source)
        EmbeddedLedger(self.database).change(None, ObjectState(source, ObjectStatus.HELD, key))
        self.uploads.append(upload)
        self.images.append(key)

    def run(self, *arguments: object) -> int:
        command, *rest = map(str, arguments)
        return commands.main([command, "--data", str(self.folder.path), *rest])


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    path = tmp_path / "data"
    path.mkdir()
    database = open_database(path / DATABASE_FILE)
    objects = FolderObjects(path / "objects", database, Queue(database), Links(database, lambda: "http://x"))
    made = Library(DataFolder(path, is_new=False), database, objects, [], [])
    made.add(0)
    made.add(1)
    EmbeddedTrash(database).put(made.images[1], NOW)
    objects.write(preview_key("c", made.images[0].image_id), b"preview", "image/webp")
    yield made
    database.close()


def tree(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_copy_has_the_database_in_one_state_and_links_the_files(
    library: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert library.run("backup", tmp_path / "copy") == 0
    assert "the database, 7 files linked and 0 copied" in capsys.readouterr().out
    assert tree(tmp_path / "copy" / "objects") == tree(library.folder.objects)
    assert commands.main(["check", "--data", str(tmp_path / "copy")]) == 0
    assert "the database is intact, and its 7 files are there" in capsys.readouterr().out


def test_a_copy_is_readable_to_its_owner_only(library: Library, tmp_path: Path) -> None:
    for name in ("new", "empty"):
        copy = tmp_path / name
        if name == "empty":
            copy.mkdir(mode=0o755)
        assert library.run("backup", copy) == 0
        assert copy.stat().st_mode & 0o777 == 0o700


def test_a_copy_on_another_disk_has_files_of_its_own(
    library: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def other_disk(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(Path, "hardlink_to", other_disk)
    assert library.run("backup", tmp_path / "copy") == 0
    assert "0 files linked and 7 copied" in capsys.readouterr().out
    assert all(path.stat().st_nlink == 1 for path in (tmp_path / "copy" / "objects").rglob("*") if path.is_file())


def test_copies_that_are_made_while_it_writes_are_intact(library: Library, tmp_path: Path) -> None:
    """Nine of 25 that `cp` made were not."""
    stopped, written = threading.Event(), threading.Semaphore(0)

    def write() -> None:
        for number in itertools.count(2):
            if stopped.is_set():
                return
            library.add(number)
            written.release()

    with ThreadPoolExecutor(1) as pool:
        writer = pool.submit(write)
        try:
            for number in range(5):
                assert written.acquire(timeout=60), "nothing is written"
                assert library.run("backup", tmp_path / str(number)) == 0
        finally:
            stopped.set()
        writer.result()
    for number in range(5):
        with closing(sqlite3.connect(tmp_path / str(number) / DATABASE_FILE)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert commands.main(["check", "--data", str(tmp_path / str(number))]) == 0


def test_what_was_deleted_for_good_meanwhile_is_said_and_what_is_lost_too(
    library: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_files = backup_module._copy_files

    def purge_first(*arguments: Any) -> Any:
        purged = library.images[1]
        with library.database.transaction() as connection:
            connection.execute("DELETE FROM trashed_images")
            connection.execute("UPDATE objects SET status = 'removed' WHERE key = ?", (library.uploads[1],))
        library.objects.delete(signature_key("m", purged.image_id))
        library.objects.delete(library.uploads[1])
        return copy_files(*arguments)

    monkeypatch.setattr(backup_module, "_copy_files", purge_first)
    assert library.run("backup", tmp_path / "copy") == 0
    assert "2 files are not in it: their images were deleted for good" in capsys.readouterr().out
    library.objects.path(library.uploads[0]).unlink()
    assert library.run("backup", tmp_path / "second") == 1
    said = capsys.readouterr().err
    assert "1 files are not in it because the data folder lacks them:\n  uploads/c/000" in said


def test_a_long_list_says_how_much_longer_it_is(
    library: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(2, 22):
        library.add(number)
    for key in library.uploads:
        library.objects.path(key).unlink()
    assert library.run("backup", tmp_path / "copy") == 1
    assert "22 files are not in it" in (said := capsys.readouterr().err)
    assert (said.count("  uploads/"), said.count("  ... and 2 more\n")) == (20, 1)
    assert library.run("check") == 1
    assert "22 files are missing" in (said := capsys.readouterr().out)
    assert (said.count("  uploads/"), said.count("  ... and 2 more\n")) == (20, 1)


def test_a_copy_goes_into_an_empty_folder_outside(
    library: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "holiday.jpg").touch()
    for target, said in (
        (tmp_path / "full", "is not empty"),
        (library.folder.path / "copy", "is in the data folder itself"),
        (tmp_path / "disk" / "copy", "does not exist. Is its disk attached?"),
        (tmp_path / "full" / "holiday.jpg", "cannot be written to: File exists"),
    ):
        assert library.run("backup", target) == 1
        assert said in capsys.readouterr().err
    assert not (library.folder.path / "copy").exists()


def test_a_copy_that_fails_is_no_data_folder(
    library: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup_module, "_copy_files", full)
    assert library.run("backup", tmp_path / "copy") == 1
    said = capsys.readouterr().err
    assert "The backup failed: [Errno 28] No space left on device" in said
    assert f"{tmp_path / 'copy'} is incomplete; delete it." in said
    assert not (tmp_path / "copy" / DATABASE_FILE).exists()


def test_files_without_rows_and_rows_without_files_are_found(
    library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    stray, young = (library.objects.path(upload_key("c", letter * 32)) for letter in "ab")
    for path in (stray, young):
        path.parent.mkdir()
        path.touch()
    os.utime(stray, (time.time() - 7200,) * 2)
    assert library.run("check") == 1
    said = capsys.readouterr().out
    assert f"1 files are there that the database does not name:\n  {stray}\n" in said
    assert "missing" not in said
    stray.unlink()
    assert library.run("check") == 0
    lost = thumbnail_key("c", library.images[1].image_id)
    library.objects.path(lost).unlink()
    assert library.run("check") == 1
    assert f"1 files are missing that the database names:\n  {lost}\n" in capsys.readouterr().out


def test_a_damaged_database_is_found(library: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert library.run("backup", tmp_path / "copy") == 0
    database = tmp_path / "copy" / DATABASE_FILE
    with closing(sqlite3.connect(database)) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'objects'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    data = bytearray(database.read_bytes())
    data[(root - 1) * size : root * size] = b"\xff" * size
    database.write_bytes(data)
    assert commands.main(["check", "--data", str(tmp_path / "copy")]) == 1
    assert "the database is damaged:" in capsys.readouterr().out
