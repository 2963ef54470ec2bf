"""The states of a vector index that UpdateTable adds or a restore brings back, from allocation until it is searched.

AWS takes minutes to hours over them. Here an index is searchable at once unless a test says otherwise:

    with indexes_start_in(Phase.BACKFILLING):
        dynamodb.update_table(TableName="products", VectorIndexUpdates=[{"Create": ...}])
    enter("products", "near", Phase.SEARCHABLE)
"""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.dynamodb.exceptions import ERROR_TYPE_PREFIX, MockValidationException


class Phase(StrEnum):
    """Where an index stands. DescribeTable and the search endpoint are two services, so `ACTIVE` comes first in one."""

    ALLOCATING = "allocating"
    BACKFILLING = "backfilling"
    UNSERVED = "active, and not yet known to the search endpoint"
    SEARCHABLE = "searchable"


class ResourceInUse(JsonRESTError):  # noqa: N818 - named as the service names it
    """DynamoDB's ResourceInUseException."""

    def __init__(self, message: str) -> None:
        super().__init__(
            ERROR_TYPE_PREFIX + "ResourceInUseException",
            f"Attempt to change a resource which is still in use: {message}",
        )


class _Start:
    phase = Phase.SEARCHABLE


def first_phase() -> Phase:
    """What an index begins in that UpdateTable or a restore creates now."""
    return _Start.phase


@contextmanager
def indexes_start_in(phase: Phase) -> Iterator[None]:
    """Have every index that is added meanwhile, by any thread, begin in `phase` and stay there until `enter`."""
    before, _Start.phase = _Start.phase, phase
    try:
        yield
    finally:
        _Start.phase = before


def being_created(phase: Phase) -> bool:
    return phase in (Phase.ALLOCATING, Phase.BACKFILLING)


def status(phase: Phase) -> dict[str, Any]:
    """`IndexStatus`, and `Backfilling` while there is such a member."""
    if being_created(phase):
        return {"IndexStatus": "CREATING", "Backfilling": phase is Phase.BACKFILLING}
    return {"IndexStatus": "ACTIVE"}


def check_searchable(phase: Phase, name: str) -> None:
    """Refuse a search of an index that is not ready, in the words of VectorSearchTroubleshooting."""
    if being_created(phase):
        raise MockValidationException(f"Cannot search backfilling vector index: {name}")
    if phase is Phase.UNSERVED:
        raise MockValidationException(f"The table does not have the specified index: {name}")


def check_deletable(phase: Phase) -> None:
    """An index cannot be deleted before its resources are there; while it backfills, that cancels it."""
    if phase is Phase.ALLOCATING:
        raise ResourceInUse(
            "Index creation is in resource allocation phase. Retry deletion during backfilling phase or when the index "
            "is active."
        )
