"""Albums through the API, and the links that share them."""

import io
import json
import time
from collections.abc import Callable
from typing import Any

import httpx
from PIL import Image

from functions.api.album_shares import AlbumShares
from infra.local.schedule import scheduled_messages
from shared.aws.clients import dynamodb_client
from shared.aws.dynamodb.album_trash import DynamoAlbumTrash
from shared.aws.dynamodb.albums import DynamoAlbums
from shared.aws.dynamodb.catalogue import DynamoCatalogue
from shared.aws.dynamodb.shares import DynamoShares
from shared.domain.access import Scope
from shared.domain.albums import Album, AlbumKey, new_album_id, token_hash
from shared.domain.errors import NotFound
from tests.conftest import ClosedApi, PicTrace
from tests.images import encoded, noise, pixels, taken
from tests.integration.conftest import send, until

NOBODY = "0" * 64


def listed(running: PicTrace, collection: str, **conditions: Any) -> list[str]:
    answer = running.client.get("/v1/images", params={"collection": collection, **conditions})
    assert answer.status_code == 200, answer.text
    return [image["image_id"] for image in answer.json()["images"]]


def create(running: PicTrace, collection: str, *images: str, title: str = "Rome") -> str:
    answer = running.client.post("/v1/albums", json={"title": title, "collection": collection})
    assert answer.status_code == 201, answer.text
    album = str(answer.json()["album_id"])
    if images:
        change(running, collection, album, add=images)
    return album


def change(running: PicTrace, collection: str, album: str, **images: Any) -> Any:
    answer = running.client.patch(f"/v1/albums/{album}/images", params={"collection": collection}, json=images)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_an_album_has_images_until_they_are_purged(running: PicTrace, collection: str) -> None:
    where = {"collection": collection}
    one, two = (running.add(noise(seed), collection=collection) for seed in (15_101, 15_102))
    album = create(running, collection, title=" Rome ")
    changed = change(running, collection, album, add=[one, NOBODY])
    assert changed["missing"] == [NOBODY]
    assert changed["album"].items() >= {"title": "Rome", "images": 1, "cover": one, "collection": collection}.items()
    change(running, collection, album, add=[two])
    path = f"/v1/albums/{album}"
    described = running.client.patch(path, params=where, json={"description": "May", "cover": two}).json()
    assert (described["title"], described["description"], described["cover"]) == ("Rome", "May", two)
    assert httpx.get(described["cover_url"]).headers["content-type"] == "image/webp"
    assert listed(running, collection, album=album) == [two, one]
    assert listed(running, collection, album=album, sort="taken", order="oldest") == [one, two]
    assert running.client.get("/v1/albums", params=where | {"image_id": one}).json()["albums"] == [described]
    assert running.client.get("/v1/albums", params=where).json() == {"albums": [described], "cursor": None}

    running.client.delete(f"/v1/images/{two}", params=where).raise_for_status()
    assert listed(running, collection, album=album) == [one]
    assert running.client.get(path, params=where).json()["cover"] == one
    running.client.post(f"/v1/trash/{two}/restore", params=where).raise_for_status()
    assert running.client.get(path, params=where).json() == described
    running.client.delete(f"/v1/images/{two}", params=where).raise_for_status()
    running.client.delete(f"/v1/trash/{two}", params=where).raise_for_status()
    until(lambda: running.client.get(path, params=where).json()["images"] == 1)
    running.add(noise(15_102), collection=collection)
    assert listed(running, collection, album=album) == [one]

    for wrong in ({"title": " "}, {"title": None}, {"cover": two}, {"name": "x"}):
        assert running.client.patch(path, params=where, json=wrong).status_code == 422, wrong
    for missing in (f"/v1/albums/{'0' * 32}", "/v1/albums/x", f"/v1/albums/{album}?collection=another"):
        assert running.client.get(missing, params=where if "?" not in missing else None).status_code == 404
    assert running.client.get("/v1/images", params=where | {"album": "0" * 32}).status_code == 404
    assert running.client.delete(path, params=where).status_code == 204
    assert running.client.delete(path, params=where).status_code == 404
    assert one in listed(running, collection)


