"""What is left of an image whose move into the trash fails at any point."""

from typing import Any, Final

import pytest

from shared.aws.dynamodb import item_keys
from shared.aws.dynamodb.catalogue import DynamoCatalogue
from shared.aws.dynamodb.trash import DynamoTrash
from shared.domain.images import ObjectRef
from tests.contract.stores.conftest import described_by, key_of, make_image
from tests.faults.fakes import MemoryTable

AT: Final = "2026-11-28T12:00:00.000000+00:00"


class DeathError(Exception):
    """A worker is gone."""


class Worker:
    """A worker on a table in memory that dies before one of its calls."""

    def __init__(self) -> None:
        self.table: Any = MemoryTable(self._before_call)
        self.calls_left = 0

    def _before_call(self, _: str) -> None:
        self.calls_left -= 1
        if self.calls_left == 0:
            raise DeathError


@pytest.mark.parametrize("call", range(1, 4))
def test_a_move_that_died_is_repeated_and_leaves_no_vectors_of_a_secondary_model(call: int) -> None:
    worker, image = Worker(), make_image("c")
    catalogue, trash = DynamoCatalogue(worker.table, "t"), DynamoTrash(worker.table, "t")
    catalogue.add(image, ObjectRef("images", "a"), [described_by(image, "n")])
    vectors = [key for key in worker.table.items if item_keys.is_vectors(worker.table.items[key])]
    assert len(vectors) == 1

    worker.calls_left = call
    try:
        moved = trash.put(key_of(image), AT)
        worker.calls_left = 0
    except DeathError:
        assert not trash.holds(key_of(image))
        moved = trash.put(key_of(image), AT)
    assert moved
    assert trash.holds(key_of(image))
    assert worker.table.items.keys().isdisjoint(vectors)
