"""The data folder of the local run: who may use it, what is kept, and what is said when it cannot be used."""

import errno
import fcntl
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO

import httpx
import pytest

from infra.local import commands, data_folder
from infra.local.__main__ import main
from infra.local.data_folder import DATABASE_FILE, FolderUnusable
from infra.local.outages import OUTAGES
from infra.local.serving import bind
from shared.embedded.database import Database
from shared.embedded.migrations import MIGRATIONS
from shared.embedded.objects import FolderObjects
from tests.conftest import ROOT
from tests.images import noise
from tests.processes import read_until_ready, stop


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "infra.local", *map(str, arguments)]


@contextmanager
def running(model_dir: Path, data: object, *arguments: object) -> Iterator[tuple[str, httpx.Client]]:
    """What a run says, and a client of it; it is stopped with Ctrl-C at the end."""
    process = subprocess.Popen(
        command("--port", 0, "--model-dir", model_dir, "--data", data, *arguments),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    said = read_until_ready(process)
    url = re.search(r"http://localhost:\d+", said)
    assert url, said
    try:
        with httpx.Client(base_url=url[0], timeout=60) as client:
            yield said, client
    finally:
        stop(process)
    assert process.returncode == 0


def refusal(*arguments: object) -> str:
    """What a run says that cannot start: one sentence or two, never a traceback."""
    done = subprocess.run(command(*arguments), cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1, done.stderr
    assert done.stdout in ("", "starting ...\n")
    assert done.stderr.startswith("pictrace: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.png").write_bytes(noise(7_100 + number))
    return folder


def test_everything_is_there_after_a_stop_and_a_second_process_is_refused(
    model_dir: Path, tmp_path: Path, pictures: Path
) -> None:
    data = tmp_path / "data"
    with running(model_dir, data, "--pictures", pictures, "--closed") as (said, client):
        assert "3 indexed" in said
        assert f"data       {data}, where everything is kept" in said
        key = re.search(r"pt_[0-9a-f]{16}_[\w-]{43}", said)
        assert key
        client.headers["X-Api-Key"] = key[0]
        before = client.get("/v1/images").json()["images"]
        assert len(before) == 3
        refused = refusal("--port", 0, "--model-dir", model_dir, "--data", data)
        assert re.search(rf"Another PicTrace \(process \d+\) uses the data folder {re.escape(str(data))}", refused)
    with running(model_dir, data, "--pictures", pictures, "--closed") as (said, client):
        assert "3 present" in said
        assert "pt_" not in said
        client.headers["X-Api-Key"] = key[0]
        after = client.get("/v1/images").json()["images"]
        assert [image["image_id"] for image in after] == [image["image_id"] for image in before]
        found = client.post("/v1/search", files={"file": noise(7_101)}).json()["matches"][0]
        assert (found["verdict"], found["image"]["filename"]) == ("identical", "1.png")
    assert len(list((data / "objects" / "uploads").rglob("*/*/*"))) == 3


def test_a_throw_away_run_leaves_nothing(model_dir: Path, pictures: Path) -> None:
    with running(model_dir, "none", "--pictures", pictures) as (said, _):
        folder = re.search(r"data +(\S+), which is removed when you stop it", said)
        assert folder
        assert (Path(folder[1]) / DATABASE_FILE).is_file()
    assert not Path(folder[1]).exists()


def test_a_new_folder_gets_the_samples_once(model_dir: Path, tmp_path: Path) -> None:
    with running(model_dir, tmp_path / "data") as (said, client):
        assert "16 indexed" in said
        assert f"{tmp_path / 'data'} is a new data folder" in said
        for image in client.get("/v1/images").json()["images"]:
            client.delete(f"/v1/images/{image['image_id']}")
    with running(model_dir, tmp_path / "data") as (said, client):
        assert "indexed" not in said
        assert "new data folder" not in said
        assert client.get("/v1/stats").json()["images"] == 0


def test_images_of_another_model_are_described_again(
    model_dir: Path, int8_dir: Path, tmp_path: Path, pictures: Path
) -> None:
    with running(model_dir, tmp_path / "data", "--pictures", pictures):
        pass
    with running(int8_dir, tmp_path / "data") as (said, client):
        assert "NOTE: 3 images were described by another model" in said
        assert f"-m infra.local refusals --data {tmp_path / 'data'}\n" in said
        matches: list[object] = []
        while len(matches) < 3:
            matches = client.post("/v1/search", files={"file": noise(7_100)}).json()["matches"]
        assert client.get("/v1/stats").json()["images"] == 3
    with running(int8_dir, tmp_path / "data") as (said, _):
        assert "another model" not in said


def test_pdq_hashes_are_stored_once_a_run_asks_for_them(model_dir: Path, tmp_path: Path, pictures: Path) -> None:
    search = "/v1/search/hashes"
    with running(model_dir, tmp_path / "data", "--pictures", pictures) as (_, client):
        images = client.get("/v1/images").json()["images"]
        assert [image["pdq"] for image in images] == [None] * 3
        [match] = client.post(search, json={"phash": images[1]["phash"]}, params={"distance": 0}).json()["matches"]
        assert match["image_id"] == images[1]["image_id"]
        answer = client.post(search, json={"pdq": "0" * 64}).json()
        assert (answer["matches"], answer["examined"], answer["without_hash"]) == ([], 3, 3)
    with running(model_dir, tmp_path / "data", "--pdq") as (_, client):
        while client.post(search, json={"pdq": "0" * 64}).json()["without_hash"]:
            time.sleep(0.05)
        for image in client.get("/v1/images").json()["images"]:
            [match] = client.post(search, json={"pdq": image["pdq"]}, params={"distance": 0}).json()["matches"]
            assert match["image_id"] == image["image_id"]


def test_a_folder_of_a_newer_version_is_refused(model_dir: Path, tmp_path: Path) -> None:
    with running(model_dir, tmp_path / "data", "--pictures", tmp_path):
        pass
    with closing(sqlite3.connect(tmp_path / "data" / DATABASE_FILE)) as connection:
        connection.execute("PRAGMA user_version = 99")
    said = refusal("--port", 0, "--model-dir", model_dir, "--data", tmp_path / "data")
    assert "written by a newer version of PicTrace: it has format 99" in said


def test_a_folder_with_other_files_is_refused(model_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").touch()
    said = refusal("--port", 0, "--model-dir", model_dir, "--data", tmp_path)
    assert f"{tmp_path} holds files that are not PicTrace's" in said
    assert sorted(tmp_path.iterdir()) == [tmp_path / "holiday.jpg"]


def test_a_folder_on_a_disk_that_is_not_attached_is_refused(model_dir: Path, tmp_path: Path) -> None:
    data = tmp_path / "disk" / "pictrace"
    said = refusal("--port", 0, "--model-dir", model_dir, "--data", data)
    assert f"{data} is not created, because {data.parent} does not exist. Is its disk attached?" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (
            ["pictrace.sqlite3"],
            "has a database, and no folder objects, in which its images are. If they are on another",
        ),
        (["objects/uploads/c/ab/abc"], "has images, and no database pictrace.sqlite3. If only a part was copied"),
        (["objects/uploads/c/ab/abc", "pictrace.sqlite3.incomplete"], "is a backup that was interrupted. Delete it"),
        (["objects/ab/abc"], "holds files that are not PicTrace's"),
        (["pictrace.sqlite3-wal"], "holds files that are not PicTrace's"),
    ],
)
def test_a_folder_with_a_part_of_the_data_is_refused(tmp_path: Path, names: list[str], said: str) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(FolderUnusable) as told, data_folder.data_folder(str(tmp_path)):
        pass
    assert f"{tmp_path} {said}" in str(told.value)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_first_start_that_died_early_is_begun_again(tmp_path: Path) -> None:
    (tmp_path / "objects" / ".incomplete").mkdir(parents=True)
    (tmp_path / "lock").touch()
    with data_folder.data_folder(str(tmp_path)) as folder:
        assert folder.is_new
        assert folder.objects.is_dir()


def test_an_empty_folder_becomes_readable_to_its_owner_only(model_dir: Path, tmp_path: Path, pictures: Path) -> None:
    """Its database has the key that signs links, and the names of all images."""
    tmp_path.joinpath("data").mkdir(mode=0o755)
    with running(model_dir, tmp_path / "data", "--pictures", pictures) as (said, _):
        paths = [tmp_path / "data", *tmp_path.joinpath("data").rglob("*")]
        assert {path for path in paths if path.stat().st_mode & 0o077} == set()
        assert "other users" not in said
    tmp_path.joinpath("data").chmod(0o755)
    with running(model_dir, tmp_path / "data") as (said, _):
        assert f"To keep them out:\n        chmod go= {tmp_path / 'data'}" in said


def failing_start(monkeypatch: pytest.MonkeyPatch, model_dir: Path, error: Exception) -> int:
    """What `main` returns if the start of the system fails."""

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(FolderObjects, "announce_pending", fail)
    return main(["--port", "0", "--model-dir", str(model_dir), "--data", "none"])


@pytest.mark.parametrize(
    "error",
    [sqlite3.OperationalError("database or disk is full"), OSError(errno.ENOSPC, "No space left on device")],
    ids=["database", "file"],
)
def test_a_start_on_a_full_disk_is_a_sentence(
    model_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    assert failing_start(monkeypatch, model_dir, error) == 1
    said = capsys.readouterr().err
    assert said == f"pictrace: {OUTAGES.sentence} ({error})\n"


def test_a_defect_at_the_start_is_a_traceback(model_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mistake = sqlite3.OperationalError("no such table: t")
    mistake.sqlite_errorcode = sqlite3.SQLITE_ERROR
    for error in (mistake, OSError(errno.EINVAL, "Invalid argument")):
        with pytest.raises(type(error), match=str(error.args[-1])):
            failing_start(monkeypatch, model_dir, error)


def test_a_file_in_the_place_of_the_folder_is_refused(model_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    assert "cannot be used" in refusal("--port", 0, "--model-dir", model_dir, "--data", tmp_path / "data")


@pytest.mark.parametrize("module", ["infra.local", "infra.local.emulated"])
def test_a_port_in_use_is_a_sentence(model_dir: Path, module: str) -> None:
    with closing(bind(0)) as taken:
        port = taken.getsockname()[1]
        started = [sys.executable, "-m", module, "--port", str(port), "--model-dir", str(model_dir)]
        done = subprocess.run(started, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert (
        done.stderr == f"pictrace: Port {port} is in use. Choose another one: PORT=9000, or without make --port 9000\n"
    )


@pytest.mark.parametrize("port", [-1, 65_536])
def test_what_is_no_port_is_a_sentence(model_dir: Path, port: int) -> None:
    assert "choose one from 1 to 65535" in refusal("--port", port, "--model-dir", model_dir, "--data", "none")


def test_the_default_folder_is_in_the_users_data_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert data_folder.default_path().name == "pictrace"
    if sys.platform == "linux":
        assert data_folder.default_path() == tmp_path / "pictrace"


def test_keys_are_managed_while_the_system_runs(
    model_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ["--data", str(tmp_path / "data")]
    with running(model_dir, tmp_path / "data", "--pictures", tmp_path, "--closed") as (_, client):
        assert commands.main(["keys", *data, "create", "--name", "reader", "--scope", "search"]) == 0
        key = capsys.readouterr().out.strip()
        client.headers["X-Api-Key"] = key
        assert client.get("/v1/stats").status_code == 200
        assert client.post("/v1/uploads", json={"filename": "a", "content_type": "image/png"}).status_code == 403
        assert commands.main(["keys", *data, "revoke", key]) == 0
    with running(model_dir, tmp_path / "data", "--closed") as (_, client):
        assert client.get("/v1/stats", headers={"X-Api-Key": key}).status_code == 401
    assert commands.main(["keys", *data, "list"]) == 0
    assert re.search(r"revoked .* reader", capsys.readouterr().out)


def test_a_copy_that_is_made_while_it_runs_is_a_data_folder(model_dir: Path, tmp_path: Path, pictures: Path) -> None:
    with running(model_dir, tmp_path / "data", "--pictures", pictures) as (_, client):
        assert commands.main(["backup", "--data", str(tmp_path / "data"), str(tmp_path / "copy")]) == 0
        before = client.get("/v1/images").json()["images"]
        for image in before:
            client.delete(f"/v1/images/{image['image_id']}")
            client.delete(f"/v1/trash/{image['image_id']}")
    with running(model_dir, tmp_path / "copy") as (said, client):
        assert "indexed" not in said
        after = client.get("/v1/images").json()["images"]
        assert [image["image_id"] for image in after] == [image["image_id"] for image in before]
        for number in range(3):
            found = client.post("/v1/search", files={"file": noise(7_100 + number)}).json()["matches"][0]
            assert (found["verdict"], found["image"]["filename"]) == ("identical", f"{number}.png")
            content = client.get(f"/v1/images/{found['image']['image_id']}/content", follow_redirects=True)
            assert content.content == noise(7_100 + number)


def test_commands_on_a_folder_of_an_earlier_version_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """That version may be running."""
    Database(tmp_path / DATABASE_FILE, MIGRATIONS[:5]).close()
    for arguments in (["keys", "--data", str(tmp_path), "list"], ["redrive", "--data", str(tmp_path)]):
        assert commands.main(arguments) == 1
        assert "it has format 5" in capsys.readouterr().err
    Database(tmp_path / DATABASE_FILE, MIGRATIONS[:5]).close()


def test_commands_on_a_folder_without_data_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.main(["keys", "--data", str(tmp_path), "list"]) == 1
    assert f"{tmp_path} is not a data folder of PicTrace" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_messages_that_failed_for_good_are_shown_and_sent_again(
    model_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ["--data", str(tmp_path / "data")]
    with running(model_dir, tmp_path / "data", "--pictures", tmp_path):
        pass
    with closing(sqlite3.connect(tmp_path / "data" / DATABASE_FILE)) as connection:
        connection.execute("INSERT INTO dead_letters (body, reason, died_at) VALUES ('{}\x1b', 'no luck', 0)")
        connection.commit()
    assert commands.main(["redrive", *data, "--list"]) == 0
    assert capsys.readouterr().out == "1970-01-01T00:00:00+00:00  {}\\x1b\n    no luck\n"
    assert commands.main(["redrive", *data]) == 1
    assert commands.main(["redrive", *data, "--yes"]) == 0
    assert "1 message is processed again" in capsys.readouterr().out
    assert commands.main(["redrive", *data]) == 0
    assert capsys.readouterr().out == "no message has failed for good\n"


def test_a_lock_ends_with_its_process_only(tmp_path: Path) -> None:
    with data_folder.data_folder(str(tmp_path / "data")) as folder:
        assert folder.is_new
        with pytest.raises(FolderUnusable, match="Another PicTrace"), data_folder.data_folder(str(tmp_path / "data")):
            pass
    with data_folder.data_folder(str(tmp_path / "data")):
        pass


def test_a_lock_whose_file_was_deleted_keeps_others_out(tmp_path: Path) -> None:
    with data_folder.data_folder(str(tmp_path / "data")):
        (tmp_path / "data" / "lock").unlink()
        with (
            pytest.raises(FolderUnusable, match="Another PicTrace uses"),
            data_folder.data_folder(str(tmp_path / "data")),
        ):
            pass
    with data_folder.data_folder(str(tmp_path / "data")):
        pass


def test_where_folders_cannot_be_locked_the_file_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flock = fcntl.flock

    def files_only(file: int | IO[bytes], operation: int) -> None:
        if isinstance(file, int):
            raise OSError(errno.EBADF, "Bad file descriptor")
        flock(file, operation)

    monkeypatch.setattr(fcntl, "flock", files_only)
    with (
        data_folder.data_folder(str(tmp_path / "data")),
        pytest.raises(FolderUnusable, match=rf"process {os.getpid()}"),
        data_folder.data_folder(str(tmp_path / "data")),
    ):
        pass


def test_a_socket_listens_on_this_machine_only() -> None:
    with closing(bind(0)) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"
        assert listener.family is socket.AF_INET
