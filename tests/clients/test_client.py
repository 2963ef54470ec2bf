"""The client against the running system, synchronous and asynchronous."""

import asyncio
import io
from pathlib import Path

import pytest

import pictrace
from pictrace import AsyncClient, Client
from shared.domain.access import Scope
from tests.conftest import ClosedApi, PicTrace
from tests.images import noise


@pytest.fixture(scope="module")
def stored(running: PicTrace) -> str:
    """A collection with three images, named 0.png to 2.png."""
    collection = "clients"
    with Client(running.url) as client:
        for seed in range(3):
            client.add(noise(17_000 + seed), filename=f"{seed}.png", collection=collection)
    return collection


def test_an_image_is_added_with_progress_and_found(client: Client, tmp_path: Path, collection: str) -> None:
    file = tmp_path / "note.png"
    file.write_bytes(noise(17_100))
    sent: list[tuple[int, int]] = []
    state = client.add(file, collection=collection, progress=lambda *counts: sent.append(counts))
    assert (state["status"], state["collection"]) == ("indexed", collection)
    assert sent[-1] == (file.stat().st_size,) * 2
    assert client.add(file, collection=collection)["status"] == "duplicate"
    image_id = state["image_id"]
    assert image_id
    assert client.get_image(image_id, collection=collection)["filename"] == "note.png"
    assert client.download(image_id, collection=collection) == file.read_bytes()
    for query in (file, str(file), file.read_bytes(), file.open("rb"), image_id, state["upload_id"]):
        [match] = client.search(query, collection=collection, min_verdict="identical")["matches"]
        assert (match["image_id"], match["reason"]) == (image_id, "same bytes"), query
    assert client.read_link(match["image"]["thumbnail_url"])[8:12] == b"WEBP"
    assert client.read_link(client.thumbnail_link(image_id)["url"])[8:12] == b"WEBP"


def test_pages_are_iterated_as_they_are_needed(client: Client, stored: str) -> None:
    names = [image["filename"] for image in client.images(collection=stored, limit=1, order="oldest")]
    assert names == ["0.png", "1.png", "2.png"]
    first = next(client.images(collection=stored, limit=1))
    assert first["filename"] == "2.png"
    assert [image["filename"] for image in client.images(collection=stored, filename="1.p")] == ["1.png"]
    assert stored in [entry["collection"] for entry in client.collections(limit=1)]


def test_metadata_is_changed_as_a_merge_patch(client: Client, stored: str) -> None:
    image_id = next(client.images(collection=stored))["image_id"]
    client.change_image(image_id, collection=stored, external_id="DAM-1", fields={"by": "Ada"})
    record = client.change_image(image_id, collection=stored, external_id=None)
    assert (record["external_id"], record["fields"]) == (None, {"by": "Ada"})
    [found] = client.images(collection=stored, field=["by:Ada"])
    assert found["image_id"] == image_id


def test_images_are_compared_and_drawn(client: Client, stored: str) -> None:
    first, second, _ = client.images(collection=stored, order="oldest")
    assert client.compare(noise(17_000), noise(17_000))["reason"] == "same bytes"
    assert client.compare(noise(17_000), first["image_id"])["verdict"] == "identical"
    assert client.compare(first["image_id"], second["image_id"])["verdict"] != "identical"
    drawn = client.draw_comparison(noise(17_000), second["image_id"], picture="difference")
    assert drawn.startswith(b"\x89PNG")


def test_a_deleted_image_is_restored_and_purged(client: Client, collection: str) -> None:
    image_id = str(client.add(noise(17_200), collection=collection)["image_id"])
    client.delete_image(image_id, collection=collection)
    with pytest.raises(pictrace.NotFound, match="no image"):
        client.get_image(image_id, collection=collection)
    assert [image["image_id"] for image in client.trash(collection=collection)] == [image_id]
    assert client.restore_image(image_id, collection=collection)["image_id"] == image_id
    with pytest.raises(pictrace.CollectionNotEmpty):
        client.remove_collection(collection)
    client.delete_image(image_id, collection=collection)
    client.purge_image(image_id, collection=collection)
    client.empty_trash(collection=collection)
    assert client.put_collection(collection, title="Ferien")["title"] == "Ferien"
    client.remove_collection(collection)


