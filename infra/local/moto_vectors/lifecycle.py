"""The phases of a vector index that UpdateTable adds or a restore rebuilds, from allocation until it can be searched.

On AWS they take minutes to hours. Here an index is searchable at once unless a test sets another phase:

    with indexes_start_in(Phase.BACKFILLING):
        dynamodb.update_table(TableName="products", VectorIndexUpdates=[{"Create": ...}])
    set_phase("products", "near", Phase.SEARCHABLE)
"""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.dynamodb.exceptions import ERROR_TYPE_PREFIX, MockValidationException


class Phase(StrEnum):
    """The state of an index. DescribeTable and the search endpoint are two services, so one may see `ACTIVE` first."""

    ALLOCATING = "allocating"
    BACKFILLING = "backfilling"
    UNSERVED = "active, and not yet known to the search endpoint"
    SEARCHABLE = "searchable"


class ResourceInUse(JsonRESTError):  # noqa: N818 - the service's name
    """DynamoDB's ResourceInUseException."""

    def __init__(self, message: str) -> None:
        super().__init__(
            ERROR_TYPE_PREFIX + "ResourceInUseException",
            f"Attempt to change a resource which is still in use: {message}",
        )


class _Start:
    phase = Phase.SEARCHABLE


def initial_phase() -> Phase:
    """Return the phase in which an index starts that UpdateTable or a restore creates now."""
    return _Start.phase


@contextmanager
def indexes_start_in(phase: Phase) -> Iterator[None]:
    """Start every index that any thread adds meanwhile in `phase`; it stays there until `set_phase`."""
    before, _Start.phase = _Start.phase, phase
    try:
        yield
    finally:
        _Start.phase = before


def is_creating(phase: Phase) -> bool:
    return phase in (Phase.ALLOCATING, Phase.BACKFILLING)


def status(phase: Phase) -> dict[str, Any]:
    """Return `IndexStatus` and, while the index is being created, `Backfilling`."""
    if is_creating(phase):
        return {"IndexStatus": "CREATING", "Backfilling": phase is Phase.BACKFILLING}
    return {"IndexStatus": "ACTIVE"}


def check_searchable(phase: Phase, name: str) -> None:
    """Refuse a search of an index that is not ready, with the messages of VectorSearchTroubleshooting."""
    if is_creating(phase):
        raise MockValidationException(f"Cannot search backfilling vector index: {name}")
    if phase is Phase.UNSERVED:
        raise MockValidationException(f"The table does not have the specified index: {name}")


def check_deletable(phase: Phase) -> None:
    """Refuse the deletion of an index that is being allocated; during backfilling, a deletion cancels it."""
    if phase is Phase.ALLOCATING:
        raise ResourceInUse(
            "Index creation is in resource allocation phase. Retry deletion during backfilling phase or when the index "
            "is active."
        )
