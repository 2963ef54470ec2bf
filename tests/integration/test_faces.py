"""Faces of a collection: turned on, found in what comes and in what is there, and gone with their image."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.local.cloud import STACK
from infra.local.data_folder import DataFolder
from infra.local.serving import serving
from infra.local.system import local_system
from infra.operate.__main__ import main
from pictrace import Client
from pictrace.errors import FacesUnavailable, Forbidden, NotFound
from shared.aws.clients import dynamodb_client
from shared.aws.dynamodb.collections import DynamoCollections
from shared.domain.access import Scope
from tests.conftest import ClosedApi, PicTrace
from tests.images import encoded, noise, pixels
from tests.integration.conftest import until

ASTRONAUT = encoded(pixels("astronaut.png"), ".jpg")
CAMERAMAN = encoded(pixels("camera.png"), ".jpg")


@pytest.fixture(scope="module")
def embedded(model_dir: Path, faces_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = DataFolder(tmp_path_factory.mktemp("data"), is_new=True)
    with (
        local_system(folder, model_dir, faces_dir=faces_dir) as system,
        serving(system.app, 0) as url,
        Client(url) as client,
    ):
        yield client


def add(client: Client, data: bytes, collection: str) -> str:
    image = client.add(data, filename="a.jpg", collection=collection)["image_id"]
    assert image
    return image


def faces(client: Client, collection: str) -> list[dict[str, Any]]:
    answer = httpx.get(f"{client.url}/v1/faces", params={"collection": collection})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["faces"]
    return found


def test_faces_follow_their_images(embedded: Client, collection: str) -> None:
    earlier = add(embedded, CAMERAMAN, collection)
    assert embedded.collection(collection)["faces"] is False
    assert faces(embedded, collection) == []

    assert embedded.change_collection(collection, faces=True)["faces"] is True
    until(lambda: {face["image_id"] for face in faces(embedded, collection)} == {earlier})
    later = add(embedded, ASTRONAUT, collection)
    add(embedded, noise(7_900), collection)
    until(lambda: {face["image_id"] for face in faces(embedded, collection)} == {earlier, later})

    embedded.delete_image(later, collection=collection)
    until(lambda: {face["image_id"] for face in faces(embedded, collection)} == {earlier})
    embedded.restore_image(later, collection=collection)
    until(lambda: {face["image_id"] for face in faces(embedded, collection)} == {earlier, later})
    embedded.delete_image(later, collection=collection)
    embedded.purge_image(later, collection=collection)
    until(lambda: {face["image_id"] for face in faces(embedded, collection)} == {earlier})

    embedded.change_collection(collection, faces=False)
    add(embedded, ASTRONAUT, collection)
    assert {face["image_id"] for face in faces(embedded, collection)} == {earlier}


def test_an_emulated_deployment_finds_faces_too(running: PicTrace, client: Client, collection: str) -> None:
    client.change_collection(collection, faces=True)
    image = running.add(ASTRONAUT, collection=collection)
    until(lambda: [face["image_id"] for face in faces(client, collection)] == [image])
    assert client.stats()["face_model"] == "dlib-resnet-v1-f16"


def test_the_operator_has_the_faces_found_of_what_is_there(
    running: PicTrace, client: Client, collection: str, capsys: pytest.CaptureFixture[str]
) -> None:
    image = running.add(ASTRONAUT, collection=collection)
    DynamoCollections(dynamodb_client(), running.cloud.outputs["TableName"]).set_faces(collection, on=True)
    assert main(["--stack", STACK, "reindex", "--faces", "--yes"]) == 0
    assert f"{collection}: 1 images" in capsys.readouterr().out
    until(lambda: [face["image_id"] for face in faces(client, collection)] == [image])
    client.change_collection(collection, faces=False)


def test_only_an_administrator_turns_faces_on(closed: ClosedApi, collection: str) -> None:
    with Client(closed.url, closed.key(Scope.SEARCH, Scope.WRITE)) as writer, pytest.raises(Forbidden):
        writer.change_collection(collection, faces=True)
    with Client(closed.url, closed.key(Scope.ADMIN, collections=[collection])) as owner:
        assert owner.change_collection(collection, faces=True)["faces"] is True
        with pytest.raises(Forbidden):
            owner.change_collection("default", faces=True)
    with Client(closed.url, closed.key(Scope.SEARCH)) as reader:
        assert reader.collection(collection)["faces"] is True
        with pytest.raises(NotFound):
            reader.collection(f"{collection}-2")


def test_a_system_without_the_networks_says_so(model_dir: Path, tmp_path: Path) -> None:
    folder = DataFolder(tmp_path, is_new=True)
    with local_system(folder, model_dir) as system, serving(system.app, 0) as url, Client(url) as client:
        assert client.stats()["face_model"] is None
        with pytest.raises(FacesUnavailable):
            client.change_collection("default", faces=True)
        assert client.change_collection("default", faces=False)["faces"] is False
