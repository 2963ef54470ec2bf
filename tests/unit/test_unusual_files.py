"""Folders that hold more than files: pipes, which nobody may read, and links that lead out of them."""

import asyncio
import os
from pathlib import Path

from infra.operate.folder_watch import FolderChange, FolderWatch
from infra.operate.local_files import FoundFile
from infra.operate.upload_client import UploadClient
from infra.operate.uploader import AddStatus, Uploader
from pictrace import AsyncClient
from pictrace.cli.destination import Destination


def test_a_pipe_in_a_folder_is_skipped_and_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "a.jpg"
    os.mkfifo(pipe)
    with UploadClient("http://127.0.0.1:9", None, "default") as client:
        added = Uploader(client).add(FoundFile(pipe))
    assert (added.status, added.code) == (AddStatus.SKIPPED, "unreadable")


def test_the_client_does_not_wait_for_a_pipe(tmp_path: Path) -> None:
    async def add() -> tuple[str, str | None]:
        async with AsyncClient("http://127.0.0.1:9") as api:
            added = await Destination(api, None).add(pipe, lambda *_: None)
        return added.status, added.code

    pipe = tmp_path / "a.jpg"
    os.mkfifo(pipe)
    assert asyncio.run(add()) == ("rejected", "unreadable")


def test_a_link_to_a_folder_is_not_followed_by_a_watch(tmp_path: Path) -> None:
    """A folder that is moved into the watched one is added; one that is only linked stays outside, as in `add`."""
    watched, outside = tmp_path / "watched", tmp_path / "outside"
    for folder in (watched / "moved", outside):
        folder.mkdir(parents=True)
        (folder / "a.png").write_bytes(b"x")
    (watched / "link").symlink_to(outside)
    now = [0.0]
    watch = FolderWatch([watched], lambda: now[0])
    watch.collect([watched / "moved", watched / "link"])
    now[0] += 2
    assert watch.collect([]) == FolderChange([watched / "moved" / "a.png"], [])
