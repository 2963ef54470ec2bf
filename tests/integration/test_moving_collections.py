"""`python -m infra.operate export` and `import`: a collection moves between a local run and a deployment."""

import asyncio
import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest

from infra.local.data_folder import DataFolder
from infra.local.serving import serving
from infra.local.system import local_system
from infra.operate import connection
from infra.operate.collection_client import CollectionClient
from infra.operate.local_files import FoundFile
from infra.operate.manifest_lines import VERSION
from infra.operate.uploader import AddStatus, Uploader
from shared.domain.access import Scope
from tests.conftest import ROOT, ClosedApi, PicTrace
from tests.images import encoded, noise, pixels, taken
from tests.integration.conftest import until
from tests.integration.moving import END, System, lines


@pytest.fixture(scope="module")
def local_app(model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with local_system(DataFolder(tmp_path_factory.mktemp("data"), is_new=True), model_dir) as system:
        yield system.app


@pytest.fixture(scope="module")
def local_url(local_app: Any) -> Iterator[str]:
    with serving(local_app, 0) as url:
        yield url


@pytest.fixture(scope="module")
def source(local_url: str, tmp_path_factory: pytest.TempPathFactory) -> System:
    """A collection of a local run with names and annotations, and a group of which the smaller image is kept."""
    system = System(local_url, "moving")
    folder = tmp_path_factory.mktemp("photos")
    coffee = pixels("coffee.png")[:, :, ::-1]
    (folder / "Coffee.png").write_bytes(encoded(coffee, ".png"))
    (folder / "kleiner Kaffee ☕.jpg").write_bytes(
        taken(
            encoded(cv2.resize(coffee, None, fx=0.7, fy=0.7).astype(np.uint8)),
            "2011:12:13 14:15:16",
            offset="+01:00",
            place=(48.3, 14.3),
        )
    )
    for number in range(4):
        (folder / f"noise {number}.png").write_bytes(noise(8_700 + number))
    with CollectionClient(system.url, None, system.collection) as client:
        client.set_title("Moving house")
        results = list(Uploader(client).add_all(FoundFile(path) for path in sorted(folder.iterdir())))
    assert {result.status for result in results} == {AddStatus.INDEXED}
    ids = {result.path.name: str(result.image_id) for result in results}
    fields = {"photographer": "Ada", "Straße": "ß"}
    system.send("PATCH", f"/v1/images/{ids['noise 0.png']}", external_id="DAM-1", note="two\nlines", fields=fields)
    system.send("PATCH", f"/v1/images/{ids['noise 1.png']}", note="only a note")
    small = ids["kleiner Kaffee ☕.jpg"]
    [(best, chosen, members)] = until(system.groups)
    assert (best, chosen, members) == (ids["Coffee.png"], False, {small, ids["Coffee.png"]})
    system.send("PUT", f"/v1/duplicates/{best}/kept", image_id=small)
    assert system.groups() == [(small, True, members)]
    return system


@pytest.fixture(scope="module")
def exported(source: System, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    assert source.run("export", folder) == 0
    return folder


@pytest.fixture
def folder(exported: Path, tmp_path: Path) -> Path:
    """A copy of the export, to be damaged."""
    return Path(shutil.copytree(exported, tmp_path / "copy"))


@pytest.fixture
def target(running: PicTrace, collection: str) -> System:
    """A collection without images, of a stack from the template."""
    return System(running.url, collection)


def test_a_collection_moves_to_a_deployment_and_back(
    source: System, exported: Path, target: System, local_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert target.run("import", exported, "--parallel", 1) == 0
    assert capsys.readouterr().out.startswith("6 indexed in ")
    assert target.images() == [
        next(image for image in source.images() if image["image_id"] == line["image_id"])
        for line in lines(exported)
        if line["type"] == "image"
    ], "in the order of the export, which is about that of the source"
    assert target.groups() == source.groups()
    assert target.get("/v1/stats")["title"] == "Moving house"

    assert target.run("export", tmp_path / "back") == 0
    back = System(local_url, "back")
    assert back.run("import", tmp_path / "back") == 0
    assert sorted(back.images(), key=str) == sorted(source.images(), key=str)
    assert back.groups() == source.groups()


def test_what_was_decided_moves_and_holds_for_images_that_return(
    local_url: str, running: PicTrace, target: System, tmp_path: Path
) -> None:
    source = System(local_url, "decided")
    rgb = pixels("rocket.jpg")
    (tmp_path / "photos").mkdir()
    for name, kind in (("a.png", ".png"), ("b.jpg", ".jpg")):
        (tmp_path / "photos" / name).write_bytes(encoded(rgb, kind))
    with CollectionClient(source.url, None, source.collection) as client:
        results = Uploader(client).add_all(FoundFile(path) for path in (tmp_path / "photos").iterdir())
        one, other = (str(result.image_id) for result in sorted(results, key=lambda result: result.path))
        until(source.groups)
        client.decide([one, other], "different")
        client.decide([one, "0" * 64], "both-kept")  # an image that has been deleted
    assert source.groups() == []
    decided = source.get("/v1/duplicates/decisions")
    assert [(pair["images"], pair["decision"]) for pair in decided["decisions"]] == sorted(
        [(sorted([one, other]), "different"), (["0" * 64, one], "both-kept")]
    )
    assert source.run("export", tmp_path / "exported") == 0
    assert lines(tmp_path / "exported")[-1] == END | {"images": 2, "decisions": 2}
    for _ in range(2):
        assert target.run("import", tmp_path / "exported") == 0
        assert target.get("/v1/duplicates/decisions") == decided

    where = {"collection": target.collection}
    running.client.delete(f"/v1/images/{other}", params=where).raise_for_status()
    running.client.delete(f"/v1/trash/{other}", params=where).raise_for_status()
    assert running.add(encoded(rgb), collection=target.collection, media_type="image/jpeg") == other
    started = running.client.post("/v1/duplicates/check", params=where).raise_for_status().json()
    until(lambda: target.get("/v1/duplicates/check")["status"] == "done")
    assert started["images"] == target.get("/v1/stats")["images"] == 2
    assert target.groups() == []


def test_a_decision_that_is_refused_is_named_and_everything_else_is_imported(
    folder: Path, target: System, capsys: pytest.CaptureFixture[str]
) -> None:
    *rest, end = lines(folder)
    pairs = [["0" * 64, "0" * 64], ["0" * 64, "1" * 64]]
    decisions = [{"type": "decision", "images": pair, "decision": "different"} for pair in pairs]
    (folder / "manifest.jsonl").write_text(
        "".join(f"{json.dumps(line)}\n" for line in (*rest, *decisions, end | {"decisions": 2}))
    )
    assert target.run("import", folder) == 1
    said = capsys.readouterr().out
    assert said.startswith("6 indexed in ")
    assert f"{'0' * 64} and {'0' * 64}: what was decided on them cannot be restored: " in said
    assert [pair["images"] for pair in target.get("/v1/duplicates/decisions")["decisions"]] == [pairs[1]]


def test_a_second_run_does_nothing(
    source: System, exported: Path, target: System, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {path: path.stat().st_mtime_ns for path in (exported / "images").rglob("*") if path.is_file()}
    assert len(files) == 6
    assert source.run("export", exported) == 0
    assert capsys.readouterr().out.startswith("6 present in ")
    assert {path: path.stat().st_mtime_ns for path in (exported / "images").rglob("*") if path.is_file()} == files
    assert target.run("import", exported) == 0
    before = target.get("/v1/images")
    capsys.readouterr()
    assert target.run("import", exported) == 0
    assert capsys.readouterr().out.startswith("6 present in ")
    assert target.get("/v1/images")["images"][0]["created_at"] == before["images"][0]["created_at"]


def test_what_a_folder_has(source: System, exported: Path) -> None:
    about, *entries, end = lines(exported)
    assert (about["format"], about["version"], about["title"]) == ("pictrace-collection", VERSION, "Moving house")
    images = [entry for entry in entries if entry["type"] == "image"]
    assert {entry["media_type"] for entry in images} == {"image/png", "image/jpeg"}
    assert {entry["created_at"] for entry in images} == {
        image["created_at"] for image in source.get("/v1/images")["images"]
    }
    [group] = [entry for entry in entries if entry["type"] == "group"]
    assert (group["kept"], group["chosen"], len(group["images"])) == (source.groups()[0][0], True, 2)
    assert end == END | {"images": 6, "groups": 1}


def test_an_interrupted_export_goes_on_and_a_damaged_file_is_fetched_again(
    source: System, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two, *_ = sorted(path for path in (folder / "images").rglob("*") if path.is_file())
    one.write_bytes(one.read_bytes()[:-1])
    two.unlink()
    (folder / "manifest.jsonl").rename(folder / "manifest.jsonl.part")
    assert source.run("import", folder) == 1
    assert "has not ended. Run it again" in capsys.readouterr().err
    assert source.run("export", folder) == 0
    assert capsys.readouterr().out.startswith("2 exported, 4 present in ")
    assert source.run("import", folder) == 0


def test_bytes_that_are_not_those_of_the_image_are_not_exported(
    source: System, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    right, wrong = (image["image_id"] for image in source.images()[-2:])
    call = CollectionClient._call

    def replaced(client: CollectionClient, method: str, path: str, **request: Any) -> httpx.Response:
        return call(client, method, path.replace(wrong, right), **request)

    monkeypatch.setattr(CollectionClient, "_call", replaced)
    report = tmp_path / "report.json"
    assert source.run("export", tmp_path / "to", "--json", report) == connection.EXIT_REFUSED
    assert "failed: The storage has other bytes" in capsys.readouterr().out
    [entry] = json.loads(report.read_text())["not_exported"]
    assert wrong in entry["path"]
    assert wrong not in {line.get("image_id") for line in lines(tmp_path / "to")}
    assert not list((tmp_path / "to").rglob("*.part"))


def test_a_damaged_file_is_named_and_the_others_are_imported(
    folder: Path, target: System, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = next((folder / "images").rglob("*.jpeg"))
    two = next((folder / "images").rglob("*.png"))
    one.write_bytes(noise(1))
    two.unlink()
    report = tmp_path / "report.json"
    assert target.run("import", folder, "--json", report) == connection.EXIT_REFUSED
    said = capsys.readouterr().out
    assert said.startswith("4 indexed, 2 skipped in ")
    assert f"{one}: skipped: The file does not have the bytes that were exported." in said
    assert f"{one.stem}: it was kept by choice, but it or its near-duplicates were not imported." in said
    codes = {entry["path"]: entry["code"] for entry in json.loads(report.read_text())["not_added"]}
    assert codes == {str(one): "changed", str(two): "unreadable"}
    assert len(target.images()) == 4


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda text: text[: len(text) // 2], "cannot be read: "),
        (lambda text: "".join(text.splitlines(keepends=True)[:-1]), "is not complete: it has 6 images and no end"),
        (
            lambda text: "".join(line for number, line in enumerate(text.splitlines(keepends=True)) if number != 2),
            "is not complete: it has 5 images, not the 6 that its end states",
        ),
        (lambda text: text.replace('"version": 3', '"version": 4', 1), "it has format 4, and this version knows"),
        (lambda text: text.replace("pictrace-collection", "tar", 1), "is not the manifest of an exported collection"),
        (lambda text: text.replace('"image_id": "', '"image_id": "../', 1), "Line 2 of "),
        (lambda text: text + "{}\n", "cannot be read: "),
        (lambda _: "", "is not the manifest of an exported collection"),
    ],
    ids=["half", "no-end", "a-line-less", "newer", "other-format", "other-path", "a-line-more", "empty"],
)
def test_a_damaged_manifest_is_explained_and_nothing_is_imported(
    folder: Path, target: System, capsys: pytest.CaptureFixture[str], damage: Any, said: str
) -> None:
    manifest = folder / "manifest.jsonl"
    manifest.write_text(damage(manifest.read_text(encoding="utf-8")), encoding="utf-8")
    assert target.run("import", folder) == 1
    assert said in capsys.readouterr().err
    assert target.images() == []


def test_a_folder_that_is_none_is_explained(
    source: System, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = System(source.url, "other")
    assert other.run("import", tmp_path / "absent") == 1
    assert "has no manifest.jsonl, so it is not an exported collection" in capsys.readouterr().err
    assert other.run("export", tmp_path / "absent") == 1
    assert "has no images" in capsys.readouterr().err
    assert not (tmp_path / "absent").exists()
    assert other.run("import", folder) == 0
    capsys.readouterr()
    assert other.run("export", folder) == 1
    assert "has the collection moving. Name another folder for other." in capsys.readouterr().err
    shutil.rmtree(folder / "images")
    (folder / "images").write_text("in the way")
    assert source.run("export", folder) == 1
    assert "cannot be written: Not a directory. To go on, run the same command again." in capsys.readouterr().err
    (tmp_path / "notes.txt").write_text("mine")
    assert source.run("export", tmp_path) == 1
    assert "has other files" in capsys.readouterr().err
    assert source.run("export", tmp_path / "notes.txt") == 1
    assert "is a file" in capsys.readouterr().err


def test_annotations_that_the_target_has_stay_unless_they_are_to_be_replaced(
    folder: Path, target: System, capsys: pytest.CaptureFixture[str]
) -> None:
    assert target.run("import", folder) == 0
    image_id = next(image["image_id"] for image in target.images() if image["external_id"] == "DAM-1")
    target.send("PATCH", f"/v1/images/{image_id}", note="later", fields={"Straße": None, "place": "Rome"})
    capsys.readouterr()

    def annotated() -> tuple[str, dict[str, str]]:
        image = target.get(f"/v1/images/{image_id}")
        return image["note"], image["fields"]

    assert target.run("import", folder) == 0
    assert "1 images have other annotations in the collection, which stayed" in capsys.readouterr().out
    everything = {"photographer": "Ada", "Straße": "ß", "place": "Rome"}
    assert annotated() == ("later", everything)
    assert target.run("import", folder, "--overwrite") == 0
    assert "stayed" not in capsys.readouterr().out
    assert annotated() == ("two\nlines", everything)


def test_a_key_of_one_collection_suffices(
    closed: ClosedApi, collection: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    system = System(closed.url, collection)
    writer = closed.key(Scope.SEARCH, Scope.WRITE, collections=[collection])
    assert system.run("import", folder, "--key", writer) == 0
    reader = closed.key(Scope.SEARCH, collections=[collection])
    assert system.run("export", tmp_path / "to", "--key", reader) == 0
    assert len(lines(tmp_path / "to")) == len(lines(folder))
    capsys.readouterr()
    assert system.run("import", folder, "--key", reader) == 0, "nothing has to be written"
    wrong = closed.key(Scope.SEARCH)
    assert System(closed.url, "elsewhere").run("import", folder, "--key", wrong) == connection.EXIT_STOPPED
    assert "answered 403" in capsys.readouterr().err


def test_ctrl_c_says_how_to_go_on_and_the_next_run_does(
    source: System, local_app: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def slow(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"].endswith("/content"):
            await asyncio.sleep(0.5)
        await local_app(scope, receive, send)

    folder = tmp_path / "to"
    command = [sys.executable, "-m", "infra.operate", "export", str(folder), "--parallel", "1"]
    with serving(slow, 0) as url:
        process = subprocess.Popen(
            [*command, "--url", url, "--collection", source.collection],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        until(lambda: list(folder.rglob("*.png")))
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[0]
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert re.search(r"stopped\. \d of 6 files are left\. To go on, run the same command again\.", said)
    assert not (folder / "manifest.jsonl").exists()
    assert source.run("export", folder) == 0
    assert re.match(r"\d exported, \d present in ", capsys.readouterr().out)
