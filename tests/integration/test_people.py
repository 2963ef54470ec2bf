"""Persons over the API: found by the queue's worker, named, merged, corrected, and erased."""

import json
import uuid
from collections.abc import Sequence
from typing import Any

import boto3
import numpy as np
import pytest
from click.testing import CliRunner

from functions.api.services import Services
from pictrace.cli import main
from shared.aws.clients import dynamodb_client
from shared.aws.dynamodb.collections import DynamoCollections
from shared.aws.dynamodb.people import DynamoPeople
from shared.aws.people_tasks import QueuedTasks
from shared.domain.people.faces import FACE_DIMENSIONS, DetectedFace
from shared.domain.people.keeping import FaceKeeper
from shared.domain.people.records import face_id
from tests.conftest import PicTrace
from tests.images import noise
from tests.integration.conftest import Listener, until

MODEL = "dlib"
PLACES = (0.0, 0.1, 0.2, 1.0, 1.1, 1.2)
"""Where the faces of six images are: three of one person, and three of another."""


def detected(*places: float) -> list[DetectedFace]:
    return [DetectedFace((0.3 * at, 0.1, 0.25, 0.4), 0.9, 1.0, 60.0, _vector(place)) for at, place in enumerate(places)]


def _vector(place: float) -> Any:
    vector = np.zeros(FACE_DIMENSIONS, np.float32)
    vector[0] = place
    return vector


class Album:
    """A collection with images of two persons, and the calls about its people."""

    def __init__(self, running: PicTrace) -> None:
        self.client, self.collection = running.client, f"t-{uuid.uuid4().hex[:12]}"
        table, tasks = running.cloud.outputs["TableName"], running.cloud.outputs["PeopleQueueUrl"]
        DynamoCollections(dynamodb_client(), table).set_faces(self.collection, on=True)
        keeper = FaceKeeper(DynamoPeople(dynamodb_client(), table), QueuedTasks(boto3.client("sqs"), tasks))
        self.images = [running.add(noise(7700 + at), collection=self.collection) for at in range(len(PLACES))]
        for image, place in zip(self.images, PLACES, strict=True):
            keeper.add(self.collection, image, MODEL, detected(place))
        self.faces = [face_id(image, MODEL, 0) for image in self.images]

    def call(self, method: str, path: str, status: int = 200, json: Any = None, **query: Any) -> Any:
        answer = self.client.request(method, path, params={"collection": self.collection, **query}, json=json)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def erase(self) -> Any:
        answer = self.client.delete(f"/v1/collections/{self.collection}/faces")
        assert answer.status_code == 202, answer.text
        return answer.json()

    def people(self, **query: Any) -> list[Any]:
        found: list[Any] = self.call("GET", "/v1/people", **query)["people"]
        return found

    def wait_for(self, *counts: int) -> list[Any]:
        """Wait until persons have these numbers of faces, and return them."""

        def found() -> list[Any]:
            people = self.people()
            return people if sorted(one["faces"] for one in people) == sorted(counts) else []

        people: list[Any] = until(found)
        return people

    def owners(self) -> list[str | None]:
        return [
            face["person_id"]
            for image in self.images
            for face in self.call("GET", "/v1/faces", image_id=image)["faces"]
        ]


@pytest.fixture(scope="module")
def album(running: PicTrace, listener: Listener) -> Album:
    return Album(running)


def test_persons_are_found_named_merged_and_unmerged(album: Album, listener: Listener) -> None:
    first, second = album.wait_for(3, 3)
    assert listener.wait_for("Person Created", album.collection)["person_id"] in {
        first["person_id"],
        second["person_id"],
    }
    assert len(listener.wait_for("Faces Found", album.collection)["faces"]) == 1
    assert first["cover"]["person_id"] == first["person_id"]
    assert album.client.get(first["cover"]["thumbnail_url"]).status_code == 200
    one, other = album.owners()[0], album.owners()[3]

    named = album.call("PATCH", f"/v1/people/{one}", json={"name": " Ada "})
    assert (named["name"], album.people()[0]["person_id"]) == ("Ada", one)
    merged = album.call("POST", f"/v1/people/{other}/merge", json={"into": one})
    assert (merged["person_id"], merged["merged"]) == (one, [other])
    album.wait_for(6)
    assert set(album.owners()) == {one}
    assert album.call("GET", f"/v1/people/{other}")["person_id"] == one
    assert listener.wait_for("Person Merged", album.collection)["into"] == one
    page = album.call("GET", f"/v1/people/{one}/faces", limit=4)
    rest = album.call("GET", f"/v1/people/{one}/faces", limit=4, cursor=page["cursor"])
    assert {face["face_id"] for face in page["faces"] + rest["faces"]} == set(album.faces)
    assert rest["cursor"] is None

    assert album.call("POST", f"/v1/people/{other}/unmerge")["person_id"] == other
    album.wait_for(3, 3)
    assert album.owners() == [one] * 3 + [other] * 3


