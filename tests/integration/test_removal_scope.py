"""A removal has the same scope as a read, and includes other collections only if they are requested explicitly."""

from collections.abc import Iterator
from typing import Final

import httpx
import pytest

from shared.domain.access import Scope
from tests.conftest import ClosedApi, PicTrace
from tests.images import noise
from tests.integration.test_api_errors import problem


class Copies:
    """One image in the collections `default` and `archive`, and a check of which of them still has it completely."""

    def __init__(self, running: PicTrace, archive: str, seed: int) -> None:
        self._running = running
        self.archive = archive
        self.data: Final = noise(seed)
        self.image_id = running.add(self.data, collection=archive)
        assert running.add(self.data, collection="default") == self.image_id

    def holders(self) -> set[str]:
        return {name for name in ("default", self.archive) if self._holds(name)}

    def _holds(self, collection: str) -> bool:
        where = {"collection": collection}
        listed = self._running.client.get("/v1/images", params=where).json()["images"]
        record = next((image for image in listed if image["image_id"] == self.image_id), None)
        if record is None:
            assert self._running.client.get(f"/v1/images/{self.image_id}", params=where).status_code == 404
            return False
        content = self._running.client.get(record["url"]).headers["location"]
        assert httpx.get(content).content == self.data
        assert httpx.get(record["thumbnail_url"]).headers["content-type"] == "image/webp"
        found = self._running.search(self.data, collection=collection, k=1)["matches"]
        assert found[0]["verdict"] == "identical"
        return True


@pytest.fixture
def copies(running: PicTrace, collection: str) -> Iterator[Copies]:
    made = Copies(running, collection, 7301)
    yield made
    running.client.delete(f"/v1/images/{made.image_id}", params={"collections": "all"})


def test_a_removal_without_a_collection_applies_to_the_default_one(running: PicTrace, copies: Copies) -> None:
    path = f"/v1/images/{copies.image_id}"
    assert copies.holders() == {"default", copies.archive}
    assert running.client.delete(path).status_code == 204
    assert copies.holders() == {copies.archive}
    again = running.client.delete(path)
    assert problem(again) == (404, "not-found")
    assert "default" in again.json()["detail"]
    assert copies.holders() == {copies.archive}


def test_a_removal_from_every_collection_must_be_requested_explicitly(running: PicTrace, copies: Copies) -> None:
    path = f"/v1/images/{copies.image_id}"
    for wrong in ({"collections": "All"}, {"collections": "default"}, {"collections": "all", "collection": "default"}):
        assert problem(running.client.delete(path, params=wrong)) == (422, "invalid-request")
    assert copies.holders() == {"default", copies.archive}
    assert running.client.delete(path, params={"collections": "all"}).status_code == 204
    assert copies.holders() == set()
    assert problem(running.client.delete(path, params={"collections": "all"})) == (404, "not-found")


def test_a_removal_from_every_collection_needs_admin_and_stays_within_the_key(
    closed: ClosedApi, copies: Copies, collection: str
) -> None:
    path, everywhere = f"/v1/images/{copies.image_id}", {"collections": "all"}
    for scopes in ((Scope.WRITE,), (Scope.SEARCH, Scope.WRITE)):
        with closed.client(closed.key(*scopes)) as client:
            refused = client.delete(path, params=everywhere)
            assert problem(refused) == (403, "forbidden")
            assert "admin" in refused.json()["detail"]
    assert copies.holders() == {"default", copies.archive}
    with closed.client(closed.key(Scope.ADMIN, collections=["default", f"{collection}-b"])) as client:
        assert client.delete(path, params=everywhere).status_code == 204
        assert copies.holders() == {copies.archive}
        assert problem(client.delete(path, params={"collection": copies.archive})) == (403, "forbidden")
    with closed.client(closed.key(Scope.ADMIN, collections=[copies.archive])) as client:
        assert client.delete(path).status_code == 204, "where nothing is named, the key's only one"
    assert copies.holders() == set()


def test_a_key_for_several_collections_without_the_default_must_name_one(
    closed: ClosedApi, running: PicTrace, copies: Copies, collection: str
) -> None:
    with closed.client(closed.key(Scope.WRITE, collections=[copies.archive, f"{collection}-b"])) as client:
        assert problem(client.delete(f"/v1/images/{copies.image_id}")) == (422, "invalid-request")
    assert copies.holders() == {"default", copies.archive}
