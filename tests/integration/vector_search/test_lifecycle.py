"""Indexes that are being built, after UpdateTable or a restore: their states, and the requests that each refuses."""

from typing import Any

import pytest

from infra.local.moto_vectors.lifecycle import Phase, indexes_start_in
from infra.local.moto_vectors.table_hooks import set_phase
from tests.integration.vector_search.conftest import (
    Make,
    attributes,
    error_from,
    item,
    keys,
    search,
    validation_error,
    vector_index,
)

BACKFILLING = "Cannot search backfilling vector index: near"
UNKNOWN = "The table does not have the specified index: near"
IN_USE = "Attempt to change a resource which is still in use: "


def state(dynamodb: Any, table: str) -> tuple[str, str, bool | None]:
    described = dynamodb.describe_table(TableName=table)["Table"]
    (index,) = described["VectorIndexes"]
    return described["TableStatus"], index["IndexStatus"], index.get("Backfilling")


@pytest.fixture
def building(dynamodb: Any, make: Make) -> str:
    """A table with an item, over which an index is starting to be built."""
    table = make()
    dynamodb.put_item(TableName=table, Item=item("before", 1, 0, 0))
    with indexes_start_in(Phase.ALLOCATING):
        dynamodb.update_table(TableName=table, VectorIndexUpdates=[{"Create": vector_index()}])
    return table


def test_an_added_index_passes_through_its_states(dynamodb: Any, building: str) -> None:
    assert state(dynamodb, building) == ("UPDATING", "CREATING", False)
    assert validation_error(lambda: search(dynamodb, building)) == BACKFILLING
    set_phase(building, "near", Phase.BACKFILLING)
    assert state(dynamodb, building) == ("ACTIVE", "CREATING", True)
    assert validation_error(lambda: search(dynamodb, building)) == BACKFILLING
    dynamodb.put_item(TableName=building, Item=item("meanwhile", 1, 0, 0))
    set_phase(building, "near", Phase.UNSERVED)
    assert state(dynamodb, building) == ("ACTIVE", "ACTIVE", None)
    assert validation_error(lambda: search(dynamodb, building)) == UNKNOWN
    set_phase(building, "near", Phase.SEARCHABLE)
    assert state(dynamodb, building) == ("ACTIVE", "ACTIVE", None)
    assert sorted(keys(dynamodb, building)) == ["before", "meanwhile"]


def test_the_index_state_is_checked_before_the_vector(dynamodb: Any, building: str) -> None:
    assert validation_error(lambda: search(dynamodb, building, 1, 0)) == BACKFILLING
    assert validation_error(lambda: search(dynamodb, building, TopK=101)).startswith("Provided TopK value '101'")


def test_an_index_from_create_table_is_searchable_immediately(dynamodb: Any, make: Make) -> None:
    with indexes_start_in(Phase.BACKFILLING):
        table = make(vector_index())
    assert state(dynamodb, table) == ("ACTIVE", "ACTIVE", None)
    assert keys(dynamodb, table) == []


def test_a_second_index_must_wait_until_the_first_is_built(dynamodb: Any, building: str) -> None:
    second = [{"Create": vector_index("second")}]
    for phase in (Phase.ALLOCATING, Phase.BACKFILLING):
        set_phase(building, "near", phase)
        assert error_from(dynamodb.update_table, TableName=building, VectorIndexUpdates=second) == (
            "LimitExceededException",
            "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table",
        )
    set_phase(building, "near", Phase.UNSERVED)
    dynamodb.update_table(TableName=building, VectorIndexUpdates=second)
    assert keys(dynamodb, building, index="second") == ["before"]


