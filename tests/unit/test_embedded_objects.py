"""Objects as files: complete or absent, announced in the same step, and shown by signed links only."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from shared.aws import messages
from shared.domain.errors import NotFound, PictureRefused
from shared.domain.events import Created, Removed
from shared.domain.images import ObjectRef, Upload, UploadStatus, upload_key
from shared.domain.limits import LINK_EXPIRES_SECONDS, LINK_HALF_LIFE_SECONDS, UPLOAD_EXPIRES_SECONDS
from shared.embedded.database import Database
from shared.embedded.links import OBJECTS_PATH, LinkRefused, Links
from shared.embedded.migrations import open_database
from shared.embedded.objects import BUCKET, REMOVAL_DELAY_SECONDS, FolderObjects, notification
from shared.embedded.queue import Queue
from shared.embedded.uploads import EmbeddedUploads

UPLOAD_ID = "0123456789abcdef0123456789abcdef"
KEY = upload_key("default", UPLOAD_ID)
SOURCE = ObjectRef(BUCKET, KEY)


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class Store:
    folder: Path
    database: Database
    queue: Queue
    links: Links
    objects: FolderObjects
    clock: Clock

    def events(self) -> list[object]:
        """Everything that is queued, as events."""
        found = list[object]()
        while message := self.queue.receive():
            self.queue.delete(message)
            found += messages.parse(message.body)
        return found


def opened(folder: Path, clock: Clock) -> Store:
    database = open_database(folder / "db")
    queue = Queue(database, clock)
    links = Links(database, lambda: "http://localhost:8000", clock)
    return Store(
        folder, database, queue, links, FolderObjects(folder / "objects", database, queue, links, clock), clock
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = opened(tmp_path, Clock())
    yield made
    made.database.close()


def test_an_upload_is_stored_and_announced_in_one_step(store: Store) -> None:
    store.objects.write(KEY, b"bytes", "image/png")
    assert store.objects.read(SOURCE, 5).data == b"bytes"
    assert store.objects.etag(SOURCE) == store.objects.read(SOURCE, 5).etag
    assert store.events() == [Created(SOURCE)]


def test_only_uploads_are_announced(store: Store) -> None:
    store.objects.write("thumbnails/default/ab.webp", b"bytes", "image/webp")
    store.objects.delete("thumbnails/default/ab.webp")
    assert store.events() == []
    assert not store.objects.exists("thumbnails/default/ab.webp")


def test_a_write_that_fails_leaves_nothing(store: Store) -> None:
    with pytest.raises(TypeError), store.objects.receiving(KEY) as file:
        file.writelines([b"half", None])  # type: ignore[list-item]
    assert not store.objects.present(SOURCE)
    assert store.events() == []
    assert [path for path in (store.folder / "objects").rglob("*") if path.is_file()] == []


def test_what_a_dead_process_was_writing_is_removed_at_the_next_start(store: Store) -> None:
    with store.objects.receiving(KEY) as file:
        file.write(b"half")
        file.flush()
        opened(store.folder, store.clock).database.close()
        assert not Path(file.name).exists()
        Path(file.name).touch()


def test_a_file_without_its_announcement_is_announced_at_the_next_start(store: Store) -> None:
    uploads = EmbeddedUploads(store.database)
    uploads.open(Upload(UPLOAD_ID, "default", UploadStatus.PENDING), SOURCE)
    assert store.objects.announce_pending() == 0
    store.objects.write(KEY, b"bytes", "image/png")
    assert store.objects.announce_pending() == 0
    assert store.events() == [Created(SOURCE)]
    assert store.objects.announce_pending() == 1
    assert store.events() == [Created(SOURCE)]


def test_the_messages_are_read_once_however_many_uploads_are_pending(store: Store) -> None:
    """Reading them for each, a start with 8,000 took 13 seconds."""
    uploads = EmbeddedUploads(store.database)
    for number in range(20):
        upload_id = f"{number:032x}"
        source = ObjectRef(BUCKET, upload_key("default", upload_id))
        uploads.open(Upload(upload_id, "default", UploadStatus.PENDING), source)
        if number != 7:
            store.objects.write(source.key, b"bytes", "image/png")
    store.events()
    for number in range(10):
        store.queue.send(notification("ObjectCreated:Post", upload_key("default", f"{number:032x}")))
    reads = list[str]()
    with store.database.transaction() as connection:
        connection.set_trace_callback(reads.append)
    assert store.objects.announce_pending() == 10
    assert sum("SELECT" in statement and "messages" in statement for statement in reads) == 1


def test_a_removal_is_announced_so_that_it_is_handled_after_the_file_is_gone(store: Store) -> None:
    store.objects.write(KEY, b"bytes", "image/png")
    assert store.events() == [Created(SOURCE)]
    store.objects.delete(KEY)
    assert not store.objects.present(SOURCE)
    assert store.events() == []
    store.clock.now += REMOVAL_DELAY_SECONDS
    assert store.events() == [Removed(SOURCE)]
    store.objects.delete(KEY)
    store.clock.now += REMOVAL_DELAY_SECONDS
    assert store.events() == []


def test_a_refused_upload_is_not_forgotten_before_its_file_is_gone(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its file would stay for ever."""

    def dies(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    store.objects.write(KEY, b"no image", "image/png")
    store.objects.mark_rejected(SOURCE)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", dies)
        with pytest.raises(KeyboardInterrupt):
            store.objects.delete(KEY)
    assert store.objects.present(SOURCE)
    store.clock.now += 8 * 86_400
    assert store.objects.expire(7) == 1
    assert not store.objects.present(SOURCE)
    assert store.objects.expire(7) == 0


def test_reading_refuses_what_is_gone_and_what_is_too_large(store: Store) -> None:
    store.objects.write(KEY, b"bytes", "image/png")
    with pytest.raises(PictureRefused) as large:
        store.objects.read(SOURCE, 4)
    assert (large.value.code, "5 bytes; at most 4" in large.value.reason) == ("too_large", True)
    store.objects.delete(KEY)
    with pytest.raises(PictureRefused) as gone:
        store.objects.read(SOURCE, 4)
    assert gone.value.code == "gone"
    assert (store.objects.etag(SOURCE), store.objects.get(KEY)) == (None, None)


def test_the_etag_follows_the_bytes(store: Store) -> None:
    store.objects.write(KEY, b"first", "image/png")
    first = store.objects.etag(SOURCE)
    store.objects.write(KEY, b"other", "image/png")
    assert store.objects.etag(SOURCE) != first


@pytest.mark.parametrize(
    "key", ["../db", "uploads/../../db", "/etc/passwd", "uploads//x", "a\\b", ".hidden/x", "a\0b", ""]
)
def test_no_key_leads_out_of_the_folder(store: Store, key: str) -> None:
    for use in (store.objects.path, store.objects.get, store.objects.exists, store.objects.delete):
        with pytest.raises(NotFound):
            use(key)


def test_rejected_uploads_are_deleted_after_their_time_unless_they_were_replaced(store: Store) -> None:
    other = ObjectRef(BUCKET, upload_key("default", "f" * 32))
    for source in (SOURCE, other):
        store.objects.write(source.key, b"no image", "image/png")
        store.objects.mark_rejected(source)
    store.objects.write(other.key, b"an image", "image/png")
    store.clock.now += 7 * 86_400
    assert store.objects.expire(7) == 0
    store.clock.now += 1
    assert store.objects.expire(7) == 1
    assert (store.objects.present(SOURCE), store.objects.present(other)) == (False, True)


def test_a_folder_that_cannot_be_written_stores_nothing(store: Store) -> None:
    (store.folder / "objects" / ".incomplete").rmdir()
    with pytest.raises(FileNotFoundError):
        store.objects.write(KEY, b"bytes", "image/png")
    assert store.events() == []


def parameters(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def test_a_link_shows_one_object_with_one_type_until_it_expires(store: Store) -> None:
    url = store.objects.link(SOURCE, "image/png")
    assert url.startswith(f"http://localhost:8000{OBJECTS_PATH}/")
    key, signed = unquote(urlsplit(url).path).removeprefix(f"{OBJECTS_PATH}/"), parameters(url)
    assert (key, store.links.check_link(key, signed)) == (KEY, ("image/png", None))
    later = str(int(signed["expires"]) + 1)
    for changed in (
        {"type": "text/html"},
        {"name": "a.exe"},
        {"expires": later},
        {"signature": ""},
        {"signature": "é"},
    ):
        with pytest.raises(LinkRefused):
            store.links.check_link(key, signed | changed)
    with pytest.raises(LinkRefused):
        store.links.check_link(key.replace("0", "1"), signed)
    with pytest.raises(LinkRefused):
        store.links.check_form(signed | {"key": key, "Content-Type": "image/png"})
    store.clock.now += LINK_EXPIRES_SECONDS
    store.links.check_link(key, signed)
    store.clock.now += 1
    with pytest.raises(LinkRefused, match="expired"):
        store.links.check_link(key, signed)


def test_a_lasting_link_stays_the_same_and_lasts(store: Store) -> None:
    store.clock.now = LINK_HALF_LIFE_SECONDS * 4_000_000
    first = store.objects.lasting_link("thumbnails/default/ab.webp", "image/webp")
    store.clock.now += LINK_HALF_LIFE_SECONDS - 1
    assert store.objects.lasting_link("thumbnails/default/ab.webp", "image/webp") == first
    store.clock.now += LINK_HALF_LIFE_SECONDS
    assert store.links.check_link("thumbnails/default/ab.webp", parameters(first)) == ("image/webp", None)
    assert store.objects.lasting_link("thumbnails/default/ab.webp", "image/webp") != first


def test_a_form_stores_one_object_until_it_expires(store: Store) -> None:
    url, fields = store.objects.open_upload(KEY, "image/png")
    assert url == f"http://localhost:8000{OBJECTS_PATH}"
    assert store.links.check_form(fields) == (KEY, "image/png")
    for changed in ({"key": KEY.replace("0", "1")}, {"Content-Type": "text/html"}, {"expires": "9999999999"}):
        with pytest.raises(LinkRefused):
            store.links.check_form(fields | changed)
    store.clock.now += UPLOAD_EXPIRES_SECONDS + 1
    with pytest.raises(LinkRefused, match="expired"):
        store.links.check_form(fields)


def test_links_survive_a_restart(store: Store) -> None:
    _, fields = store.objects.open_upload(KEY, "image/png")
    again = opened(store.folder, store.clock)
    assert again.links.check_form(fields) == (KEY, "image/png")
    again.database.close()


def test_the_announcement_has_the_shape_of_an_event_of_s3(store: Store) -> None:
    store.objects.write(KEY, b"bytes", "image/png")
    message = store.queue.receive()
    assert message
    (record,) = json.loads(message.body)["Records"]
    assert record["eventName"] == "ObjectCreated:Post"
    assert record["s3"] == {"bucket": {"name": BUCKET}, "object": {"key": KEY}}