def test_a_link_shows_the_images_of_its_album_without_places_and_nothing_else(
    running: PicTrace, closed: ClosedApi, collection: str
) -> None:
    where = {"collection": collection}
    photo = taken(encoded(pixels("rocket.jpg"), ".jpg"), "2011:12:13 14:15:16", place=(48.8584, 2.2945))
    shown, trashed = running.add(photo, collection=collection), running.add(noise(15_103), collection=collection)
    other = running.add(noise(15_104), collection=collection)
    assert running.client.get(f"/v1/images/{shown}", params=where).json()["location"] is not None
    album = create(running, collection, shown, trashed)
    running.client.delete(f"/v1/images/{trashed}", params=where).raise_for_status()
    answer = running.client.post(f"/v1/albums/{album}/shares", params=where, json={})
    assert answer.status_code == 201, answer.text
    share = answer.json()
    token = share["token"]
    assert share["url"] == f"/shared/{token}"

    base = f"{closed.url}/v1/shared/{token}"  # an API that requires keys
    about = httpx.get(base).json()
    assert about == {"title": "Rome", "description": None, "expires_at": share["expires_at"]}
    page = httpx.get(f"{base}/images")
    (image,) = page.json()["images"]
    assert set(image) == {"image_id", "url", "thumbnail_url", "width", "height", "taken_at"}
    assert (image["image_id"], image["taken_at"]) == (shown, "2011-12-13T14:15:16")
    assert "48.8" not in page.text
    link = httpx.get(f"{closed.url}{image['url']}", headers={"Accept": "application/json"}).json()["url"]
    for url in (link, image["thumbnail_url"]):
        data = httpx.get(url).content
        assert data[8:12] == b"WEBP"
        assert b"EXIF" not in data
        assert b"XMP" not in data
    preview = Image.open(io.BytesIO(httpx.get(link).content))
    assert preview.size == (image["width"], image["height"])
    assert httpx.get(f"{base}/images/{shown}/thumbnail").status_code == 307

    for image_id in (trashed, other, NOBODY, "x"):
        for kind in ("content", "thumbnail"):
            assert httpx.get(f"{base}/images/{image_id}/{kind}").status_code == 404
    for path in ("/v1/images", "/v1/albums", f"/v1/images/{shown}", f"/v1/images/{shown}/content", "/v1/stats"):
        for headers in ({}, {"Authorization": f"Bearer {token}"}, {"X-Api-Key": token}):
            assert httpx.get(f"{closed.url}{path}", params=where, headers=headers).status_code == 401
    assert httpx.post(base).status_code == httpx.delete(f"{base}/images/{shown}/content").status_code == 405
    assert httpx.get(f"{base}/images", params={"collection": collection}).status_code == 422
    assert httpx.get(f"{closed.url}/shared/{token}").headers["content-type"].startswith("text/html")

    shares = {"FilterExpression": "contains(pk, :share)", "ExpressionAttributeValues": {":share": {"S": "share"}}}
    items = json.dumps(running.items(**shares))
    assert token_hash(token) in items
    assert token not in items

    (known,) = running.client.get(f"/v1/albums/{album}/shares", params=where).json()["shares"]
    assert known == {name: share[name] for name in ("share_id", "created_at", "expires_at")}
    gone = running.client.delete(f"/v1/albums/{album}/shares/{known['share_id']}", params=where)
    assert gone.status_code == 204
    for path in ("", "/images", f"/images/{shown}/content"):
        assert httpx.get(f"{base}{path}").status_code == 404


def test_a_link_ends_after_thirty_days_by_default(running: PicTrace, collection: str) -> None:
    where = {"collection": collection}
    album = create(running, collection)
    path = f"/v1/albums/{album}/shares"
    share = running.client.post(path, params=where, json={}).json()
    short = running.client.post(path, params=where, json={"days": 1}).json()
    table, client = running.cloud.outputs["TableName"], dynamodb_client()

    def after(days: float) -> AlbumShares:
        return AlbumShares(
            albums=DynamoAlbums(client, table),
            shares=DynamoShares(client, table),
            catalogue=DynamoCatalogue(client, table),
            clock=lambda: time.time() + days * 86_400,
        )

    def works(days: float, token: str) -> bool:
        try:
            return bool(after(days).open(token))
        except NotFound:
            return False

    assert works(29.99, share["token"])
    assert not works(30.01, share["token"])
    assert works(0.99, short["token"])
    assert not works(1.01, short["token"])
    assert len(after(1.01).list_all(AlbumKey(collection, album))) == 1
    for days in (0, 3651, "x"):
        assert running.client.post(path, params=where, json={"days": days}).status_code == 422
    running.client.delete(f"/v1/albums/{album}", params=where).raise_for_status()
    assert not works(0, share["token"])


def test_a_deleted_album_is_restored_with_its_images_and_links(running: PicTrace, collection: str) -> None:
    where = {"collection": collection}
    one = running.add(noise(15_120), collection=collection)
    album = create(running, collection, one, title="Rome")
    path, again = f"/v1/albums/{album}", f"/v1/trash/albums/{album}/restore"
    shared = running.client.post(f"{path}/shares", params=where, json={}).json()
    link = f"/v1/shared/{shared['token']}"
    before = running.client.get(path, params=where).json()
    assert running.client.post(again, params=where).status_code == 404

    assert running.client.delete(path, params=where).status_code == 204
    assert running.client.delete(path, params=where).status_code == 404
    for gone in (link, f"{link}/images", f"{link}/images/{one}/thumbnail"):
        assert running.client.get(gone).status_code == 404
    assert running.client.get(path, params=where).status_code == 404
    assert running.client.get("/v1/images", params=where | {"album": album}).status_code == 404
    assert running.client.get("/v1/albums", params=where).json()["albums"] == []
    assert running.client.get("/v1/albums", params=where | {"image_id": one}).json()["albums"] == []
    assert listed(running, collection) == [one]
    page = running.client.get("/v1/trash/albums", params=where).json()
    (entry,) = page["albums"]
    assert (entry["album_id"], entry["title"], entry["images"], page["days"]) == (album, "Rome", 1, 30)
    assert entry["trashed_at"] < entry["purged_at"]

    assert running.client.post(again, params={"collection": "another"}).status_code == 404
    assert running.client.post(again, params=where).json() == before
    assert running.client.post(again, params=where).status_code == 404
    assert running.client.get(link).json()["title"] == "Rome"
    assert listed(running, collection, album=album) == [one]


