"""The vector index of the embedded store while its disk is full, and after."""

import errno
import logging
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from shared.domain.ledger import ImageKey
from shared.embedded import vector_compaction, vector_file
from tests.unit.test_embedded_vectors import Store, Vectors, deletions, made


@contextmanager
def full_disk() -> Iterator[None]:
    """A time in which nothing can be written to the files of the index."""

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(vector_file, "_write", fail)
        yield


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> Vectors:
    monkeypatch.setattr(vector_compaction, "COMPACT_ROWS", 100)
    return made(400)


def delete(store: Store, names: list[str]) -> None:
    with store.database.transaction():
        for image_id in names:
            store.catalogue.delete_record(ImageKey("default", image_id))


def count_left_open() -> int:
    """The number of files that are open although they were deleted: their space is not free."""
    count = 0
    for descriptor in Path("/dev/fd").iterdir():
        with suppress(OSError):  # the one by which this folder was listed
            status = os.fstat(int(descriptor.name))
            count += stat.S_ISREG(status.st_mode) and not status.st_nlink
    return count


def test_searches_need_no_compaction_which_is_tried_again_later(
    tmp_path: Path, stored: Vectors, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store(tmp_path)
    names = store.add_all(stored)
    store.nearest(stored[0])
    delete(store, names[:200])
    with full_disk():
        assert store.nearest(stored[200])[0] == names[200]
        delete(store, names[200:250])
        assert store.nearest(stored[250])[0] == names[250]
    assert [record.message for record in caplog.records] == [
        "The vector index was not compacted, which is tried again later: [Errno 28] No space left on device"
    ]
    delete(store, [names[250]])
    store.nearest(stored[250])
    assert deletions(store.database) == 251
    monkeypatch.setattr(vector_compaction, "RETRY_SECONDS", 0)
    delete(store, [names[251]])
    assert store.nearest(stored[251])[0] not in names[:252]
    assert deletions(store.database) == 0
    store.close()


def test_of_a_failed_compaction_nothing_is_left_over(
    tmp_path: Path, stored: Vectors, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)  # a record that pytest keeps would keep the exception, and that the files
    store = Store(tmp_path)
    names = store.add_all(stored)
    store.nearest(stored[0])
    delete(store, names[:200])
    files, left_open = set(store.files.iterdir()), count_left_open()
    with full_disk():
        store.nearest(stored[200])
        assert (set(store.files.iterdir()), count_left_open()) == (files, left_open)
    store.close()


def test_a_start_needs_no_compaction(tmp_path: Path, stored: Vectors) -> None:
    before = Store(tmp_path)
    names = before.add_all(stored)
    before.nearest(stored[0])
    before.index.close()
    delete(before, names[:200])
    with full_disk():
        after = before.reopened()
        assert after.nearest(stored[200])[0] == names[200]
    after.close()


def test_an_index_that_could_not_be_opened_is_opened_by_the_next_search(
    tmp_path: Path, stored: Vectors, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    before = Store(tmp_path)
    names = before.add_all(stored)
    left_open = count_left_open()
    with full_disk():
        after = before.reopened()
        for _ in range(3):
            with pytest.raises(OSError, match="No space left"):
                after.nearest(stored[0])
    assert after.nearest(stored[0])[0] == names[0]
    assert count_left_open() == left_open
    after.close()


def test_searches_need_no_saved_index(tmp_path: Path, stored: Vectors, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    store = Store(tmp_path)
    monkeypatch.setattr("shared.embedded.vectors.SAVE_ROWS", 100)
    monkeypatch.setattr("shared.embedded.vector_folder.VectorFolder.save", fail)
    names = store.add_all(stored)
    assert store.nearest(stored[0])[0] == names[0]
    store.close()