def test_an_index_can_be_deleted_once_it_backfills(dynamodb: Any, building: str) -> None:
    deletion = [{"Delete": {"IndexName": "near"}}]
    assert error_from(dynamodb.update_table, TableName=building, VectorIndexUpdates=deletion) == (
        "ResourceInUseException",
        IN_USE + "Index creation is in resource allocation phase. Retry deletion during backfilling phase or when the "
        "index is active.",
    )
    set_phase(building, "near", Phase.BACKFILLING)
    dynamodb.update_table(TableName=building, VectorIndexUpdates=deletion)
    assert validation_error(lambda: search(dynamodb, building)) == UNKNOWN


def test_a_table_cannot_be_deleted_while_its_index_is_built(dynamodb: Any, building: str) -> None:
    for phase in (Phase.ALLOCATING, Phase.BACKFILLING):
        set_phase(building, "near", phase)
        assert error_from(dynamodb.delete_table, TableName=building) == (
            "ResourceInUseException",
            IN_USE + "Cannot delete table while indexes are being created, updated, or deleted.",
        )
    set_phase(building, "near", Phase.UNSERVED)
    dynamodb.delete_table(TableName=building)


def test_setting_the_phase_of_an_unknown_index_fails() -> None:
    with pytest.raises(LookupError, match="no table nowhere has a vector index near"):
        set_phase("nowhere", "near", Phase.BACKFILLING)


@pytest.fixture(params=["backup", "point in time"])
def restored(request: pytest.FixtureRequest, dynamodb: Any) -> Any:
    """A function that restores a table, from a backup or a point in time, and returns the new table's name."""

    def restore(table: str, **more: Any) -> str:
        target = f"{table}-{request.param.replace(' ', '-')}"
        if request.param == "backup":
            arn = dynamodb.create_backup(TableName=table, BackupName="before")["BackupDetails"]["BackupArn"]
            dynamodb.delete_item(TableName=table, Key={"pk": {"S": "a"}})
            dynamodb.restore_table_from_backup(TargetTableName=target, BackupArn=arn, **more)
        else:
            dynamodb.restore_table_to_point_in_time(
                SourceTableName=table, TargetTableName=target, UseLatestRestorableTime=True, **more
            )
        return target

    return restore


def test_a_restored_table_rebuilds_its_indexes(dynamodb: Any, make: Make, restored: Any) -> None:
    table = make(vector_index(hash_key="tenant"), AttributeDefinitions=attributes(pk="S", tenant="S"))
    dynamodb.put_item(TableName=table, Item=item("a", 1, 0, 0, tenant="t"))
    condition: dict[str, Any] = {
        "SearchConditionExpression": "tenant = :t",
        "ExpressionAttributeValues": {":t": {"S": "t"}},
    }
    with indexes_start_in(Phase.BACKFILLING):
        target = restored(table)
    assert state(dynamodb, target) == ("ACTIVE", "CREATING", True)
    assert validation_error(lambda: search(dynamodb, target, **condition)) == BACKFILLING
    set_phase(target, "near", Phase.SEARCHABLE)
    assert keys(dynamodb, target, **condition) == ["a"]
    dynamodb.put_item(TableName=target, Item=item("b", 1, 0, 0, tenant="t"))
    assert sorted(keys(dynamodb, target, **condition)) == ["a", "b"]
    assert "b" not in keys(dynamodb, table, **condition)


def test_a_restore_can_omit_indexes(dynamodb: Any, make: Make, restored: Any) -> None:
    table = make(vector_index(), vector_index("other"))
    target = restored(table, VectorIndexOverride=[vector_index("other")])
    described = dynamodb.describe_table(TableName=target)["Table"]
    assert [index["IndexName"] for index in described["VectorIndexes"]] == ["other"]
    assert validation_error(lambda: search(dynamodb, target)) == UNKNOWN


def test_a_restore_cannot_add_an_index(dynamodb: Any, make: Make, restored: Any) -> None:
    table = make(vector_index())
    assert "does not have" in validation_error(lambda: restored(table, VectorIndexOverride=[vector_index("new")]))
    assert not [name for name in dynamodb.list_tables()["TableNames"] if name.startswith(f"{table}-")]
