"""Collections over HTTP: listed with counts, created, named, removed."""

from typing import Any

import pytest

from pictrace import Client, CollectionNotEmpty, Forbidden, InvalidRequest
from pictrace.answers import CollectionState
from shared.aws.clients import dynamodb_client
from shared.aws.dynamodb.collections import REGISTERED_SECONDS, DynamoCollections
from shared.domain.access import Scope
from tests.conftest import ClosedApi, PicTrace
from tests.images import noise


def listed(client: Client, limit: int = 50) -> dict[str, CollectionState]:
    """All collections by name, from as many pages as it takes."""
    found = list(client.collections(limit=limit))
    by_name = {entry["collection"]: entry for entry in found}
    assert len(by_name) == len(found)
    return by_name


def test_a_collection_exists_from_its_first_image_on(running: PicTrace, client: Client, collection: str) -> None:
    assert collection not in listed(client)
    image_id = running.add(noise(7401), collection=collection)
    entry = listed(client)[collection]
    assert (entry["images"], entry["exact"], entry["title"]) == (1, True, None)
    with pytest.raises(CollectionNotEmpty) as refused:
        client.remove_collection(collection)
    assert refused.value.status == 409
    client.delete_image(image_id, collection=collection)
    assert listed(client)[collection]["images"] == 0
    with pytest.raises(CollectionNotEmpty, match="Restore or purge"):
        client.remove_collection(collection)
    client.purge_image(image_id, collection=collection)
    client.remove_collection(collection)
    assert collection not in listed(client)


def test_a_collection_is_listed_once_an_image_of_it_is_restored(
    running: PicTrace, client: Client, collection: str
) -> None:
    image_id = running.add(noise(7404), collection=collection)
    client.delete_image(image_id, collection=collection)
    services: Any = running.cloud.app.state.services
    services.collections.remove(collection)  # as an earlier version did
    client.restore_image(image_id, collection=collection)
    assert listed(client)[collection]["images"] == 1


def test_collections_are_created_named_and_paged(client: Client, collection: str) -> None:
    names = [f"{collection}-{number}" for number in range(3)]
    for name in names:
        state = client.put_collection(name, title="Ferien in Österreich")
        assert (state["collection"], state["title"], state["images"]) == (name, "Ferien in Österreich", 0)
    created = listed(client)[names[0]]["created_at"]
    renamed = client.put_collection(names[0], title=" ")
    assert (renamed["title"], renamed["created_at"]) == (None, created)
    in_pages = listed(client, limit=2)
    assert next(iter(in_pages)) == "default"
    assert list(in_pages) == list(listed(client))
    with pytest.raises(InvalidRequest):
        client.put_collection("Upper")
    for name in names:
        client.remove_collection(name)


def test_a_key_sees_and_changes_only_its_own_collections(running: PicTrace, closed: ClosedApi, collection: str) -> None:
    running.add(noise(7402), collection=collection)
    unused = f"{collection}-unused"
    with Client(closed.url, closed.key(Scope.SEARCH, Scope.WRITE, collections=[collection, unused])) as client:
        assert {name: entry["images"] for name, entry in listed(client).items()} == {collection: 1, unused: 0}
        client.put_collection(unused, title="Ours")
        assert listed(client)[unused]["title"] == "Ours"
        with pytest.raises(Forbidden):
            client.put_collection("default")
        with pytest.raises(Forbidden):
            client.remove_collection("default")
    with Client(closed.url, closed.key(Scope.SEARCH, collections=[collection])) as client, pytest.raises(Forbidden):
        client.put_collection(collection)


def test_a_collection_of_an_earlier_version_is_listed_once_it_is_read(
    running: PicTrace, client: Client, collection: str
) -> None:
    running.add(noise(7403), collection=collection)
    DynamoCollections(dynamodb_client(), running.cloud.outputs["TableName"]).remove(collection)
    assert collection not in listed(client)
    client.list_images(collection=collection)
    assert listed(client)[collection]["images"] == 1


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
