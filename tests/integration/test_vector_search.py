"""SearchVectors in the emulator, as the AWS documentation describes it; boto3 over HTTP."""

import itertools
from collections.abc import Iterator
from typing import Any

import boto3
import numpy as np
import numpy.typing as npt
import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st
from moto.server import ThreadedMotoServer

from infra.local import vector_search

NAMES = (f"table-{number}" for number in itertools.count())
Vector = npt.NDArray[np.float32]


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    vector_search.install()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield boto3.client(
        "dynamodb",
        endpoint_url=f"http://{host}:{port}",
        region_name="eu-west-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
    )
    server.stop()


def index(**changes: Any) -> dict[str, Any]:
    return {
        "IndexName": "vectors",
        "VectorAttribute": {"AttributeName": "v"},
        "Dimensions": 3,
        "DistanceFunction": "COSINE",
        "SearchSchema": [
            {"AttributeName": "album", "SearchSchemaElementType": "HASH"},
            {"AttributeName": "kind", "SearchSchemaElementType": "INLINE_FILTER"},
        ],
        "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["title"]},
    } | changes


def table(client: Any, *indexes: Any, attributes: tuple[str, ...] = ("pk", "album", "kind"), **changes: Any) -> str:
    name = next(NAMES)
    request = {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": one, "AttributeType": "S"} for one in attributes],
        "VectorIndexes": list(indexes) or [index()],
    } | changes
    client.create_table(**request)
    return name


def numbers(values: Any) -> list[dict[str, str]]:
    return [{"N": repr(float(value))} for value in values]


def put(client: Any, name: str, key: str, vector: Any, album: str | None = "a", **attributes: str) -> None:
    item: dict[str, Any] = {"pk": {"S": key}} | {one: {"S": value} for one, value in attributes.items()}
    if vector is not None:
        item["v"] = {"L": numbers(vector)}
    if album is not None:
        item["album"] = {"S": album}
    client.put_item(TableName=name, Item=item)


def search(client: Any, name: str, vector: Any = (1, 0, 0), **changes: Any) -> Any:
    request = {
        "TableName": name,
        "IndexName": "vectors",
        "SearchVector": numbers(vector),
        "TopK": 10,
        "SearchConditionExpression": "album = :a",
        "ExpressionAttributeValues": {":a": {"S": "a"}},
    } | changes
    return client.search_vectors(**{key: value for key, value in request.items() if value is not None})


def keys(answer: Any) -> list[str]:
    return [result["Item"]["pk"]["S"] for result in answer["SearchResults"]]


