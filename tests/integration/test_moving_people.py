"""`export` and `import` keep people, albums, tags and favourites."""

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
from infra.operate.collection_client import CollectionClient
from infra.operate.local_files import FoundFile
from infra.operate.uploader import Uploader
from pictrace import Client
from shared.domain.access import Scope
from shared.domain.people.records import image_of
from tests.conftest import ClosedApi, PicTrace
from tests.images import encoded, noise, pixels
from tests.integration.conftest import until
from tests.integration.moving import END, System, lines

PERSON = ("person_id", "name", "hidden", "faces", "merged", "created_at")
ALBUM = ("album_id", "title", "description", "cover", "images")


def portraits(name: str) -> list[bytes]:
    """Four copies of a picture that shows one face."""
    bgr = pixels(name)[:, :, ::-1] if pixels(name).ndim == 3 else cv2.cvtColor(pixels(name), cv2.COLOR_GRAY2BGR)
    copies = [bgr, bgr[:, ::-1], (bgr * 0.6).astype(np.uint8), (bgr * 0.8).astype(np.uint8)]
    return [encoded(np.ascontiguousarray(copy)) for copy in copies]


class People(System):
    """A collection with faces."""

    def people(self) -> list[dict[str, Any]]:
        found = [*self.get("/v1/people")["people"], *self.get("/v1/people", hidden=True)["people"]]
        named = [
            {name: one[name] for name in PERSON} | {"cover": one["cover"] and one["cover"]["face_id"]} for one in found
        ]
        return sorted(named, key=lambda one: str(one["person_id"]))

    def owners(self) -> dict[str, tuple[str | None, bool]]:
        """Who each face of the collection is, and whether somebody said so."""
        images = [image["image_id"] for image in self.images()]
        faces = [face for image in images for face in self.get("/v1/faces", image_id=image)["faces"]]
        return {face["face_id"]: (face["person_id"], face["confirmed"]) for face in faces}

    def has_faces_on(self) -> bool:
        with Client(self.url) as client:
            return client.collection(self.collection)["faces"]

    def by_id(self) -> dict[str, dict[str, Any]]:
        return {image["image_id"]: image for image in self.images()}

    def albums(self) -> list[tuple[Any, ...]]:
        return [
            (*(album[name] for name in ALBUM), sorted(one["image_id"] for one in self.get_album(album["album_id"])))
            for album in self.get("/v1/albums")["albums"]
        ]

    def get_album(self, album_id: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get("/v1/images", album=album_id, order="oldest")["images"]
        return found

    def purge(self, image_id: str) -> None:
        for path in (f"/v1/images/{image_id}", f"/v1/trash/{image_id}"):
            self.send("DELETE", path)


@pytest.fixture(scope="module")
def local_url(model_dir: Path, faces_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = DataFolder(tmp_path_factory.mktemp("data"), is_new=True)
    with local_system(folder, model_dir, faces_dir=faces_dir) as system, serving(system.app, 0) as url:
        yield url


@pytest.fixture(scope="module")
def source(local_url: str, tmp_path_factory: pytest.TempPathFactory) -> People:
    """A collection of two persons, with every decision on them, an album, tags and a favourite."""
    system = People(local_url, "people")
    folder = tmp_path_factory.mktemp("photos")
    for person in ("astronaut.png", "camera.png"):
        for number, data in enumerate(portraits(person)):
            (folder / f"{person} {number}.jpg").write_bytes(data)
    (folder / "noise.png").write_bytes(noise(9_300))
    with CollectionClient(system.url, None, system.collection) as client, Client(system.url) as admin:
        admin.change_collection(system.collection, faces=True)
        results = list(Uploader(client).add_all(FoundFile(path) for path in sorted(folder.iterdir())))
    ids = {result.path.name: str(result.image_id) for result in results}
    until(lambda: [one["faces"] for one in system.people()] == [4, 4])
    faces = {name: next((face for face in system.owners() if image_of(face) == ids[name]), "") for name in ids}
    astronaut = [faces[f"astronaut.png {number}.jpg"] for number in range(4)]
    camera = [faces[f"camera.png {number}.jpg"] for number in range(4)]
    eileen, man = system.owners()[astronaut[0]][0], system.owners()[camera[0]][0]
    system.send("PATCH", f"/v1/people/{eileen}", name="Eileen", cover=astronaut[2])
    system.send("PATCH", f"/v1/people/{man}", hidden=True, cover=camera[0])
    system.send("PUT", f"/v1/faces/{astronaut[1]}/person", person_id=eileen)
    system.send("PUT", f"/v1/faces/{astronaut[3]}/person", name="E. Collins")
    collins = system.owners()[astronaut[3]][0]
    system.send("POST", f"/v1/people/{collins}/merge", into=eileen)
    until(lambda: system.owners()[astronaut[3]][0] == eileen)
    system.send("DELETE", f"/v1/faces/{camera[3]}/person")
    system.send("PUT", f"/v1/faces/{camera[1]}/person", name="Somebody else")
    system.purge(ids["camera.png 1.jpg"])
    until(lambda: sorted(one["faces"] for one in system.people()) == [0, 2, 4])
    return system


def known_of_people(folder: Path) -> list[dict[str, Any]]:
    """What an export says of people, but for the face that shows a person of whom nobody chose one."""
    found = [line for line in lines(folder) if line["type"] in {"person", "face"}]
    return [{name: value for name, value in line.items() if name != "sample"} for line in found]


def test_people_move_to_a_deployment_and_back(
    source: People,
    running: PicTrace,
    collection: str,
    local_url: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    target = People(running.url, collection)
    before, owners = source.people(), source.owners()
    assert [(one["name"], one["hidden"]) for one in before if one["faces"]] != []
    assert {owner for owner, _ in owners.values()} == {one["person_id"] for one in before if one["faces"]} | {None}
    assert source.run("export", tmp_path / "folder") == 0
    assert "The folder says where the faces of 4 persons are." in capsys.readouterr().out

    for _ in range(2):
        assert target.run("import", tmp_path / "folder") == 0
        until(lambda: target.owners() == owners)
        assert target.people() == before
    assert target.has_faces_on() is True

    assert target.run("export", tmp_path / "back") == 0
    assert known_of_people(tmp_path / "back") == known_of_people(tmp_path / "folder")
    back = People(local_url, "back")
    assert back.run("import", tmp_path / "back") == 0
    until(lambda: back.owners() == owners)
    assert back.people() == before

    # What was decided goes on to hold: merges can be undone, and an image that was deleted for good comes back.
    [eileen] = [one for one in back.people() if one["name"] == "Eileen"]
    [collins] = eileen["merged"]
    back.send("POST", f"/v1/people/{collins}/unmerge")
    until(lambda: sorted(one["faces"] for one in back.people()) == [0, 1, 2, 3])
    assert next(one["name"] for one in back.people() if one["person_id"] == collins) == "E. Collins"
    with Client(back.url) as client:
        image = client.add(portraits("camera.png")[1], filename="a.jpg", collection="back")["image_id"]
    until(lambda: any(one["name"] == "Somebody else" and one["faces"] for one in back.people()), 30)
    assert [confirmed for face, (_, confirmed) in back.owners().items() if image_of(face) == image] == [True]


def test_people_can_be_left_out(
    source: People, local_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert source.run("export", tmp_path / "folder", "--without-people") == 0
    assert "persons" not in capsys.readouterr().out
    assert (tmp_path / "folder" / "manifest.jsonl").read_text().count("Eileen") == 0
    assert lines(tmp_path / "folder")[-1] == END | {"images": 8, "groups": 2}
    target = People(local_url, "without")
    assert target.run("import", tmp_path / "folder") == 0
    assert target.has_faces_on() is False
    assert target.owners() == {}


def test_a_target_without_networks_says_that_people_stay_behind(
    source: People, model_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert source.run("export", tmp_path / "folder") == 0
    (tmp_path / "data").mkdir()
    folder = DataFolder(tmp_path / "data", is_new=True)
    with local_system(folder, model_dir) as system, serving(system.app, 0) as url:
        target = People(url, "people")
        assert target.run("import", tmp_path / "folder") == 1
        assert "People and faces were not imported: the server has no networks for faces." in capsys.readouterr().out
        assert len(target.images()) == len(source.images())


def test_only_an_administrator_imports_people(
    source: People, closed: ClosedApi, collection: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert source.run("export", tmp_path / "folder") == 0
    target = People(closed.url, collection)
    key = closed.key(Scope.SEARCH, Scope.WRITE)
    assert target.run("import", tmp_path / "folder", "--key", key) == 1
    assert "faces are off, and only a key with the scope admin turns them on" in capsys.readouterr().out
    answer = httpx.post(
        f"{closed.url}/v1/people/records",
        params={"collection": collection},
        json={"persons": [{"person_id": "a" * 32, "created_at": ""}]},
        headers={"Authorization": f"Bearer {key}"},
    )
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:pictrace:problem:faces-off")


def test_albums_tags_and_favourites_move(local_url: str, running: PicTrace, collection: str, tmp_path: Path) -> None:
    source, target = People(local_url, "albums"), People(running.url, collection)
    with Client(source.url) as client:
        ids = [
            str(client.add(noise(9_310 + at), filename=f"{at}.png", collection="albums")["image_id"]) for at in range(4)
        ]
        client.add_tag(ids[0], "Rex", collection="albums")
        client.remove_tag(ids[0], "dog", collection="albums")
        rome = client.create_album("Rome", description="May 2026", collection="albums")["album_id"]
        client.change_album_images(rome, add=[ids[2], ids[0], ids[1]], collection="albums")
        client.change_album(rome, cover=ids[1], collection="albums")
        client.create_album("Empty", collection="albums")
    source.send("PATCH", f"/v1/images/{ids[1]}", favourite=True)
    assert source.by_id()[ids[0]]["decided_tags"] == {"dog": False, "rex": True}
    assert [album[:3] for album in source.albums()][1] == (rome, "Rome", "May 2026")

    assert source.run("export", tmp_path / "folder") == 0
    target.send("PUT", f"/v1/albums/{rome}", title="Rome")  # as if the import had been stopped here
    for _ in range(2):
        assert target.run("import", tmp_path / "folder", "--parallel", 1) == 0
        assert target.by_id() == source.by_id()
        assert target.albums() != source.albums()  # the description of the album that was there
    target.send("PATCH", f"/v1/albums/{rome}", title="Roma", cover=ids[2])
    target.send("PATCH", f"/v1/images/{ids[0]}", decided_tags={"rex": None, "cat": True}, favourite=True)
    assert target.by_id()[ids[0]]["decided_tags"] == {"cat": True, "dog": False}
    assert target.run("import", tmp_path / "folder") == 0
    assert target.albums()[1][1:4] == ("Roma", None, ids[2])
    assert target.by_id()[ids[0]]["decided_tags"] == {"cat": True, "dog": False, "rex": True}
    assert target.run("import", tmp_path / "folder", "--overwrite") == 0
    assert target.albums() == source.albums()
