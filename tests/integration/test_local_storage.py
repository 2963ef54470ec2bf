"""The forms and links of the local run, and which requests it refuses, over HTTP."""

import errno
import hashlib
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.local.data_folder import DataFolder
from infra.local.outages import OUTAGES
from infra.local.serving import serving
from infra.local.storage_routes import MAX_FORM_BYTES
from infra.local.system import LocalSystem, local_system
from shared.domain.limits import MAX_UPLOAD_BYTES
from shared.embedded.objects import FolderObjects
from shared.embedded.queue import Queue
from tests.conftest import NO_RETRY_DELAY, PATIENCE_SECONDS
from tests.images import noise
from tests.integration.conftest import until


@dataclass(frozen=True)
class Local:
    """A local run in this process."""

    url: str
    folder: Path
    system: LocalSystem
    client: httpx.Client

    def form(self, **wanted: str) -> tuple[str, dict[str, str], str]:
        """URL, fields and upload id of a new form."""
        answer = self.client.post("/v1/uploads", json={"filename": "a.png", "content_type": "image/png"} | wanted)
        assert answer.status_code == 201, answer.text
        opened: dict[str, Any] = answer.json()
        return opened["url"], opened["fields"], opened["upload_id"]

    def state(self, upload_id: str) -> dict[str, Any]:
        """The final state of an upload."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (state := self.client.get(f"/v1/uploads/{upload_id}").json())["status"] == "pending":
            assert time.monotonic() < deadline, state
            time.sleep(0.02)
        assert isinstance(state, dict)
        return state

    def files(self) -> set[Path]:
        """All files of objects."""
        return {path for path in (self.folder / "objects").rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def local(model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    folder = tmp_path_factory.mktemp("data")
    with (
        local_system(DataFolder(folder, is_new=True), model_dir) as system,
        serving(system.app, 0) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        yield Local(url, folder, system, client)


def send(url: str, fields: dict[str, str], data: bytes, **options: Any) -> httpx.Response:
    return httpx.post(url, data=fields, files={"file": ("a.png", data)}, timeout=60, **options)


def test_an_upload_is_indexed_and_found_and_its_links_show_it(local: Local) -> None:
    data = noise(7_001)
    url, fields, upload_id = local.form()
    answer = send(url, fields, data)
    assert (answer.status_code, answer.content) == (204, b"")
    state = local.state(upload_id)
    assert state["status"] == "indexed"
    match = local.client.post("/v1/search?k=1", files={"file": data}).json()["matches"][0]
    assert (match["image_id"], match["verdict"]) == (state["image_id"], "identical")
    thumbnail = httpx.get(match["image"]["thumbnail_url"])
    assert (thumbnail.status_code, thumbnail.headers["content-type"]) == (200, "image/webp")
    content = local.client.get(match["image"]["url"], follow_redirects=True)
    assert (content.content, content.headers["content-type"]) == (data, "image/png")
    saved = local.client.get(f"{match['image']['url']}&download=true", follow_redirects=True)
    assert saved.headers["content-disposition"] == 'attachment; filename="a.png"'
    assert "sandbox" in content.headers["content-security-policy"]
    assert content.headers["x-content-type-options"] == "nosniff"
    assert local.client.delete(f"/v1/images/{state['image_id']}").status_code == 204
    assert local.client.get(match["image"]["url"]).status_code == 404
    assert local.client.delete("/v1/trash").status_code == 202
    deadline = time.monotonic() + PATIENCE_SECONDS
    while httpx.get(match["image"]["thumbnail_url"]).status_code != 404:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_links_lead_to_the_name_by_which_the_page_was_opened(local: Local) -> None:
    port = local.url.rsplit(":", 1)[1]
    by_number = httpx.post(f"http://127.0.0.1:{port}/v1/uploads", json={"filename": "a", "content_type": "image/png"})
    assert by_number.json()["url"] == f"http://127.0.0.1:{port}/objects"
    assert local.form()[0] == f"{local.url}/objects"
    policy = local.client.get("/").headers["content-security-policy"]
    assert "http" not in policy


@pytest.mark.parametrize("field", ["key", "Content-Type", "expires", "signature"])
def test_a_form_that_was_changed_stores_nothing(local: Local, field: str) -> None:
    url, fields, upload_id = local.form()
    before = local.files()
    for value in ("uploads/other/0123456789abcdef0123456789abcdef", "text/html", "9999999999", ""):
        answer = send(url, fields | {field: value}, noise(1))
        assert answer.status_code == 403, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
    assert local.files() == before
    assert local.client.get(f"/v1/uploads/{upload_id}").json()["status"] == "pending"


def test_a_file_that_is_too_large_is_refused_before_it_is_complete(local: Local) -> None:
    url, fields, _ = local.form()
    before = local.files()
    answer = send(url, fields, bytes(MAX_UPLOAD_BYTES + 1))
    assert answer.status_code == 413
    assert f"{MAX_UPLOAD_BYTES:,} bytes" in answer.json()["detail"]
    assert local.files() == before


@pytest.mark.parametrize("signed", [False, True])
def test_a_form_that_goes_on_for_ever_is_refused(local: Local, signed: bool) -> None:
    """Parts without a name and a body are no fields; of a signed form they come after the file."""
    url, fields, _ = local.form()
    parts = [b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % field for field in fields_of(fields)]
    parts.append(b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx\r\n')
    body = (b"".join(parts) if signed else b"") + b"--b\r\n\r\n\r\n" * (MAX_FORM_BYTES // 8) + b"--b--\r\n"
    before = local.files()
    answer = httpx.post(url, content=body, headers={"content-type": "multipart/form-data; boundary=b"}, timeout=60)
    assert answer.status_code == 400
    assert f"{MAX_FORM_BYTES:,} bytes besides its file" in answer.json()["detail"]
    assert local.files() == before


def fields_of(fields: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in fields.items()]


def test_a_file_of_the_largest_size_is_accepted(local: Local) -> None:
    url, fields, upload_id = local.form()
    assert send(url, fields, bytes(MAX_UPLOAD_BYTES)).status_code == 204
    assert local.state(upload_id)["code"] == "unsupported_type"


@pytest.mark.parametrize(
    "error",
    [sqlite3.OperationalError("database or disk is full"), OSError(errno.ENOSPC, "No space left on device")],
    ids=["database", "file"],
)
def test_a_form_is_answered_with_a_later_try_while_the_disk_is_full(
    local: Local, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def full(*_: object) -> None:
        raise error

    data = noise(7_080)
    url, fields, upload_id = local.form()
    before = local.files()
    with monkeypatch.context() as patch:
        patch.setattr(Queue, "send", full)
        answer = send(url, fields, data)
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:pictrace:problem:unavailable")
    assert answer.json()["detail"].startswith(OUTAGES.sentence)
    assert int(answer.headers["Retry-After"]) > 0
    assert local.files() == before
    assert send(url, fields, data).status_code == 204
    assert local.state(upload_id)["status"] in ("indexed", "duplicate")


def test_fields_after_the_file_do_not_count(local: Local) -> None:
    url, fields, _ = local.form()
    boundary = uuid.uuid4().hex
    parts = [("file", "bytes"), *fields.items()]
    body = "".join(f'--{boundary}\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in parts)
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    assert httpx.post(url, content=f"{body}--{boundary}--\r\n", headers=headers).status_code == 403


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "multipart/form-data; boundary=x"),
        (b"nothing of the kind", "multipart/form-data; boundary=x"),
        (b"--x\r\n", "multipart/form-data; boundary=x"),
        (b"--x--\r\n", "multipart/form-data; boundary=x"),
        (b"{}", "application/json"),
        (b"a=b", "multipart/form-data"),
        (b'--x\r\nContent-Disposition: form-data; name="' + b"n" * 9000, "multipart/form-data; boundary=x"),
        (b'--x\r\nContent-Disposition: form-data; name="n"\r\n\r\n' + b"v" * 9000, "multipart/form-data; boundary=x"),
    ],
    ids=["empty", "text", "begun", "no-parts", "json", "no-boundary", "long-header", "long-field"],
)
def test_what_is_no_form_is_refused(local: Local, body: bytes, kind: str) -> None:
    answer = httpx.post(f"{local.url}/objects", content=body, headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:pictrace:problem:malformed-body")


def test_a_form_without_a_file_or_with_an_empty_one_is_refused(local: Local) -> None:
    url, fields, _ = local.form()
    before = local.files()
    assert httpx.post(url, files={name: (None, value) for name, value in fields.items()}).status_code == 400
    assert "empty" in send(url, fields, b"").json()["detail"]
    assert local.files() == before


def test_a_link_that_was_changed_shows_nothing(local: Local) -> None:
    assert local.client.get("/objects/thumbnails/default/x.webp").status_code == 403
    assert local.client.get("/objects/../pictrace.sqlite3").status_code in (403, 404)
    assert (
        local.client.get("/objects/uploads/default/x", params={"type": "image/png", "expires": "9"}).status_code == 403
    )


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "localhost.evil.example", "10.0.0.1", ""])
def test_only_requests_for_this_machine_are_answered(local: Local, host: str) -> None:
    for path in ("/", "/v1/stats", "/objects/x", "/health"):
        answer = local.client.get(path, headers={"Host": host})
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:pictrace:problem:forbidden")


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
    ],
    ids=["cross-site", "same-site", "other-origin", "no-origin", "other-port"],
)
def test_a_page_of_another_origin_changes_nothing(local: Local, headers: dict[str, str]) -> None:
    url, fields, upload_id = local.form()
    wanted = {"filename": "a.png", "content_type": "image/png"}
    assert local.client.post("/v1/uploads", json=wanted, headers=headers).status_code == 403
    assert local.client.delete(f"/v1/images/{'0' * 64}", headers=headers).status_code == 403
    assert send(url, fields, noise(1), headers=headers).status_code == 403
    assert local.client.get(f"/v1/uploads/{upload_id}", headers=headers).json()["status"] == "pending"


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_the_page_itself_and_programs_are_answered(local: Local, site: str) -> None:
    wanted = {"filename": "a.png", "content_type": "image/png"}
    headers = {"Sec-Fetch-Site": site, "Origin": local.url}
    assert local.client.post("/v1/uploads", json=wanted, headers=headers).status_code == 201
    assert local.client.post("/v1/uploads", json=wanted, headers={"Origin": local.url}).status_code == 201


def test_a_message_that_fails_for_good_ends_its_upload(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.embedded.queue.INGEST_QUEUE", NO_RETRY_DELAY)

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no luck")

    monkeypatch.setattr("functions.ingest.stored_images.describe", broken)
    url, fields, upload_id = local.form()
    assert send(url, fields, noise(7_002)).status_code == 204
    assert (local.state(upload_id)["status"], local.state(upload_id)["code"]) == ("rejected", "failed")
    (dead,) = local.system.queue.dead_letters()
    assert dead.reason == "RuntimeError: no luck (attempt 5 of 5)"
    monkeypatch.undo()
    assert local.system.queue.redrive() == 1
    deadline = time.monotonic() + PATIENCE_SECONDS
    while local.client.get(f"/v1/uploads/{upload_id}").json()["status"] != "indexed":
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_an_upload_that_fails_each_time_ends_and_a_redrive_leaves_nothing_of_that_end(
    local: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("out of order")

    data = noise(7_077)
    with monkeypatch.context() as patch:
        patch.setattr("shared.embedded.queue.INGEST_QUEUE", NO_RETRY_DELAY)
        patch.setattr("functions.ingest.stored_images.describe", broken)
        url, fields, upload_id = local.form()
        assert send(url, fields, data).status_code == 204
        failed = local.state(upload_id)
    assert (failed["status"], failed["code"], failed["image_id"]) == ("rejected", "failed", None)
    assert "failed on this image 5 times" in failed["reason"]
    assert local.system.queue.redrive() == 1
    done = until(lambda: found if (found := local.state(upload_id))["status"] == "indexed" else None)
    assert (done["code"], done["reason"]) == (None, None)
    assert done["image_id"] == hashlib.sha256(data).hexdigest()


def test_an_upload_whose_image_is_deleted_meanwhile_ends(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same bytes are uploaded again and deleted while the second upload is being processed."""
    data = noise(7_078)
    url, fields, upload_id = local.form()
    send(url, fields, data)
    image_id = local.state(upload_id)["image_id"]
    reading, deleted = threading.Event(), threading.Event()
    read = FolderObjects.read

    def slow(*arguments: Any) -> Any:
        reading.set()
        assert deleted.wait(30)
        return read(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(FolderObjects, "read", slow)
        url, fields, second = local.form()
        send(url, fields, data)
        assert reading.wait(30)
        assert local.client.delete(f"/v1/images/{image_id}").status_code == 204
        deleted.set()
        state = local.state(second)
    assert state["status"] in ("indexed", "duplicate")
    assert (state["code"], state["reason"], state["image_id"]) == (None, None, image_id)
    assert local.client.get(f"/v1/images/{image_id}").status_code == 200, "it was uploaded again"
