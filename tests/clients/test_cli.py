"""The command line against the running system."""

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from pictrace.cli import main
from pictrace.cli.credentials import Credentials, chosen
from shared.domain.access import Scope
from tests.conftest import ClosedApi, PicTrace
from tests.images import encoded, noise, pixels

Run = Callable[..., Result]


@pytest.fixture
def run(running: PicTrace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command, with a folder for its settings that only this test uses."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("PICTRACE_URL", running.url)
    monkeypatch.delenv("PICTRACE_API_KEY", raising=False)
    return lambda *arguments, **options: CliRunner().invoke(main, list(map(str, arguments)), **options)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two images, one of them in a subfolder, and files that are none."""
    folder = tmp_path / "photos"
    (folder / "2026").mkdir(parents=True)
    (folder / "a.png").write_bytes(noise(18_000))
    (folder / "2026" / "b.PNG").write_bytes(noise(18_001))
    (folder / "note.txt").write_text("no image")
    (folder / ".hidden.png").write_bytes(noise(18_002))
    return folder


def as_json(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_folder_is_added_and_not_sent_twice(run: Run, folder: Path, collection: str) -> None:
    added = run("add", folder, "--collection", collection)
    assert (added.exit_code, added.stdout) == (0, "2 indexed\n")
    (folder / "broken.jpg").write_bytes(b"no image")
    again = run("add", folder, "--collection", collection, "--json")
    assert again.exit_code == 1
    report = json.loads(again.stdout)
    assert report["counts"] == {"present": 2, "rejected": 1}
    [broken] = [file for file in report["files"] if file["status"] == "rejected"]
    assert (broken["path"], broken["code"]) == (str(folder / "broken.jpg"), "unsupported_type")
    listed = as_json(run("collections", "--json"))["collections"]
    assert {entry["collection"]: entry["images"] for entry in listed}[collection] == 2
    assert collection in run("collections").stdout


def test_a_search_prints_a_table_or_json(run: Run, folder: Path, collection: str) -> None:
    run("add", folder / "a.png", "--collection", collection)
    table = run("search", folder / "a.png", "--collection", collection)
    assert table.exit_code == 0
    assert table.stdout.splitlines()[0].split() == ["score", "verdict", "file", "size", "label", "image", "id"]
    assert table.stdout.splitlines()[1].split()[:5] == ["1.000", "identical", "a.png", "96x96", "png"]
    answer = as_json(run("search", folder / "a.png", "--collection", collection, "-k", 1, "--json"))
    assert answer["matches"][0]["verdict"] == "identical"
    assert run("search", folder / "a.png", "--collection", f"{collection}-2").stdout == "No matches.\n"


def test_two_images_are_compared_and_opened(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Path] = []
    monkeypatch.setattr(click, "launch", lambda name: opened.append(Path(name)))
    compared = run("compare", folder / "a.png", folder / "2026" / "b.PNG", "--open")
    assert (compared.exit_code, compared.stdout.split()[0]) == (0, "verdict")
    assert opened[0].read_bytes().startswith(b"\x89PNG")
    scores = as_json(run("compare", folder / "a.png", folder / "a.png", "--json"))
    assert scores["reason"] == "same bytes"


def test_duplicates_are_listed_and_resolved_after_confirmation(run: Run, tmp_path: Path, collection: str) -> None:
    for name, data in {
        "cat.png": encoded(pixels("chelsea.png"), ".png"),
        "cat.jpg": encoded(pixels("chelsea.png")),
    }.items():
        (tmp_path / name).write_bytes(data)
        run("add", tmp_path / name, "--collection", collection)
    where = ("--collection", collection)
    assert [line.split()[0] for line in run("duplicates", *where).stdout.splitlines()] == ["file", "keep", "cat.jpg"]
    assert len(as_json(run("duplicates", *where, "--json"))["groups"]) == 1
    refused = run("duplicates", *where, "--resolve", input="n\n")
    assert refused.stdout.endswith("\n0 moved into the trash\n")
    resolved = as_json(run("duplicates", *where, "--resolve", "--yes", "--json"))
    assert (resolved["deleted"], resolved["groups"][0]["deleted"][0]["filename"]) == (1, "cat.jpg")
    assert run("duplicates", *where).stdout == "No near-duplicates.\n"


def test_a_login_is_stored_for_its_owner_and_its_address(run: Run, closed: ClosedApi, tmp_path: Path) -> None:
    key = closed.key(Scope.SEARCH)
    wrong = run("login", "--url", closed.url, input="pt_wrong\n")
    assert (wrong.exit_code, (tmp_path / "config").exists()) == (3, False)
    assert run("login", "--url", closed.url, input=f"{key}\n").exit_code == 0
    [file] = (tmp_path / "config" / "pictrace").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert run("collections", env={"PICTRACE_URL": None}).exit_code == 0
    assert run("collections", "--url", closed.url).exit_code == 0
    assert chosen("http://elsewhere.example") == Credentials("http://elsewhere.example")


def test_a_failure_is_a_sentence_and_an_exit_code(run: Run, closed: ClosedApi) -> None:
    missing = run("search", "missing.jpg")
    assert (missing.exit_code, missing.stderr) == (2, "pictrace: missing.jpg: No such file or directory\n")
    unknown = run("search", "0" * 64)
    assert (unknown.exit_code, unknown.stderr) == (1, "pictrace: There is no image with this id.\n")
    refused = run("collections", "--url", closed.url)
    assert (refused.exit_code, refused.stderr[:29]) == (3, "pictrace: Send a valid key: A")
    unreachable = run("collections", "--url", "http://127.0.0.1:9")
    assert (unreachable.exit_code, "http://127.0.0.1:9 cannot be reached" in unreachable.stderr) == (3, True)
    assert run("add", "missing.jpg").exit_code == 2
    assert run("look").exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "next_step"),
    [
        (["list", "--url", "http://127.0.0.1:9"], "PICTRACE_URL names another address"),
        (["list", "--url", "localhost:8000"], "begin it with http:// or https://"),
        (["login", "--url", "localhost:8000"], "begin it with http:// or https://"),
        (["search", "596aa1e7cb87"], "an image id has 64 digits: --json prints it whole"),
        (["compare", "a.jpg", "596aa1e7cb87"], "an image id has 64 digits: --json prints it whole"),
        (["favourite", "596aa1e7cb87"], "an image id, which has 64 digits: --json prints it whole"),
        (["list", "--collection", "Our Photos"], "begins with a letter or digit"),
        (["list", "--collection", "never-filled"], "`pictrace collections` lists all"),
        (["tags", "--collection", "never-filled"], "`pictrace collections` lists all"),
        (["duplicates", "--collection", "never-filled"], "`pictrace collections` lists all"),
    ],
)
def test_a_mistake_is_answered_with_what_to_do_next(run: Run, arguments: list[str], next_step: str) -> None:
    assert next_step in " ".join(run(*arguments).stderr.split())


def test_a_search_in_a_collection_without_images_says_so(run: Run, folder: Path) -> None:
    done = run("search", folder / "a.png", "--collection", "never-filled")
    assert (done.exit_code, done.stdout) == (0, "No matches.\n")
    assert "The collection never-filled has no images" in done.stderr


def test_the_same_command_is_only_proposed_where_it_may_help(run: Run, folder: Path, closed: ClosedApi) -> None:
    unreachable = run("add", folder, "--url", "http://127.0.0.1:9")
    assert "To go on, run the same command again." in unreachable.stderr
    refused = run("add", folder, "--url", closed.url)
    assert "`pictrace login`" in refused.stderr
    assert "same command" not in refused.stderr
    assert "same command" not in run("add", folder, "--collection", "Our Photos").stderr


def test_words_of_strangers_move_no_cursor(run: Run, running: PicTrace, collection: str) -> None:
    running.client.put(f"/v1/collections/{collection}", json={"title": "[red]\x1b[2J"})
    assert "[red]\\x1b[2J" in run("collections").stdout
    running.client.delete(f"/v1/collections/{collection}")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_printed(run: Run, shell: str) -> None:
    script = run("completion", shell)
    assert script.exit_code == 0
    assert "_PICTRACE_COMPLETE" in script.stdout
    word = "s" if shell == "fish" else "1"
    words = {"COMP_WORDS": "pictrace s", "COMP_CWORD": word, "_PICTRACE_COMPLETE": f"{shell}_complete"}
    assert "search" in run(prog_name="pictrace", env=words, complete_var="_PICTRACE_COMPLETE").stdout


def test_images_are_tagged_put_into_albums_and_shared(run: Run, folder: Path, collection: str) -> None:
    where = ("--collection", collection)
    one, two = folder / "a.png", folder / "2026" / "b.PNG"
    assert run("add", one, two, *where).exit_code == 0
    assert run("tag", one, "--add", "Sea", "--add", "sun", *where).stdout.split() == [
        *(as_json(run("list", *where, "--tag", "sea", "--json"))["images"][0]["image_id"][:12], "sea,", "sun")
    ]
    assert run("tag", two, "--add", "who?", "--add", "100%25", *where).stdout.split("  ")[1] == "100%25, who?\n"
    assert run("tag", two, "--remove", "who?", "--remove", "100%25", *where).stdout.split("  ")[1] == "\n"
    assert run("tag", one, *where).exit_code == 2
    assert run("tag", "nothing.png", "--add", "x", *where).exit_code == 2
    run("tag", one, two, "--remove", "sun", "--add", "beach", *where)
    assert as_json(run("tags", *where, "--json"))["tags"][0] == {"tag": "beach", "images": 2}
    assert "beach" in run("tags", *where).stdout
    assert run("favourite", two, *where).stdout == "1 image now among the favourites\n"
    lines = run("list", *where, "--favourite").stdout.splitlines()
    assert [line.split()[:2] for line in lines[1:]] == [["♥", "b.PNG"]]
    assert len(as_json(run("list", *where, "--tag", "sea,beach", "--match", "all", "--json"))["images"]) == 1
    run("favourite", two, "--off", *where)
    assert as_json(run("list", *where, "--favourite", "--json"))["images"] == []

    album_id = run("album", "create", "Rome", "--description", "May", *where).stdout.strip()
    missing = run("album", "add", "Rome", one, two, "0" * 64, *where)
    assert (missing.exit_code, missing.stdout) == (1, "2 images in Rome\n")
    assert run("album", "remove", album_id, two, *where).stdout == "1 image in Rome\n"
    assert len(as_json(run("list", *where, "--album", album_id, "--json"))["images"]) == 1
    assert run("album", "change", "Rome", "--title", "Roma", *where).stdout == "Roma\n"
    assert run("album", "add", "Rome", two, *where).exit_code == 2
    assert "Roma" in run("album", "list", *where).stdout
    link = run("album", "share", "Roma", "--days", "2", *where).stdout.strip()
    assert "/shared/" in link
    [share] = as_json(run("album", "shares", "Roma", *where, "--json"))["shares"]
    assert share["share_id"] in run("album", "shares", "Roma", *where).stdout
    assert as_json(run("album", "shares", "Roma", "--revoke", share["share_id"], *where, "--json"))["shares"] == []
    deleted = run("album", "delete", "Roma", *where).stdout
    assert deleted == f"Roma deleted; `pictrace album restore {album_id}` brings it back\n"
    assert as_json(run("album", "list", *where, "--json"))["albums"] == []
    [trashed] = as_json(run("album", "list", "--trash", *where, "--json"))["albums"]
    assert trashed["album_id"] == album_id
    assert trashed["purged_at"] in run("album", "list", "--trash", *where).stdout
    assert run("album", "restore", "Roma", *where).stdout == "1 image in Roma\n"
    assert run("album", "restore", "Roma", *where).exit_code == 2
    assert "Roma" in run("album", "list", *where).stdout


def test_a_collection_is_exported_and_an_export_goes_on(
    run: Run, running: PicTrace, collection: str, tmp_path: Path
) -> None:
    """Names that are equal, or that would lead out of the folder, become names of their own in it."""
    folder, names = tmp_path / "out", ("a.png", "A.png", "../../b.png", ".", "c?.png")
    ids = [running.add(noise(18_300 + number), collection=collection, name=name) for number, name in enumerate(names)]
    assert run("export", folder, "--collection", collection).stdout == "5 saved\n"
    records = [json.loads(line) for line in (folder / "images.jsonl").read_text().splitlines()]
    assert [record["image_id"] for record in records] == ids
    assert [record["file"] for record in records] == [
        "a.png",
        f"A-{ids[1][:12]}.png",
        "b.png",
        f"{ids[3][:12]}.png",
        "c_.png",
    ]
    for record, number in zip(records, range(5), strict=True):
        assert (folder / record["file"]).read_bytes() == noise(18_300 + number)
    assert len(list(folder.iterdir())) == 6
    (folder / "b.png").unlink()
    report = as_json(run("export", folder, "--collection", collection, "--json"))
    assert report["counts"] == {"saved": 1, "present": 4, "gone": 0}
    assert (folder / "b.png").read_bytes() == noise(18_302)
    known = run("export", tmp_path / "known", "--collection", collection, "--records-only")
    assert (known.stdout, [path.name for path in (tmp_path / "known").iterdir()]) == ("5 saved\n", ["images.jsonl"])


def test_an_export_leaves_other_files_as_they_are(run: Run, running: PicTrace, collection: str, tmp_path: Path) -> None:
    where = ("--collection", collection)
    (tmp_path / "IMG_1.png").write_bytes(b"the user's own")
    image_id = running.add(noise(18_310), collection=collection, name="img_1.png")
    name = f"img_1-{image_id[:12]}.png"
    saved = run("export", tmp_path, *where)
    assert (saved.stdout, saved.stderr) == (
        "1 saved\n",
        f"pictrace: img_1.png: another file has this name, so the image is saved as {name}.\n",
    )
    again = run("export", tmp_path, *where)
    assert (again.stdout, again.stderr) == ("1 present\n", "")
    (tmp_path / name).write_bytes(b"edited")
    assert run("export", tmp_path, *where).stdout == "1 saved\n"
    assert json.loads((tmp_path / "images.jsonl").read_text())["file"] == f"img_1-{image_id}.png"
    assert (tmp_path / f"img_1-{image_id}.png").read_bytes() == noise(18_310)
    (tmp_path / f"img_1-{image_id}.png").write_bytes(b"edited")
    full = run("export", tmp_path, *where)
    assert (full.exit_code, "taken by another file" in full.stderr) == (2, True)
    assert {path.read_bytes() for path in tmp_path.glob("*.png")} == {b"the user's own", b"edited"}


def test_an_export_keeps_the_files_of_images_that_were_deleted(
    run: Run, running: PicTrace, collection: str, tmp_path: Path
) -> None:
    ids = [running.add(noise(18_320 + number), collection=collection, name="IMG_1.png") for number in range(2)]
    run("export", tmp_path, "--collection", collection)
    running.client.delete(f"/v1/images/{ids[0]}", params={"collection": collection}).raise_for_status()
    assert run("export", tmp_path, "--collection", collection).stdout == "1 present\n"
    assert (tmp_path / "IMG_1.png").read_bytes() == noise(18_320)
    assert json.loads((tmp_path / "images.jsonl").read_text())["file"] == f"IMG_1-{ids[1][:12]}.png"


def test_the_export_of_another_collection_is_not_replaced(
    run: Run, folder: Path, collection: str, tmp_path: Path
) -> None:
    run("add", folder / "a.png", "--collection", collection)
    run("export", tmp_path / "out", "--collection", collection)
    records = (tmp_path / "out" / "images.jsonl").read_text()
    refused = run("export", tmp_path / "out", "--collection", "never-filled")
    assert (refused.exit_code, f"has the collection {collection}" in refused.stderr) == (2, True)
    assert (tmp_path / "out" / "images.jsonl").read_text() == records


@pytest.mark.parametrize("text", ['{"image_id": 1}\n', "[]\n", "\n", "\xff"])
def test_records_that_are_no_export_are_not_replaced(run: Run, collection: str, tmp_path: Path, text: str) -> None:
    (tmp_path / "images.jsonl").write_text(text, encoding="latin-1")
    refused = run("export", tmp_path, "--collection", collection)
    assert (refused.exit_code, "move it away, or name another folder" in refused.stderr) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["images.jsonl"]
    assert (tmp_path / "images.jsonl").read_text(encoding="latin-1") == text
