"""Objects in a folder and in S3 behave the same."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import boto3
import httpx
import pytest

from infra.local.data_folder import DataFolder
from infra.local.serving import serving
from infra.local.storage_routes import storage_app
from shared.aws.clients import s3_client
from shared.aws.objects import S3Objects
from shared.domain.errors import PictureRefused
from shared.domain.images import ObjectRef, upload_key
from shared.domain.ports.objects import WebObjects
from shared.embedded.links import Links
from shared.embedded.migrations import open_database
from shared.embedded.objects import BUCKET, FolderObjects
from shared.embedded.queue import Queue


@dataclass(frozen=True)
class Room:
    """Objects, and the name of their bucket."""

    objects: WebObjects
    bucket: str

    def source(self, key: str) -> ObjectRef:
        return ObjectRef(self.bucket, key)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Room]:
    data = DataFolder(tmp_path, is_new=True)
    database = open_database(data.database)
    address: list[str] = []
    queue, links = Queue(database), Links(database, lambda: address[0])
    objects = FolderObjects(data.objects, database, queue, links)
    with serving(storage_app(objects, links), 0) as url:
        address.append(url)
        yield Room(objects, BUCKET)
    database.close()


@pytest.fixture(params=["folder", "s3"])
def room(request: pytest.FixtureRequest) -> Iterator[Room]:
    if request.param == "folder":
        yield request.getfixturevalue("folder")
        return
    request.getfixturevalue("running")  # an emulator
    bucket = f"objects-{uuid.uuid4().hex}"
    boto3.client("s3").create_bucket(Bucket=bucket)
    yield Room(S3Objects(s3_client(), bucket), bucket)


KEY = "thumbnails/default/0123456789abcdef.webp"


def test_what_was_written_is_read(room: Room) -> None:
    room.objects.write(KEY, b"bytes", "image/webp")
    fetched = room.objects.read(room.source(KEY), limit=5)
    assert (fetched.data, fetched.version) == (b"bytes", None)
    assert room.objects.etag(room.source(KEY)) == fetched.etag
    assert room.objects.get(KEY) == b"bytes"
    assert (room.objects.exists(KEY), room.objects.present(room.source(KEY))) == (True, True)


def test_a_write_replaces_and_changes_the_etag(room: Room) -> None:
    room.objects.write(KEY, b"first", "image/webp")
    before = room.objects.etag(room.source(KEY))
    room.objects.write(KEY, b"other", "image/webp")
    assert room.objects.get(KEY) == b"other"
    assert room.objects.etag(room.source(KEY)) != before
    room.objects.write(KEY, b"first", "image/webp")
    assert room.objects.etag(room.source(KEY)) == before


def test_what_is_not_there(room: Room) -> None:
    source = room.source(KEY)
    assert (room.objects.get(KEY), room.objects.etag(source)) == (None, None)
    assert (room.objects.exists(KEY), room.objects.present(source)) == (False, False)
    with pytest.raises(PictureRefused) as refused:
        room.objects.read(source, limit=5)
    assert refused.value.code == "gone"
    room.objects.delete(KEY)
    room.objects.mark_rejected(source)


def test_a_deleted_object_is_gone(room: Room) -> None:
    room.objects.write(KEY, b"bytes", "image/webp")
    room.objects.delete(KEY)
    assert room.objects.get(KEY) is None


def test_a_large_object_is_refused_with_both_numbers(room: Room) -> None:
    room.objects.write(KEY, b"bytes", "image/webp")
    with pytest.raises(PictureRefused) as refused:
        room.objects.read(room.source(KEY), limit=4)
    assert (refused.value.code, refused.value.reason) == ("too_large", "The file has 5 bytes; at most 4 are accepted.")


def test_links_show_the_object_with_the_type_that_they_name(room: Room) -> None:
    room.objects.write(KEY, b"bytes", "application/octet-stream")
    for link in (room.objects.link(room.source(KEY), "image/webp"), room.objects.lasting_link(KEY, "image/webp")):
        shown = httpx.get(link)
        assert (shown.status_code, shown.content, shown.headers["content-type"]) == (200, b"bytes", "image/webp")
    assert room.objects.lasting_link(KEY, "image/webp") == room.objects.lasting_link(KEY, "image/webp")
    saved = httpx.get(room.objects.link(room.source(KEY), "image/webp", "1 Bär.webp"))
    assert saved.headers["content-disposition"].lower() == "attachment; filename*=utf-8''1%20b%c3%a4r.webp"


def test_forms_store_the_object(room: Room) -> None:
    key = upload_key("default", uuid.uuid4().hex)
    url, fields = room.objects.open_upload(key, "image/png")
    sent = httpx.post(url, data=fields, files={"file": ("a.png", b"bytes")})
    assert sent.status_code == 204
    assert room.objects.get(key) == b"bytes"