def refusal(call: Any, *args: Any, **kwargs: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(*args, **kwargs)
    assert error.value.response["Error"]["Code"] == "ValidationException"
    return str(error.value.response["Error"]["Message"])


def test_the_nearest_come_first_with_cosine_distances(client: Any) -> None:
    name = table(client)
    put(client, name, "opposite", (-1, 0, 0))
    put(client, name, "same", (2, 0, 0))
    put(client, name, "across", (0, 1, 0))
    answer = search(client, name)
    assert keys(answer) == ["same", "across", "opposite"]
    assert [result["Score"] for result in answer["SearchResults"]] == pytest.approx([0, 1, 2])
    assert keys(search(client, name, TopK=1)) == ["same"]


@pytest.mark.parametrize(("distance", "scores"), [("EUCLIDEAN", [0, 1, 3]), ("DOT_PRODUCT", [6, 3, 2])])
def test_the_other_distances(client: Any, distance: str, scores: list[float]) -> None:
    name = table(client, index(DistanceFunction=distance))
    vectors = {"EUCLIDEAN": [(1, 0, 0), (2, 0, 0), (1, 3, 0)], "DOT_PRODUCT": [(6, 0, 0), (3, 9, 0), (2, 0, 0)]}
    for number, vector in enumerate(vectors[distance]):
        put(client, name, str(number), vector)
    answer = search(client, name)
    assert keys(answer) == ["0", "1", "2"]
    assert [result["Score"] for result in answer["SearchResults"]] == pytest.approx(scores)


def test_items_without_vector_or_partition_are_left_out(client: Any) -> None:
    name = table(client)
    put(client, name, "in", (1, 0, 0))
    put(client, name, "no vector", None)
    put(client, name, "no partition", (1, 0, 0), album=None)
    put(client, name, "another partition", (1, 0, 0), album="b")
    assert keys(search(client, name)) == ["in"]


def test_inline_filters(client: Any) -> None:
    name = table(client)
    put(client, name, "cat", (1, 0, 0), kind="cat")
    put(client, name, "dog", (1, 0, 0), kind="dog")
    put(client, name, "none", (1, 0, 0))
    filtered = {
        "SearchConditionExpression": "#a = :a AND kind = :k",
        "ExpressionAttributeNames": {"#a": "album"},
        "ExpressionAttributeValues": {":a": {"S": "a"}, ":k": {"S": "dog"}},
    }
    assert keys(search(client, name, **filtered)) == ["dog"]
    filtered["ExpressionAttributeValues"] = {":a": {"S": "a"}, ":k": {"S": "bird"}}
    assert keys(search(client, name, **filtered)) == []
    assert len(keys(search(client, name))) == 3


def test_projection(client: Any) -> None:
    name = table(client)
    put(client, name, "x", (1, 0, 0), title="t", secret="s", kind="k")
    [result] = search(client, name)["SearchResults"]
    assert set(result["Item"]) == {"pk", "album", "kind", "title"}
    [result] = search(client, name, ProjectionExpression="title, secret")["SearchResults"]
    assert result["Item"] == {"title": {"S": "t"}}
    everything = table(client, index(Projection={"ProjectionType": "ALL"}))
    put(client, everything, "x", (1, 0, 0), secret="s")
    assert set(search(client, everything)["SearchResults"][0]["Item"]) == {"pk", "album", "secret", "v"}
    only_keys = table(client, index(Projection={"ProjectionType": "KEYS_ONLY"}))
    put(client, only_keys, "x", (1, 0, 0), title="t", kind="k")
    assert set(search(client, only_keys)["SearchResults"][0]["Item"]) == {"pk", "album", "kind"}


def test_changes_and_removals_reach_the_index(client: Any) -> None:
    name = table(client)
    for key in ("a", "b", "c"):
        put(client, name, key, (1, 0, 0))
    client.delete_item(TableName=name, Key={"pk": {"S": "a"}})
    put(client, name, "b", (1, 0, 0), album="b")
    assert keys(search(client, name)) == ["c"]
    client.update_item(
        TableName=name,
        Key={"pk": {"S": "c"}},
        UpdateExpression="SET v = :v",
        ExpressionAttributeValues={":v": {"L": numbers((0, 1, 0))}},
    )
    assert search(client, name)["SearchResults"][0]["Score"] == pytest.approx(1)
    client.update_item(TableName=name, Key={"pk": {"S": "c"}}, UpdateExpression="REMOVE album")
    assert keys(search(client, name)) == []
    client.batch_write_item(
        RequestItems={
            name: [{"PutRequest": {"Item": {"pk": {"S": "d"}, "album": {"S": "a"}, "v": {"L": numbers((1, 0, 0))}}}}]
        }
    )
    item = {"pk": {"S": "e"}, "album": {"S": "a"}, "v": {"L": numbers((1, 0, 0))}}
    client.transact_write_items(TransactItems=[{"Put": {"TableName": name, "Item": item}}])
    assert sorted(keys(search(client, name))) == ["d", "e"]
    assert client.get_item(TableName=name, Key={"pk": {"S": "e"}})["Item"] == item


def test_a_refused_transaction_leaves_the_index_alone(client: Any) -> None:
    name = table(client)
    put(client, name, "kept", (1, 0, 0))
    item = {"pk": {"S": "lost"}, "album": {"S": "a"}, "v": {"L": numbers((1, 0, 0))}}
    condition = {"TableName": name, "Key": {"pk": {"S": "kept"}}, "ConditionExpression": "attribute_not_exists(pk)"}
    with pytest.raises(ClientError):
        client.transact_write_items(
            TransactItems=[{"Put": {"TableName": name, "Item": item}}, {"ConditionCheck": condition}]
        )
    assert keys(search(client, name)) == ["kept"]


def test_the_description(client: Any) -> None:
    name = table(client)
    put(client, name, "x", (1, 0, 0))
    [described] = client.describe_table(TableName=name)["Table"]["VectorIndexes"]
    assert described["IndexStatus"] == "ACTIVE"
    assert described["ItemCount"] == 1
    assert described["Dimensions"] == 3
    assert described["SearchSchema"] == index()["SearchSchema"]
    assert described["IndexArn"].endswith(f":table/{name}/index/vectors")


def test_an_index_added_later_holds_what_was_there(client: Any) -> None:
    name = table(client)
    put(client, name, "x", (1, 0, 0))
    schema = [{"AttributeName": "album", "SearchSchemaElementType": "HASH"}]
    client.update_table(TableName=name, VectorIndexUpdates=[{"Create": index(IndexName="second", SearchSchema=schema)}])
    assert keys(search(client, name, IndexName="second")) == ["x"]
    client.update_table(TableName=name, VectorIndexUpdates=[{"Delete": {"IndexName": "second"}}])
    message = refusal(search, client, name, IndexName="second")
    assert message == "The table does not have the specified index: second"
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.update_table(TableName=name, VectorIndexUpdates=[{"Delete": {"IndexName": "second"}}])


def test_consumed_capacity(client: Any) -> None:
    name = table(client)
    put(client, name, "x", (1, 0, 0))
    assert "ConsumedCapacity" not in search(client, name)
    answer = search(client, name, ReturnConsumedCapacity="TOTAL")
    assert answer["ConsumedCapacity"]["VectorSearchRequestBytes"] == 12


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"TopK": 101}, "Provided TopK value is out of valid range"),
        ({"SearchVector": numbers((1, 0))}, "SearchVector has 2 dimensions, index vectors expects 3"),
        ({"SearchVector": [{"S": "x"}] * 3}, "SearchVector must be a list of numbers"),
        (
            {"SearchConditionExpression": None, "ExpressionAttributeValues": None},
            "SearchConditionExpression must be provided when SearchSchema has a HASH key",
        ),
        (
            {"SearchConditionExpression": "kind = :a"},
            "SearchConditionExpression must be provided when SearchSchema has a HASH key",
        ),
        ({"SearchConditionExpression": "album < :a"}, "Invalid comparator used in SearchConditionExpression"),
        ({"SearchConditionExpression": "begins_with(album, :a)"}, "Invalid comparator used in"),
        ({"SearchConditionExpression": "album = :a OR kind = :a"}, "Invalid comparator used in"),
        ({"SearchConditionExpression": "album = :a AND title = :a"}, "title is not part of the SearchSchema"),
        ({"SearchConditionExpression": "album = :b"}, "attribute value: :b"),
        ({"SearchConditionExpression": "#x = :a"}, "attribute name: #x"),
        ({"ExpressionAttributeNames": {"#x": "y"}}, "ExpressionAttributeNames unused in expressions: keys: {#x}"),
        ({"IndexName": "other"}, "The table does not have the specified index: other"),
    ],
)
def test_refused_searches(client: Any, changes: dict[str, Any], message: str) -> None:
    assert message in refusal(search, client, table(client), **changes)


