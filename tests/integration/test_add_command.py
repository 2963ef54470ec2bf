"""`python -m infra.operate add`: files from this machine, into a running system."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import boto3
import httpx
import pytest

from infra.local.cloud import STACK
from infra.operate import connection, upload_client
from infra.operate.__main__ import main
from infra.operate.deployed_stack import DeployedStack
from infra.operate.flow import Queue
from infra.operate.folder_watch import FolderChange, FolderWatch
from infra.operate.local_files import FoundFile, find_files
from infra.operate.upload_client import ServerFailed, UploadClient
from infra.operate.uploader import AddStatus, Uploader
from shared.domain.access import Scope
from tests.conftest import ROOT, ClosedApi, PicTrace
from tests.images import noise
from tests.integration.conftest import until


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with four images, two of them the same, and files that are none."""
    photos = tmp_path / "photos"
    (photos / "deep" / "er").mkdir(parents=True)
    (photos / ".cache").mkdir()
    (photos / "a.png").write_bytes(noise(8401))
    (photos / "deep" / "b.png").write_bytes(noise(8402))
    (photos / "deep" / "er" / "ç d.png").write_bytes(noise(8403))
    (photos / "deep" / "same.png").write_bytes(noise(8401))
    (photos / ".cache" / "thumb.png").write_bytes(noise(8404))
    (photos / "notes.txt").write_text("no image")
    return photos


def names(running: PicTrace, collection: str) -> set[str]:
    page = running.client.get("/v1/images", params={"collection": collection, "limit": 100}).json()
    return {image["filename"] for image in page["images"]}


def run(running: PicTrace, collection: str, *arguments: object) -> int:
    return main(["add", *map(str, arguments), "--url", running.url, "--collection", collection])


