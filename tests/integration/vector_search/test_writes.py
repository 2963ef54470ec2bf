"""The contents of the index after every kind of write, and the writes that are refused."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType

from tests.integration.vector_search.conftest import (
    REGION,
    Make,
    error_from,
    item,
    keys,
    numbers,
    search,
    validation_error,
    vector_index,
)

SCHEMA: dict[str, Any] = {"hash_key": "tenant", "filters": ["model"]}
IN_T: dict[str, Any] = {
    "SearchConditionExpression": "tenant = :t",
    "ExpressionAttributeValues": {":t": {"S": "t"}},
}


def key(pk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}}


def set_vector(client: Any, table: str, pk: str, *vector: float, **request: Any) -> Any:
    return client.update_item(
        **{
            "TableName": table,
            "Key": key(pk),
            "UpdateExpression": "SET v = :v",
            "ExpressionAttributeValues": {":v": {"L": numbers(vector)}},
            **request,
        }
    )


def test_overwriting_an_item_replaces_its_vector_in_the_index(dynamodb: Any, make: Make) -> None:
    table = make(vector_index())
    for vector in ((1, 0, 0), (0, 1, 0)):
        dynamodb.put_item(TableName=table, Item=item("a", *vector))
    assert search(dynamodb, table, 1, 0, 0) == [("a", 1.0)]
    assert search(dynamodb, table, 0, 1, 0) == [("a", 0.0)]


def test_lists_are_read_back_as_they_were_written(dynamodb: Any, make: Make) -> None:
    table = make(vector_index())
    lists: dict[str, Any] = {
        "numbers": {"L": numbers([1.5, -2, 3e-05] * 40)},
        "mixed": {"L": [{"N": "1"}, {"S": "N"}, {"B": b"\0"}, {"L": numbers([7])}, {"M": {"N": {"N": "2"}}}]},
        "empty": {"L": []},
        "set": {"NS": ["1", "2"]},
    }
    written = item("a", 1, 0, 0) | lists
    dynamodb.put_item(TableName=table, Item=written)
    assert dynamodb.get_item(TableName=table, Key=key("a"))["Item"] == written
    assert dynamodb.delete_item(TableName=table, Key=key("a"), ReturnValues="ALL_OLD")["Attributes"] == written


def test_an_item_leaves_the_index_with_its_vector_or_its_hash(dynamodb: Any, make: Make) -> None:
    table = make(vector_index(**SCHEMA))
    for name in "abcde":
        dynamodb.put_item(TableName=table, Item=item(name, 1, 0, 0, tenant="t"))
    dynamodb.delete_item(TableName=table, Key=key("a"))
    dynamodb.put_item(TableName=table, Item=item("b", tenant="t"))
    dynamodb.update_item(TableName=table, Key=key("c"), UpdateExpression="REMOVE v")
    dynamodb.update_item(TableName=table, Key=key("d"), UpdateExpression="REMOVE tenant")
    assert keys(dynamodb, table, **IN_T) == ["e"]
    assert dynamodb.get_item(TableName=table, Key=key("d"))["Item"] == item("d", 1, 0, 0)
    assert dynamodb.describe_table(TableName=table)["Table"]["VectorIndexes"][0]["ItemCount"] == 1


def test_items_without_hash_or_vector_are_stored_but_not_indexed(dynamodb: Any, make: Make) -> None:
    table = make(vector_index(**SCHEMA))
    dynamodb.put_item(TableName=table, Item=item("no-hash", 1, 0, 0, model="m"))
    dynamodb.put_item(TableName=table, Item=item("no-vector", tenant="t"))
    dynamodb.put_item(TableName=table, Item=item("no-filter", 1, 0, 0, tenant="t"))
    assert keys(dynamodb, table, **IN_T) == ["no-filter"]
    assert dynamodb.scan(TableName=table)["Count"] == 3


def test_update_item_indexes_new_and_changed_items(dynamodb: Any, make: Make) -> None:
    table = make(vector_index())
    set_vector(dynamodb, table, "new", 1, 0, 0)
    assert search(dynamodb, table) == [("new", 0.0)]
    set_vector(dynamodb, table, "new", 0, 1, 0)
    assert search(dynamodb, table) == [("new", 1.0)]
    one = {"UpdateExpression": "SET v[1] = :one", "ExpressionAttributeValues": {":one": {"N": "-1"}}}
    dynamodb.update_item(TableName=table, Key=key("new"), **one)
    assert search(dynamodb, table, 0, 1, 0) == [("new", 2.0)]
    assert dynamodb.get_item(TableName=table, Key=key("new"))["Item"]["v"] == {
        "L": [{"N": "0"}, {"N": "-1"}, {"N": "0"}]
    }


def test_an_update_moves_an_item_to_another_partition(dynamodb: Any, make: Make) -> None:
    table = make(vector_index(**SCHEMA))
    dynamodb.put_item(TableName=table, Item=item("a", 1, 0, 0, tenant="s"))
    assert keys(dynamodb, table, **IN_T) == []
    dynamodb.update_item(
        TableName=table,
        Key=key("a"),
        UpdateExpression="SET tenant = :t",
        ExpressionAttributeValues={":t": {"S": "t"}},
    )
    assert keys(dynamodb, table, **IN_T) == ["a"]


def test_batches_and_partiql_are_indexed(dynamodb: Any, make: Make) -> None:
    table = make(vector_index())
    puts = [{"PutRequest": {"Item": item(name, 1, 0, 0)}} for name in "abc"]
    dynamodb.batch_write_item(RequestItems={table: puts})
    dynamodb.batch_write_item(RequestItems={table: [{"DeleteRequest": {"Key": key("b")}}]})
    assert sorted(keys(dynamodb, table)) == ["a", "c"]
    dynamodb.execute_statement(Statement=f"DELETE FROM \"{table}\" WHERE pk = 'a'")  # noqa: S608
    assert keys(dynamodb, table) == ["c"]


def test_a_transaction_is_indexed_whole_or_not_at_all(dynamodb: Any, make: Make) -> None:
    table = make(vector_index())
    dynamodb.put_item(TableName=table, Item=item("a", 1, 0, 0))
    dynamodb.put_item(TableName=table, Item=item("b", 0, 1, 0))
    writes: list[dict[str, Any]] = [
        {"Put": {"TableName": table, "Item": item("c", 0, 0, 1)}},
        {"Delete": {"TableName": table, "Key": key("a")}},
        {
            "Update": {
                "TableName": table,
                "Key": key("b"),
                "UpdateExpression": "SET v = :v",
                "ExpressionAttributeValues": {":v": {"L": numbers((0, 0, -1))}},
            }
        },
    ]
    fails = {"ConditionCheck": {"TableName": table, "Key": key("d"), "ConditionExpression": "attribute_exists(pk)"}}
    code, _ = error_from(dynamodb.transact_write_items, TransactItems=[*writes, fails])
    assert code == "TransactionCanceledException"
    assert search(dynamodb, table, 1, 0, 0) == [("a", 0.0), ("b", 1.0)]
    assert search(dynamodb, table, 0, 1, 0) == [("b", 0.0), ("a", 1.0)]
    assert dynamodb.describe_table(TableName=table)["Table"]["VectorIndexes"][0]["ItemCount"] == 2
    dynamodb.transact_write_items(TransactItems=writes)
    assert search(dynamodb, table, 0, 0, 1) == [("c", 0.0), ("b", 2.0)]


def test_a_write_whose_condition_fails_changes_nothing(dynamodb: Any, make: Make) -> None:
    table = make(vector_index())
    dynamodb.put_item(TableName=table, Item=item("a", 1, 0, 0))
    new = {"ConditionExpression": "attribute_not_exists(pk)"}
    code, _ = error_from(dynamodb.put_item, TableName=table, Item=item("a", 0, 1, 0), **new)
    assert code == "ConditionalCheckFailedException"
    code, _ = error_from(set_vector, client=dynamodb, table=table, pk="a", ConditionExpression="attribute_exists(gone)")
    assert code == "ConditionalCheckFailedException"
    assert search(dynamodb, table) == [("a", 0.0)]


BAD_VECTORS: list[tuple[dict[str, Any], str]] = [
    ({"L": numbers((1, 0))}, "Invalid size for parameter v, Expected: 3, Actual: 2 IndexName: near"),
    (
        {"L": [{"N": "1"}, {"S": "oops"}, {"N": "0"}]},
        "Invalid type for parameter v[1], Expected: 32-bit floating point number, Actual: S. IndexName: near",
    ),
    (
        {"L": [{"N": "1"}, {"N": "0"}, {"N": "1e39"}]},
        "Invalid type for parameter v[2], Expected: 32-bit floating point number, Actual: N. IndexName: near",
    ),
    ({"S": "1 0 0"}, "Invalid type for parameter v, Expected: 32-bit floating point number list IndexName: near"),
    (
        {"NS": ["1", "2", "3"]},
        "Invalid type for parameter v, Expected: 32-bit floating point number list IndexName: near",
    ),
]


@pytest.mark.parametrize("text", ["NaN", "nan", "Infinity", "-Infinity", "inf", "1e999", "one"])
def test_a_value_that_is_not_a_number_is_refused_in_every_kind_of_write(dynamodb: Any, make: Make, text: str) -> None:
    table = make(vector_index())
    value = {"L": [{"N": "1"}, {"N": text}, {"N": "0"}]}
    written = key("a") | {"v": value}
    message = f"The parameter cannot be converted to a numeric value: {text}"
    update = {"UpdateExpression": "SET v = :v", "ExpressionAttributeValues": {":v": value}}
    assert validation_error(dynamodb.put_item, TableName=table, Item=written) == message
    assert validation_error(dynamodb.update_item, TableName=table, Key=key("a"), **update) == message
    batch = {table: [{"PutRequest": {"Item": written}}]}
    assert validation_error(dynamodb.batch_write_item, RequestItems=batch) == message
    _, said = error_from(dynamodb.transact_write_items, TransactItems=[{"Put": {"TableName": table, "Item": written}}])
    assert message in said
    assert dynamodb.scan(TableName=table)["Items"] == []


def test_the_smallest_64_bit_integer_is_accepted(dynamodb: Any, make: Make) -> None:
    """The integer to which a NaN is rounded. Writes accept it, so a NaN must be detected before it is stored."""
    table = make(vector_index())
    dynamodb.put_item(TableName=table, Item=item("a", -9223372036854775808, 0, 0))
    assert search(dynamodb, table) == [("a", 2.0)]


@pytest.mark.parametrize(("value", "message"), BAD_VECTORS)
def test_vectors_that_the_index_cannot_hold_are_refused(
    dynamodb: Any, make: Make, value: dict[str, Any], message: str
) -> None:
    table = make(vector_index())
    dynamodb.put_item(TableName=table, Item=item("a", 1, 0, 0))
    message = "One or more parameter values were invalid. " + message
    assert validation_error(dynamodb.put_item, TableName=table, Item=key("a") | {"v": value}) == message
    update = {"UpdateExpression": "SET v = :v", "ExpressionAttributeValues": {":v": value}}
    for name in ("a", "new"):
        assert validation_error(dynamodb.update_item, TableName=table, Key=key(name), **update) == message
    batch = [{"PutRequest": {"Item": key("a") | {"v": value}}}]
    assert validation_error(dynamodb.batch_write_item, RequestItems={table: batch}) == message
    assert dynamodb.scan(TableName=table)["Items"] == [item("a", 1, 0, 0)]
    assert search(dynamodb, table) == [("a", 0.0)]


def test_search_attributes_must_have_their_declared_type_and_not_be_empty(dynamodb: Any, make: Make) -> None:
    table = make(vector_index(**SCHEMA))
    assert validation_error(dynamodb.put_item, TableName=table, Item=item("a", 1, 0, 0, tenant="")) == (
        "One or more parameter values are not valid. A value specified for a secondary index key is not supported. "
        "The AttributeValue for a key attribute cannot contain an empty string value. IndexName: near, IndexKey: tenant"
    )
    assert validation_error(dynamodb.put_item, TableName=table, Item=item("a", 1, 0, 0) | {"tenant": {"N": "1"}}) == (
        "One or more parameter values were invalid: Type mismatch for Index Key tenant Expected: S Actual: N "
        "IndexName: near"
    )
    assert dynamodb.scan(TableName=table)["Count"] == 0


def test_tables_without_vector_indexes_store_any_list(dynamodb: Any, make: Make) -> None:
    table = make()
    mixed = key("a") | {"v": {"L": [{"N": "1"}, {"S": "x"}]}}
    dynamodb.put_item(TableName=table, Item=mixed)
    dynamodb.update_item(
        TableName=table, Key=key("a"), UpdateExpression="SET n = :n", ExpressionAttributeValues={":n": {"N": "1"}}
    )
    assert dynamodb.get_item(TableName=table, Key=key("a"))["Item"] == mixed | {"n": {"N": "1"}}


def test_vectors_are_read_back_as_they_were_written(dynamodb: Any, make: Make) -> None:
    table = make(vector_index())
    exact = key("a") | {"v": {"L": [{"N": "0.1234567890123456789"}, {"N": "-1E-5"}, {"N": "1"}]}}
    dynamodb.put_item(TableName=table, Item=exact)
    assert dynamodb.get_item(TableName=table, Key=key("a"))["Item"] == exact
    assert dynamodb.scan(TableName=table)["Items"] == [exact]
    found = dynamodb.get_item(TableName=table, Key=key("a"), ProjectionExpression="v[0]")["Item"]
    assert found == {"v": {"L": [{"N": "0.1234567890123456789"}]}}


def test_a_sort_key_is_part_of_the_key(dynamodb: Any, make: Make) -> None:
    table = make(
        vector_index(Projection={"ProjectionType": "KEYS_ONLY"}),
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
    )
    for sort, vector in (("1", (1, 0, 0)), ("2", (0, 1, 0))):
        dynamodb.put_item(TableName=table, Item=item("a", *vector, sk=sort))
    assert search(dynamodb, table) == [("a", 0.0), ("a", 1.0)]
    second, third = (key("a") | {"sk": {"S": number}} for number in "23")
    set_vector(dynamodb, table, "a", 0, -1, 0, Key=second)
    for refused_key in (second, third):
        assert "Invalid size" in validation_error(set_vector, client=dynamodb, table=table, pk="a", Key=refused_key)
    assert dynamodb.scan(TableName=table)["Count"] == 2
    assert search(dynamodb, table, 0, 1, 0) == [("a", 1.0), ("a", 2.0)]
    dynamodb.delete_item(TableName=table, Key=key("a") | {"sk": {"S": "1"}})
    assert search(dynamodb, table, 0, 1, 0) == [("a", 2.0)]


@pytest.fixture
def frequent_thread_switches() -> Iterator[None]:
    """Switch threads fifty times as often as usual, so that missing locks show."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("frequent_thread_switches")