def test_refused_writes(client: Any) -> None:
    name = table(client)
    assert "2 dimensions" in refusal(put, client, name, "x", (1, 0))
    wrong = {"pk": {"S": "x"}, "album": {"S": "a"}, "v": {"S": "text"}}
    assert "Type mismatch" in refusal(client.put_item, TableName=name, Item=wrong)
    assert keys(search(client, name)) == []


@pytest.mark.parametrize(
    ("changes", "table_changes", "message"),
    [
        ({"Dimensions": 4097}, {}, "Dimensions must be between 1 and 4096"),
        ({}, {"attributes": ("pk", "album")}, "One element in SearchSchema is not defined in attribute definitions"),
        (
            {},
            {
                "BillingMode": "PROVISIONED",
                "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
            },
            "PAY_PER_REQUEST",
        ),
    ],
)
def test_refused_indexes(client: Any, changes: Any, table_changes: Any, message: str) -> None:
    assert message in refusal(table, client, index(**changes), **table_changes)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_any_collection_answers_as_brute_force_does(client: Any, seed: int, top_k: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(20, 3)).astype(np.float32)
    name = table(client)
    for number, vector in enumerate(vectors):
        put(client, name, str(number), vector)
    for number in rng.integers(0, 20, 5):
        client.delete_item(TableName=name, Key={"pk": {"S": str(number)}})
        vectors[number] = np.nan
    query = rng.normal(size=3)
    cosines = vectors @ query / (np.linalg.norm(vectors, axis=1) * np.linalg.norm(query))
    expected = [str(number) for number in np.argsort(-np.nan_to_num(cosines, nan=-2))][:top_k]
    assert keys(search(client, name, query, TopK=top_k)) == expected