def test_a_deleted_album_is_restored(client: Client, collection: str) -> None:
    album = client.create_album("Rom", collection=collection)
    client.delete_album(album["album_id"], collection=collection)
    with pytest.raises(pictrace.NotFound, match="no album"):
        client.get_album(album["album_id"], collection=collection)
    [deleted] = client.trashed_albums(collection=collection)
    assert (deleted["album_id"], deleted["title"]) == (album["album_id"], "Rom")
    assert client.list_trashed_albums(collection=collection)["days"] == 30
    assert client.restore_album(album["album_id"], collection=collection) == album
    assert list(client.trashed_albums(collection=collection)) == []


def test_duplicates_are_listed_decided_and_resolved(client: Client, collection: str) -> None:
    from tests.images import encoded, pixels

    chelsea = pixels("chelsea.png")
    kept = str(client.add(encoded(chelsea, ".png"), collection=collection)["image_id"])
    copy = str(client.add(encoded(chelsea, ".jpg", 1, 60), collection=collection)["image_id"])
    [group] = client.duplicates(collection=collection)
    assert [image["image_id"] for image in group["images"]] == [kept, copy]
    assert client.duplicate_group(copy, collection=collection)["best"] == kept
    assert client.keep_image(kept, copy, collection=collection)["best"] == copy
    client.keep_image(copy, kept, collection=collection)
    [planned] = client.resolutions(collection=collection)
    assert [image["image_id"] for image in planned["deleted"]] == [copy]
    client.decide_duplicates(images=[kept, copy], decision="both-kept", collection=collection)
    assert list(client.duplicates(collection=collection)) == []
    client.decide_duplicates(images=[kept, copy], decision=None, collection=collection)
    assert client.start_duplicate_check(collection=collection)["images"] == 2
    assert client.duplicate_check(collection=collection)["status"] in ("running", "done")


def test_errors_are_classes(client: Client, closed: ClosedApi, collection: str) -> None:
    with pytest.raises(pictrace.UnknownLabel) as unknown:
        client.list_images(label="elefant")
    assert list(unknown.value.suggestions) == ["elephant"]
    with pytest.raises(pictrace.InvalidRequest) as invalid:
        client.search("0" * 64, k=0)
    assert invalid.value.errors[0]["where"] == ["query", "k"]
    with pytest.raises(pictrace.UnsupportedMediaType) as unsupported:
        client.search(b"no image")
    assert (unsupported.value.status, unsupported.value.code) == (415, "unsupported_type")
    with pytest.raises(pictrace.ImageRejected) as rejected:
        client.add(io.BytesIO(b"no image"), collection=collection)
    assert rejected.value.code == "unsupported_type"
    with pytest.raises(FileNotFoundError):
        client.search("missing.jpg")
    with Client(closed.url) as stranger, pytest.raises(pictrace.Unauthenticated):
        stranger.stats()
    reader = closed.key(Scope.SEARCH)
    with Client(closed.url, reader) as known, pytest.raises(pictrace.Forbidden, match="write"):
        known.add(noise(17_300))


def test_the_environment_names_address_and_key(closed: ClosedApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PICTRACE_URL", closed.url)
    monkeypatch.setenv("PICTRACE_API_KEY", closed.key(Scope.SEARCH, collections=["mine"]))
    with Client() as client:
        assert client.stats()["collection"] == "mine"


def test_the_asynchronous_client_does_the_same_at_once(running: PicTrace, collection: str) -> None:
    async def work() -> None:
        async with AsyncClient(running.url) as client:
            files = [noise(17_400 + seed) for seed in range(4)]
            states = await asyncio.gather(*(client.add(file, collection=collection) for file in files))
            ids = {state["image_id"] for state in states}
            assert {image["image_id"] async for image in client.images(collection=collection, limit=3)} == ids
            [match] = (await client.search(files[0], collection=collection, k=1))["matches"]
            assert match["image_id"] == states[0]["image_id"]
            with pytest.raises(pictrace.NotFound):
                await client.get_image("0" * 64)

    asyncio.run(work())


def test_the_legacy_calls_work(client: Client, collection: str) -> None:
    answer = client.legacy_upload(noise(17_500), collection=collection)
    assert answer["message"] == "File uploaded successfully"
    image_id = str(client.add(noise(17_501), collection=collection)["image_id"])
    assert client.read_link(client.legacy_image_url(image_id, collection=collection)) == noise(17_501)
    with pytest.raises(pictrace.UnfetchableUrl):
        client.legacy_upload_from_url("http://127.0.0.1/cat.jpg", collection=collection)


def test_an_image_on_the_web_is_refused_as_the_server_says(client: Client) -> None:
    with pytest.raises(pictrace.UnfetchableUrl) as unfetchable:
        client.fetch_image("http://127.0.0.1/cat.jpg")
    assert unfetchable.value.code
    assert client.health()["status"] == "ok"