def test_concurrent_searches_return_only_written_vectors(dynamodb: Any, make: Make) -> None:
    """Every response contains only vectors that were written, and in the end the last one of each key."""
    table = make(vector_index())
    vectors = [(1.0, 0.0, 0.0), (0.0, 1.0, 0.0)]

    def write(name: str) -> None:
        for turn in range(20):
            dynamodb.put_item(TableName=table, Item=item(name, *vectors[turn % 2]))
            if turn % 5 == 0:
                dynamodb.delete_item(TableName=table, Key=key(name))

    def look(_: int) -> None:
        for _turn in range(20):
            found = search(dynamodb, table)
            assert {score for _, score in found} <= {0.0, 1.0}
            assert len({name for name, _ in found}) == len(found)

    with ThreadPoolExecutor(8) as pool:
        tasks = [pool.submit(write, f"k{number}") for number in range(5)] + [pool.submit(look, 0) for _ in range(3)]
        for task in tasks:
            task.result()
    assert sorted(search(dynamodb, table, 0, 1, 0)) == [(f"k{number}", 0.0) for number in range(5)]


@pytest.mark.usefixtures("frequent_thread_switches")
def test_concurrent_updates_of_one_item_lose_nothing(dynamodb: Any, make: Make) -> None:
    table = make(vector_index())
    dynamodb.put_item(TableName=table, Item=item("a", 1, 0, 0))
    add = {"UpdateExpression": "ADD n :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}
    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(dynamodb.update_item, TableName=table, Key=key("a"), **add) for _ in range(40)]:
            done.result()
    assert dynamodb.get_item(TableName=table, Key=key("a"))["Item"]["n"] == {"N": "40"}
    assert search(dynamodb, table) == [("a", 0.0)]


