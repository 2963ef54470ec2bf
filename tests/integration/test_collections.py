"""Collections over HTTP: listed with counts, created, named, removed."""

from typing import Any

import httpx
import pytest

from shared.aws.clients import dynamodb_client
from shared.aws.dynamodb.collections import REGISTERED_SECONDS, DynamoCollections
from shared.domain.access import Scope
from tests.conftest import ClosedApi, PicTrace
from tests.images import noise


def listed(client: httpx.Client, limit: int = 50) -> dict[str, Any]:
    """All collections by name, from as many pages as it takes."""
    found: dict[str, Any] = {}
    cursor = None
    while True:
        where: dict[str, Any] = {"limit": limit} | ({"cursor": cursor} if cursor else {})
        page = client.get("/v1/collections", params=where).json()
        for entry in page["collections"]:
            assert entry["collection"] not in found
            found[entry["collection"]] = entry
        cursor = page["cursor"]
        if cursor is None:
            return found


def test_a_collection_exists_from_its_first_image_on(running: PicTrace, collection: str) -> None:
    assert collection not in listed(running.client)
    image_id = running.add(noise(7401), collection=collection)
    entry = listed(running.client)[collection]
    assert (entry["images"], entry["exact"], entry["title"]) == (1, True, None)
    where = f"/v1/collections/{collection}"
    refused = running.client.delete(where)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:pictrace:problem:collection-not-empty")
    running.client.delete(f"/v1/images/{image_id}", params={"collection": collection})
    assert listed(running.client)[collection]["images"] == 0
    assert running.client.delete(where).status_code == 204
    assert collection not in listed(running.client)


def test_collections_are_created_named_and_paged(running: PicTrace, collection: str) -> None:
    names = [f"{collection}-{number}" for number in range(3)]
    for name in names:
        answer = running.client.put(f"/v1/collections/{name}", json={"title": "Ferien in Österreich"})
        assert answer.json().items() >= {"collection": name, "title": "Ferien in Österreich", "images": 0}.items()
    created = listed(running.client)[names[0]]["created_at"]
    renamed = running.client.put(f"/v1/collections/{names[0]}", json={"title": " "}).json()
    assert (renamed["title"], renamed["created_at"]) == (None, created)
    in_pages = listed(running.client, limit=2)
    assert next(iter(in_pages)) == "default"
    assert list(in_pages) == list(listed(running.client))
    assert running.client.put("/v1/collections/Upper", json={}).status_code == 422
    for name in names:
        running.client.delete(f"/v1/collections/{name}")


def test_a_key_sees_and_changes_only_its_own_collections(running: PicTrace, closed: ClosedApi, collection: str) -> None:
    running.add(noise(7402), collection=collection)
    unused = f"{collection}-unused"
    with closed.client(closed.key(Scope.SEARCH, Scope.WRITE, collections=[collection, unused])) as client:
        assert {name: entry["images"] for name, entry in listed(client).items()} == {collection: 1, unused: 0}
        assert client.put(f"/v1/collections/{unused}", json={"title": "Ours"}).status_code == 200
        assert listed(client)[unused]["title"] == "Ours"
        assert client.put("/v1/collections/default", json={}).status_code == 403
        assert client.delete("/v1/collections/default").status_code == 403
    with closed.client(closed.key(Scope.SEARCH, collections=[collection])) as client:
        assert client.put(f"/v1/collections/{collection}", json={}).status_code == 403


def test_a_collection_of_an_earlier_version_is_listed_once_it_is_read(running: PicTrace, collection: str) -> None:
    running.add(noise(7403), collection=collection)
    DynamoCollections(dynamodb_client(), running.cloud.outputs["TableName"]).remove(collection)
    assert collection not in listed(running.client)
    running.client.get("/v1/images", params={"collection": collection})
    assert listed(running.client)[collection]["images"] == 1


@pytest.mark.parametrize(("seconds", "again"), [(REGISTERED_SECONDS - 1, False), (REGISTERED_SECONDS, True)])
def test_a_process_registers_a_collection_once_a_minute(
    running: PicTrace, collection: str, seconds: int, again: bool
) -> None:
    now = 1000.0
    table = running.cloud.outputs["TableName"]
    ours = DynamoCollections(dynamodb_client(), table, lambda: now)
    ours.register(collection)
    DynamoCollections(dynamodb_client(), table).remove(collection)
    now += seconds
    ours.register(collection)
    assert bool(ours.find([collection])) is again