def test_an_album_that_is_brought_again_is_restored_without_its_links(running: PicTrace, collection: str) -> None:
    where = {"collection": collection}
    one = running.add(noise(15_121), collection=collection)
    album = create(running, collection, one, title="Rome")
    path = f"/v1/albums/{album}"
    shared = running.client.post(f"{path}/shares", params=where, json={}).json()
    running.client.delete(path, params=where).raise_for_status()
    brought = running.client.put(path, params=where, json={"title": "Roma"}).json()
    assert (brought["title"], brought["images"]) == ("Rome", 1)
    assert running.client.get(f"/v1/shared/{shared['token']}").status_code == 404
    assert running.client.get(f"{path}/shares", params=where).json()["shares"] == []


def test_albums_are_purged_with_the_trash(running: PicTrace, collection: str) -> None:
    where = {"collection": collection}
    one = running.add(noise(15_122), collection=collection)
    old, new, kept = (create(running, collection, one) for _ in range(3))
    albums = DynamoAlbumTrash(dynamodb_client(), running.cloud.outputs["TableName"])
    assert albums.put(AlbumKey(collection, old), "2026-01-01T00:00:00.000000+00:00")
    running.client.delete(f"/v1/albums/{new}", params=where).raise_for_status()

    def trashed() -> list[str]:
        page = running.client.get("/v1/trash/albums", params=where).json()
        return [album["album_id"] for album in page["albums"]]

    assert trashed() == [new, old]
    (body,) = scheduled_messages(running.cloud.template)
    send(running, body)
    until(lambda: trashed() == [new])
    running.client.delete("/v1/trash", params=where).raise_for_status()
    until(lambda: trashed() == [])
    assert running.client.post(f"/v1/trash/albums/{new}/restore", params=where).status_code == 404
    assert listed(running, collection, album=kept) == [one]


class SlowClient:
    """A client before whose first call that is not a read of one item something else happens."""

    def __init__(self, client: Any, meanwhile: Callable[[], None]) -> None:
        self._client = client
        self._meanwhile = [meanwhile]

    def __getattr__(self, name: str) -> Any:
        if name not in ("get_item", "exceptions") and self._meanwhile:
            self._meanwhile.pop()()
        return getattr(self._client, name)


def test_a_slow_creation_wipes_nothing_of_an_album_that_a_repetition_has_created(
    running: PicTrace, collection: str
) -> None:
    one = running.add(noise(15_123), collection=collection)
    client, table = dynamodb_client(), running.cloud.outputs["TableName"]
    key = AlbumKey(collection, new_album_id())
    album = Album(key, "Rome", None, None, 0, "2026-11-28T18:00:00+00:00")

    def repeat() -> None:
        albums = DynamoAlbums(client, table)
        albums.create(album)
        albums.add(key, [one])

    slow: Any = SlowClient(client, repeat)
    DynamoAlbums(slow, table).create(album)
    assert listed(running, collection, album=key.album_id) == [one]
    assert running.client.get(f"/v1/albums/{key.album_id}", params={"collection": collection}).json()["images"] == 1


def test_only_a_key_that_reads_and_writes_shares(running: PicTrace, closed: ClosedApi, collection: str) -> None:
    album = create(running, collection)
    for scopes, expected in (
        ((Scope.SEARCH,), 403),
        ((Scope.WRITE,), 403),
        ((Scope.SEARCH, Scope.WRITE), 201),
        ((Scope.ADMIN,), 201),
    ):
        with closed.client(closed.key(*scopes, collections=[collection])) as client:
            answer = client.post(f"/v1/albums/{album}/shares", json={})
            assert answer.status_code == expected, answer.text
    with closed.client(closed.key(Scope.SEARCH, collections=[collection])) as client:
        assert client.post("/v1/albums", json={"title": "x"}).status_code == 403
        assert client.patch(f"/v1/albums/{album}/images", json={}).status_code == 403
        assert client.delete(f"/v1/albums/{album}").status_code == 403
        assert client.get(f"/v1/albums/{album}").status_code == 200