def test_faces_are_confirmed_and_rejected(album: Album) -> None:
    album.wait_for(3, 3)
    ada, bob = album.owners()[0], album.owners()[3]
    path = f"/v1/faces/{album.faces[0]}/person"
    moved = album.call("PUT", path, json={"person_id": bob})
    assert (moved["person_id"], moved["confirmed"]) == (bob, True)
    assert album.call("DELETE", path)["person_id"] is None
    assert album.call("PUT", path, json={"person_id": ada})["person_id"] == ada
    album.call("PATCH", f"/v1/people/{ada}", json={"cover": album.faces[1]})
    assert album.call("GET", f"/v1/people/{ada}")["cover"]["face_id"] == album.faces[1]
    album.call("PATCH", f"/v1/people/{ada}", 404, json={"cover": album.faces[4]})
    album.call("PUT", path, 422, json={"person_id": ada, "name": "Eve"})
    eve = album.call("PUT", path, json={"name": "Eve"})["person_id"]
    assert eve not in {ada, bob}
    album.call("PUT", path, json={"person_id": ada})


def test_hidden_persons_are_listed_apart(album: Album) -> None:
    album.wait_for(3, 3, 0) if len(album.people()) > 2 else album.wait_for(3, 3)
    bob = album.owners()[3]
    album.call("PATCH", "/v1/people", json={"people": [bob], "hidden": True})
    assert bob not in {one["person_id"] for one in album.people()}
    assert [one["person_id"] for one in album.people(hidden=True)] == [bob]
    album.call("PATCH", f"/v1/people/{bob}", json={"hidden": False})


def test_images_are_listed_by_their_people(album: Album) -> None:
    ada, bob = album.owners()[0], album.owners()[3]

    def images(people: Sequence[str | None], **query: Any) -> list[str]:
        page = album.call("GET", "/v1/images", people=",".join(map(str, people)), **query)
        return [image["image_id"] for image in page["images"]]

    assert images([ada]) == album.images[2::-1]
    assert images([ada, bob]) == []
    assert images([ada, bob], match="any") == album.images[::-1]
    assert images([ada], order="oldest", limit=2) == album.images[:2]
    page = album.call("GET", "/v1/images", people=ada, limit=2)
    assert images([ada], limit=2, cursor=page["cursor"]) == album.images[:1]
    album.call("GET", "/v1/images", 404, people="0" * 32)
    album.call("GET", "/v1/images", 422, people="nobody")


def test_people_who_may_be_the_same_are_suggested_until_told_apart(album: Album, running: PicTrace) -> None:
    table, tasks = running.cloud.outputs["TableName"], running.cloud.outputs["PeopleQueueUrl"]
    keeper = FaceKeeper(DynamoPeople(dynamodb_client(), table), QueuedTasks(boto3.client("sqs"), tasks))
    images = [running.add(noise(7800 + at), collection=album.collection) for at in range(4)]
    for image, place in zip(images, (1.72, 1.73, 1.74, 0.73 - 1.26), strict=True):
        keeper.add(album.collection, image, MODEL, detected(place))
    until(lambda: len([one for one in album.people() if one["faces"] == 3]) == 3)
    pairs = album.call("GET", "/v1/people/suggestions")["pairs"]
    bob, near = album.owners()[3], album.call("GET", "/v1/faces", image_id=images[0])["faces"][0]["person_id"]
    assert [{pair["person"]["person_id"], pair["other"]["person"]["person_id"]} for pair in pairs] == [{bob, near}]
    assert 0.5 < pairs[0]["other"]["distance"] < 0.55
    (suggested,) = album.call("GET", f"/v1/people/{bob}/suggestions")["people"]
    assert suggested["person"]["person_id"] == near
    album.call("POST", f"/v1/people/{bob}/apart", 204, json={"person_id": near})
    assert album.call("GET", "/v1/people/suggestions")["pairs"] == []
    faces = album.call("GET", f"/v1/people/{album.owners()[0]}/suggestions")["faces"]
    assert [face["image_id"] for face in faces] == [images[3]]
    nobody = album.call("GET", "/v1/faces")["faces"]
    assert [face["image_id"] for face in nobody] == [images[3]]