@pytest.mark.usefixtures("frequent_thread_switches")
def test_a_table_is_read_while_others_read_and_write_it(dynamodb: Any, make: Make) -> None:
    """A read of a missing key adds it to a dictionary of moto's, which a scan iterates over."""
    name = make(vector_index())
    dynamodb.put_item(TableName=name, Item=item("kept", 1, 0, 0))
    [table] = [
        backend.tables[name]
        for account in dynamodb_backends.values()
        for backend in account.values()
        if name in backend.tables
    ]
    with ThreadPoolExecutor(1) as threads:
        written = threads.submit(write_and_delete, table)
        while not written.done():
            assert "kept" in [one.hash_key.value for one in table.all_items()]
            assert len(table) >= 1
        written.result()


def write_and_delete(table: Any) -> None:
    for number in range(3000):
        key = DynamoType({"S": str(number % 500)})
        if number // 500 % 2:
            table.delete_item(key, None)
        else:
            table.put_item(item(key.value, 1, 0, 0))


@pytest.mark.usefixtures("frequent_thread_switches")
def test_an_item_is_never_read_between_two_changes_of_one_update(make: Make) -> None:
    backend, name = dynamodb_backends["123456789012"][REGION], make(vector_index())
    names = [f"n{number}" for number in range(20)]

    def update(number: int) -> None:
        backend.update_item(
            name,
            key("a"),
            update_expression="SET " + ", ".join(f"{one} = :n" for one in names),
            expression_attribute_names={},
            expression_attribute_values={":n": {"N": str(number)}},
        )

    def values() -> set[str]:
        found = backend.get_item(name, key("a"))
        assert found is not None
        return {found.attrs[one].value for one in names}

    update(0)
    with ThreadPoolExecutor(1) as pool:
        updates = [pool.submit(update, number) for number in range(1, 100)]
        while not updates[-1].done():
            assert len(values()) == 1
