"""What every store does with the state of uploads."""

import time
import uuid
from dataclasses import replace

import pytest

from shared.domain.images import ObjectRef, Upload, UploadStatus
from tests.contract.stores.conftest import Store

IMAGE_ID = "ab" * 32


@pytest.fixture
def pending(collection: str) -> Upload:
    return Upload(
        uuid.uuid4().hex, collection, UploadStatus.PENDING, filename="é.png", metadata={"order": "7", "note": "x"}
    )


def open_upload(store: Store, upload: Upload) -> Upload:
    store.uploads.open(upload, ObjectRef("images", f"uploads/{upload.collection}/{upload.upload_id}"))
    found = store.uploads.find(upload.upload_id)
    assert found is not None
    return found


def test_a_new_upload_is_found_as_it_was_opened(store: Store, pending: Upload) -> None:
    assert store.uploads.find(pending.upload_id) is None
    found = open_upload(store, pending)
    assert found.opened_at == pytest.approx(time.time(), abs=60)
    assert found == replace(pending, opened_at=found.opened_at)
    assert open_upload(store, replace(pending, filename="other.png", metadata={})) == found


def test_only_the_last_end_of_an_upload_is_stored(store: Store, pending: Upload) -> None:
    opened = open_upload(store, pending)
    rejected = Upload(pending.upload_id, pending.collection, UploadStatus.REJECTED, code="corrupt", reason="No.")
    indexed = Upload(pending.upload_id, pending.collection, UploadStatus.INDEXED, image_id=IMAGE_ID)
    for end in (rejected, indexed, rejected):
        store.uploads.finish(end)
        kept = {"filename": opened.filename, "metadata": opened.metadata, "opened_at": opened.opened_at}
        assert store.uploads.find(pending.upload_id) == replace(end, **kept)  # type: ignore[arg-type]
    assert open_upload(store, pending).status is UploadStatus.REJECTED


def test_an_upload_that_nobody_opened_can_end(store: Store, pending: Upload) -> None:
    end = Upload(pending.upload_id, pending.collection, UploadStatus.DUPLICATE, image_id=IMAGE_ID)
    store.uploads.finish(end)
    assert store.uploads.find(pending.upload_id) == end


def test_an_upload_fails_only_while_it_is_pending(store: Store, pending: Upload) -> None:
    store.uploads.expect_end(pending.upload_id, 1_800_000_000)
    store.uploads.fail(pending.upload_id, "unknown")
    assert store.uploads.find(pending.upload_id) is None
    opened = open_upload(store, pending)
    store.uploads.expect_end(pending.upload_id, 1_800_000_000)
    expected = replace(opened, ends_by=1_800_000_000)
    assert store.uploads.find(pending.upload_id) == expected
    store.uploads.fail(pending.upload_id, "It failed.")
    failed = replace(expected, status=UploadStatus.REJECTED, code="failed", reason="It failed.")
    assert store.uploads.find(pending.upload_id) == failed
    store.uploads.expect_end(pending.upload_id, 1)
    store.uploads.fail(pending.upload_id, "It failed again.")
    assert store.uploads.find(pending.upload_id) == failed
