"""What earlier versions stored is read by this one."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra.local.data_folder import data_folder
from infra.local.serving import bind, serving
from infra.local.system import local_system
from pictrace import Client
from shared.vision.signature import unpack
from tests import stored_data
from tests.conftest import PicTrace
from tests.stored_data import COLLECTION, STORED, images

FOLDERS = sorted(path.name.removeprefix("folder-").removesuffix(".tar.gz") for path in STORED.glob("folder-*"))
TABLES = sorted(path.name.removeprefix("table-").removesuffix(".json.gz") for path in STORED.glob("table-*"))


def binary(item: dict[str, Any]) -> dict[str, Any]:
    """An item with its bytes, which JSON holds as text."""
    if "__b64__" in item:
        return {"B": base64.b64decode(item["__b64__"])}
    return {name: _decoded(value) for name, value in item.items()}


def _decoded(value: Any) -> Any:
    if isinstance(value, dict):
        return base64.b64decode(value["__b64__"]) if "__b64__" in value else binary(value)
    return [_decoded(one) for one in value] if isinstance(value, list) else value


@pytest.fixture(params=TABLES)
def restored(request: pytest.FixtureRequest, running: PicTrace) -> Iterator[list[str]]:
    """The items and objects of a version in the running stack, and the ids of their images."""
    stored = stored_data.table(request.param)
    outputs, s3, dynamodb = running.cloud.outputs, boto3.client("s3"), boto3.client("dynamodb")
    table, bucket = outputs["TableName"], outputs["BucketName"]
    items = [binary(_moved(item, stored["bucket"], bucket)) for item in stored["items"]]
    for key, data in stored["objects"].items():
        if not key.startswith("uploads/"):
            s3.put_object(Bucket=bucket, Key=key, Body=base64.b64decode(data))
    for item in items:
        dynamodb.put_item(TableName=table, Item=item)
    yield [item["image_id"]["S"] for item in items if "phash" in item]
    for item in items:
        dynamodb.delete_item(TableName=table, Key={"pk": item["pk"], "sk": item["sk"]})


def _moved(value: Any, old: str, new: str) -> Any:
    """The same with the name of another bucket."""
    if isinstance(value, dict):
        return {_moved(name, old, new): _moved(one, old, new) for name, one in value.items()}
    if isinstance(value, list):
        return [_moved(one, old, new) for one in value]
    return value.replace(old, new) if isinstance(value, str) else value


def test_table_items_of_an_earlier_version_are_read(running: PicTrace, restored: list[str], client: Client) -> None:
    assert len(restored) == 2
    listed = list(client.images(collection=COLLECTION))
    assert sorted(image["image_id"] for image in listed) == sorted(restored)
    assert {image["filename"] for image in listed} == {"cat.jpg", "cat-crop.jpg"}
    assert all(image["phash"] and image["width"] for image in listed)
    [group] = client.duplicates(collection=COLLECTION)
    assert {image["image_id"] for image in group["images"]} == set(restored)
    client.delete_image(restored[0], collection=COLLECTION)
    assert client.restore_image(restored[0], collection=COLLECTION)["image_id"] == restored[0]


@pytest.mark.parametrize("version", TABLES)
def test_signatures_of_an_earlier_version_are_read(version: str) -> None:
    objects = stored_data.table(version)["objects"]
    signatures = [unpack(base64.b64decode(data)) for key, data in objects.items() if key.startswith("signatures/")]
    assert [len(signature.keypoints) > 50 for signature in signatures] == [True, True]


@pytest.mark.parametrize("version", FOLDERS)
def test_a_data_folder_of_an_earlier_version_is_opened(version: str, model_dir: Path, tmp_path: Path) -> None:
    stored_data.unpack_folder(version, tmp_path / "data")
    with (
        data_folder(str(tmp_path / "data")) as folder,
        bind(0) as listener,
        local_system(folder, model_dir, closed=False) as system,
        serving(system.app, listener) as url,
        Client(url) as client,
    ):
        assert not folder.is_new
        listed = list(client.images(collection=COLLECTION))
        assert {image["filename"] for image in listed} == set(images())
        [group] = client.duplicates(collection=COLLECTION)
        assert len(group["images"]) == 2
        found = client.search(listed[0]["image_id"], collection=COLLECTION)["matches"]
        assert [match["verdict"] for match in found][:2] == ["identical", "near-duplicate"]


def test_each_kind_of_data_is_stored() -> None:
    assert FOLDERS
    assert TABLES
