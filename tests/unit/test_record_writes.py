"""How a record is stored again without the loss of what people wrote."""

from dataclasses import replace
from typing import Any

import pytest

from shared.aws.dynamodb import record_writes
from shared.aws.dynamodb.catalogue import DynamoCatalogue
from shared.aws.dynamodb.trash import DynamoTrash
from shared.domain.annotations import Annotations
from shared.domain.images import IndexedImage, ObjectRef
from shared.domain.ledger import ConflictError
from tests.contract.stores.conftest import key_of, make_image
from tests.faults.fakes import MemoryTable

FIRST, SECOND = ObjectRef("images", "a"), ObjectRef("images", "b")
WRITTEN = Annotations("id-1", "a note", {"place": "Rome"})
AT = "2026-11-28T12:00:00.000000+00:00"


class DeathError(Exception):
    """A worker is gone."""


class Recorder:
    """A table in memory that records calls, and fails the one before which it is told to."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.dies_before = ""
        self.table: Any = MemoryTable(self._before_call)

    def _before_call(self, name: str) -> None:
        self.calls.append(name)
        if name == self.dies_before:
            raise DeathError


def noted() -> IndexedImage:
    """An image whose record comes with annotations, which only tests do."""
    image = make_image("c")
    return replace(image, record=replace(image.record, annotations=WRITTEN))


def test_a_new_image_and_a_duplicate_are_one_write() -> None:
    recorder, image = Recorder(), make_image("c")
    assert record_writes.store_record(recorder.table, "t", image, FIRST)
    assert recorder.calls == ["put_item"]
    assert not record_writes.store_record(recorder.table, "t", image, SECOND)
    assert recorder.calls == ["put_item", "put_item"]


def test_a_worker_that_dies_while_it_stores_an_image_again_loses_no_annotation() -> None:
    recorder, image = Recorder(), noted()
    catalogue = DynamoCatalogue(recorder.table, "t")
    record_writes.store_record(recorder.table, "t", image, FIRST)
    assert DynamoTrash(recorder.table, "t").put(key_of(image), AT)
    again = replace(image, record=replace(image.record, annotations=Annotations()))
    recorder.dies_before = "update_item"
    with pytest.raises(DeathError):
        catalogue.add(again, SECOND)
    recorder.dies_before = ""
    assert catalogue.add(again, SECOND)
    record = catalogue.find(image.record.image_id, "c")
    assert record is not None
    assert record.annotations == WRITTEN


def test_a_record_that_others_keep_changing_is_a_conflict() -> None:
    recorder, image = Recorder(), make_image("c")
    trash = DynamoTrash(recorder.table, "t")
    record_writes.store_record(recorder.table, "t", image, FIRST)
    trash.put(key_of(image), AT)
    update, times = recorder.table.update_item, iter(range(10))

    def overtaken(**request: Any) -> Any:
        trash.take_out(key_of(image))
        trash.put(key_of(image), f"{AT}{next(times)}")
        return update(**request)

    recorder.table.update_item = overtaken
    with pytest.raises(ConflictError):
        record_writes.store_record(recorder.table, "t", image, SECOND)
    assert trash.holds(key_of(image))