def test_a_folder_is_added_once(
    running: PicTrace, collection: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.json"
    assert run(running, collection, folder, "--json", report) == 0, "a folder may hold files that are no images"
    said = capsys.readouterr().out
    assert said.startswith("3 indexed, 1 present, 1 skipped in ")
    assert "notes.txt: skipped: The file is not an image in a supported format" in said
    assert len(names(running, collection)) == 3
    (folder / "new.png").write_bytes(noise(8405))
    assert run(running, collection, folder, "--json", report) == 0
    assert capsys.readouterr().out.startswith("1 indexed, 4 present, 1 skipped in ")
    found = json.loads(report.read_text())
    assert found["counts"]["indexed"] == 1
    [entry] = found["not_added"]
    assert (Path(entry["path"]).name, entry["status"], entry["code"]) == ("notes.txt", "skipped", "unsupported_type")
    assert (found["url"], found["collection"]) == (running.url, collection)


def test_where_files_go_is_said_before_the_first_is_sent(
    running: PicTrace,
    collection: str,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[str] = []

    def refuse(*_: object) -> None:
        said.append(capsys.readouterr().err)
        raise ServerFailed("out of order", lasting=True)

    monkeypatch.setattr(UploadClient, "send", refuse)
    assert run(running, collection, folder, "--parallel", 1) == connection.EXIT_STOPPED
    capsys.readouterr()
    stack = DeployedStack("PicTrace-prod", dict(running.cloud.outputs) | {"ApiUrl": running.url})
    monkeypatch.setattr(DeployedStack, "find", lambda _: stack)
    assert main(["add", str(folder), "--parallel", "1"]) == connection.EXIT_STOPPED
    assert said == [
        f"adding to the collection {collection} of {running.url}\n",
        f"adding to the collection default of the stack PicTrace-prod, {running.url}\n",
    ]


def test_refused_files_are_named_and_counted_in_the_exit_status(
    running: PicTrace, collection: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "broken.png").write_bytes(noise(8406)[:300])
    report = tmp_path / "report.json"
    assert run(running, collection, folder, "--json", report) == connection.EXIT_REFUSED
    assert "broken.png: rejected: A PNG chunk claims" in capsys.readouterr().out
    codes = {Path(entry["path"]).name: entry["code"] for entry in json.loads(report.read_text())["not_added"]}
    assert codes == {"broken.png": "corrupt", "notes.txt": "unsupported_type"}
    assert run(running, collection, folder / "notes.txt") == connection.EXIT_REFUSED, "it was named itself"


def test_files_folders_and_patterns_are_found_once(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path)

    def found(*given: object) -> list[tuple[str, bool]]:
        return [(str(file.path.relative_to(folder)), file.named) for file in find_files([*map(str, given)])]

    everything = [("a.png", False), ("notes.txt", False), ("deep/b.png", False), ("deep/same.png", False)]
    assert found(folder) == [*everything, ("deep/er/ç d.png", False)]
    assert found(folder / "a.png", folder)[0] == ("a.png", True)
    assert len(found(folder / "a.png", folder)) == 5
    assert found(f"{folder}/**/b*.png") == [("deep/b.png", True)]
    with pytest.raises(LookupError, match="does not exist"):
        found(folder / "absent.png")
    with pytest.raises(LookupError, match="does not exist"):
        found(f"{folder}/*.gif")


def test_a_name_that_does_not_exist_and_options_that_need_others_are_explained(
    running: PicTrace, collection: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(running, collection, folder / "absent") == 1
    assert "absent does not exist" in capsys.readouterr().err
    assert run(running, collection, folder, "--delete") == 1
    assert "--delete needs --watch" in capsys.readouterr().err
    assert run(running, collection, folder, "--json", folder) == 1
    assert "the report cannot be written" in capsys.readouterr().err
    assert run(running, collection, folder / "a.png", "--watch") == 1
    assert "--watch needs a folder" in capsys.readouterr().err


def test_a_closed_api_takes_a_key(
    closed: ClosedApi,
    collection: str,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arguments = ["add", str(folder), "--url", closed.url, "--collection", collection]
    monkeypatch.delenv("PICTRACE_KEY", raising=False)
    assert main(arguments) == connection.EXIT_STOPPED
    said = capsys.readouterr().err
    assert "/v1/stats answered 401: Send a valid key" in said
    assert said.endswith("Name a key that may do this: --key, or PICTRACE_KEY.\n")
    key = closed.key(Scope.SEARCH, Scope.WRITE, collections=[collection])
    assert main([*arguments, "--key", key]) == 0
    assert capsys.readouterr().out.startswith("3 indexed, ")


def test_a_stack_gets_a_temporary_key_of_one_collection(running: PicTrace, closed: ClosedApi, collection: str) -> None:
    stack = DeployedStack("any", running.cloud.outputs)
    with connection.api_key(None, stack, collection, "add") as key:
        assert key
        with UploadClient(closed.url, key, collection) as client:
            assert client.count() == 0
        with UploadClient(closed.url, key, "other") as client, pytest.raises(ServerFailed, match="answered 403"):
            client.count()
    assert key.split("_")[1] not in {stored.key_id for stored in closed.keys.list_all()}


def test_a_stack_without_an_api_is_explained(
    running: PicTrace, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--stack", STACK, "add", str(folder)]) == 1
    assert "Give the address with --url." in capsys.readouterr().err


def test_a_busy_server_is_asked_again_when_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [
        httpx.Response(429, headers={"Retry-After": "7"}),
        httpx.Response(503),
        httpx.Response(200, json={"images": 3}),
    ]
    waited: list[float] = []
    with UploadClient("http://pictrace", None, "c") as client:
        client._api = httpx.Client(base_url="http://pictrace", transport=httpx.MockTransport(lambda _: answers.pop(0)))
        monkeypatch.setattr(client, "pause", waited.append)
        assert client.count() == 3
    asked = [seconds for seconds in waited if seconds]
    assert 7 <= asked[0] <= 10
    assert asked[1] < 2


def test_a_server_that_fails_on_one_file_does_not_end_the_command(tmp_path: Path) -> None:
    failing = [True, False, True, True, True, True, True]
    for number in range(len(failing)):
        (tmp_path / f"{number}.png").write_bytes(noise(number, 8))

    class Client(UploadClient):
        def has(self, image_id: str) -> bool:
            if failing.pop(0):
                raise ServerFailed("/v1/images answered 500", lasting=False)
            return True

    with Client("http://pictrace", None, "c") as client:
        files = [FoundFile(tmp_path / f"{number}.png") for number in range(len(failing))]
        results = Uploader(client, parallel=1).add_all(files)
        assert [next(results).status for _ in range(2)] == [AddStatus.REJECTED, AddStatus.PRESENT]
        with pytest.raises(ServerFailed):
            list(results)
    assert failing == []


def test_an_unreachable_api_ends_the_command(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_client, "PATIENCE_SECONDS", 0.2)
    assert main(["add", str(folder), "--url", "http://127.0.0.1:9"]) == connection.EXIT_STOPPED
    said = capsys.readouterr().err
    assert "http://127.0.0.1:9 cannot be reached" in said
    assert "To go on, run the same command again." in said


def start(running: PicTrace, collection: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "infra.operate", "add", *map(str, arguments)]
    return subprocess.Popen(
        [*command, "--url", running.url, "--collection", collection],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def test_ctrl_c_says_how_to_go_on_and_the_next_run_does(
    running: PicTrace, collection: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    count = 24
    for number in range(count):
        (tmp_path / f"{number}.png").write_bytes(noise(84_100 + number))
    process = start(running, collection, tmp_path, "--parallel", "2")
    until(lambda: names(running, collection), 40)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[0]
    assert process.returncode == 130
    assert "Traceback" not in said
    assert f"of {count} files are left." in said
    assert "To go on, run the same command again." in said
    # What was being sent at the interrupt would be a duplicate if it were sent again.
    until(Queue(boto3.client("sqs"), running.cloud.outputs["QueueUrl"]).empty)
    assert run(running, collection, tmp_path) == 0
    assert re.match(r"\d+ indexed, \d+ present in ", capsys.readouterr().out)
    assert len(names(running, collection)) == count


def test_following_a_folder_adds_what_comes_and_removes_what_goes(
    running: PicTrace, collection: str, folder: Path
) -> None:
    process = start(running, collection, folder, "--watch", "--delete")
    try:
        assert process.stdout
        for line in process.stdout:
            if "Ctrl-C" in line:
                break
        (folder / "deep" / "new.png").write_bytes(noise(8407))
        until(lambda: "new.png" in names(running, collection), 40)
        (folder / "deep" / "b.png").rename(folder / "moved.png")
        (folder / "deep" / "new.png").unlink()
        until(lambda: "new.png" not in names(running, collection), 40)
        assert "b.png" in names(running, collection), "a file that moved keeps its image"
        (folder / "deep" / "er").rename(folder.parent / "elsewhere")
        until(lambda: "ç d.png" not in names(running, collection), 40)
        (folder.parent / "elsewhere").rename(folder / "back")
        until(lambda: "ç d.png" in names(running, collection), 40)
        (folder / "a.png").unlink()
        (folder / "later.png").write_bytes(noise(8408))
        until(lambda: "later.png" in names(running, collection), 40)
        assert "a.png" in names(running, collection) or "same.png" in names(running, collection)
    finally:
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[0]
    assert process.returncode == 0, said
    assert "removed: the image" in said
    assert "Traceback" not in said


class TestFollowing:
    @pytest.fixture
    def clock(self) -> list[float]:
        return [0.0]

    @pytest.fixture
    def watch(self, tmp_path: Path, clock: list[float]) -> FolderWatch:
        return FolderWatch([tmp_path], lambda: clock[0])

    def test_a_file_that_is_being_written_is_waited_for(
        self, watch: FolderWatch, clock: list[float], tmp_path: Path
    ) -> None:
        path = tmp_path / "a.png"
        path.write_bytes(b"half")
        assert watch.collect([path]) == FolderChange([], [])
        clock[0] += 2
        path.write_bytes(b"half and half")
        assert watch.collect([path]) == FolderChange([], [])
        clock[0] += 2
        assert watch.collect([]) == FolderChange([path], [])
        assert watch.collect([]) == FolderChange([], [])

    def test_a_file_that_is_replaced_or_moved_at_once_is_not_gone(
        self, watch: FolderWatch, clock: list[float], tmp_path: Path
    ) -> None:
        path, other = tmp_path / "a.png", tmp_path / "b.png"
        assert watch.collect([path, other]) == FolderChange([], [])
        clock[0] += 1
        path.write_bytes(b"x")
        watch.collect([path])
        clock[0] += 2
        assert watch.collect([]) == FolderChange([path], [other]), "what comes is complete first"