class Finder:
    """Finds two faces in every picture."""

    face_model = MODEL

    def find(self, rgb: Any) -> Sequence[DetectedFace]:
        assert rgb.dtype == np.uint8
        return detected(0.05, -0.45)


def test_a_picture_shows_who_is_in_it(album: Album, running: PicTrace, monkeypatch: pytest.MonkeyPatch) -> None:
    services: Services = running.cloud.app.state.services
    files = {"file": ("query.png", noise(7900))}
    where = {"collection": album.collection}
    monkeypatch.setattr(services, "face_finder", None)
    answer = running.client.post("/v1/people/search", params=where, files=files)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:pictrace:problem:faces-unavailable")
    monkeypatch.setattr(services, "face_finder", Finder())
    answer = running.client.post("/v1/people/search", params=where, files=files)
    assert answer.status_code == 200, answer.text
    found, unclear = answer.json()["faces"]
    assert found["person"]["person_id"] == album.owners()[0]
    assert found["box"] == {"left": 0.0, "top": 0.1, "width": 0.25, "height": 0.4}
    assert unclear["person"] is None


def test_nothing_crosses_collections(album: Album) -> None:
    ada, elsewhere = album.owners()[0], "t-elsewhere"
    assert album.call("GET", "/v1/people", collection=elsewhere)["people"] == []
    for method, path, body in (
        ("GET", f"/v1/people/{ada}", None),
        ("PATCH", f"/v1/people/{ada}", {"name": "Mallory"}),
        ("GET", f"/v1/people/{ada}/faces", None),
        ("POST", f"/v1/people/{ada}/merge", {"into": ada}),
        ("PUT", f"/v1/faces/{album.faces[0]}/person", {"person_id": ada}),
        ("DELETE", f"/v1/faces/{album.faces[0]}/person", None),
    ):
        album.call(method, path, 404, body, collection=elsewhere)
    assert album.call("GET", "/v1/faces", image_id=album.images[0], collection=elsewhere)["faces"] == []


def test_the_command_line_names_merges_and_hides(album: Album, running: PicTrace) -> None:
    def run(*arguments: str) -> Any:
        done = CliRunner().invoke(
            main, ["people", "--collection", album.collection, "--url", running.url, *arguments], input="n\n"
        )
        assert done.exit_code == 0, done.output
        return done.stdout

    ada, bob = album.owners()[0] or "", album.owners()[3] or ""
    assert "Bob" in run("name", bob[:8], "Bob")
    assert json.loads(run("--json"))["people"][0]["name"] in {"Ada", "Bob"}
    assert "Ada" in run("merge", "bob", ada)
    album.call("GET", f"/v1/people/{bob}")
    assert "Bob" in run("unmerge", bob)
    until(lambda: album.owners()[3] == bob)
    run("hide", "Bob")
    assert "Bob" not in run()
    assert "Bob" in run("--hidden")
    run("hide", "--show", "Bob")
    run("erase", album.collection)
    assert "Bob" in run()


def test_one_call_erases_everything(album: Album, running: PicTrace) -> None:
    assert album.erase()["faces"] == 10
    assert album.people() == []
    assert album.owners() == []
    left = [item["pk"]["S"] for item in running.items(ProjectionExpression="pk")]
    assert not [pk for pk in left if pk.startswith((f"faces#{album.collection}", f"people#{album.collection}"))]
