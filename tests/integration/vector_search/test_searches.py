"""SearchVectors: scores, conditions, projections, capacity, and invalid requests."""

import re
from typing import Any

import pytest

from tests.integration.vector_search.conftest import (
    REGION,
    Make,
    attributes,
    error_from,
    item,
    keys,
    numbers,
    search,
    validation_error,
    vector_index,
)

INVALID = "Invalid SearchConditionExpression: "


def condition(expression: str, /, **values: str) -> dict[str, Any]:
    request: dict[str, Any] = {"SearchConditionExpression": expression}
    return request | {"ExpressionAttributeValues": {f":{name}": {"S": text} for name, text in values.items()}}


@pytest.fixture
def table(dynamodb: Any, make: Make) -> str:
    """Three items, in two tenants, with one inline filter."""
    name = make(vector_index(hash_key="tenant", filters=["model"]), vector_index("plain"))
    for one in (
        item("a", 1, 0, 0, tenant="t", model="m", title="first"),
        item("b", 0, 1, 0, tenant="t", model="n", title="second"),
        item("c", 1, 0, 0, tenant="s", model="m", title="third"),
    ):
        dynamodb.put_item(TableName=name, Item=one)
    return name


@pytest.mark.parametrize(
    ("distance", "scores"),
    [
        ("COSINE", {"same": 0.0, "slant": 0.3999999761581421, "zero": 1.0, "across": 1.0, "opposite": 2.0}),
        (
            "EUCLIDEAN",
            {"same": 0.0, "slant": 0.8944271802902222, "zero": 1.0, "across": 1.4142135381698608, "opposite": 2.0},
        ),
        (
            "DOT_PRODUCT",
            {"same": 1.0, "slant": 0.6000000238418579, "zero": 0.0, "across": 0.0, "opposite": -1.0},
        ),
    ],
)
def test_scores_follow_the_distance_function(
    dynamodb: Any, make: Make, distance: str, scores: dict[str, float]
) -> None:
    table = make(vector_index(DistanceFunction=distance))
    for name, vector in {
        "opposite": (-1, 0, 0),
        "zero": (0, 0, 0),
        "slant": (0.6, 0.8, 0),
        "across": (0, 1, 0),
        "same": (1, 0, 0),
    }.items():
        dynamodb.put_item(TableName=table, Item=item(name, *vector))
    found = search(dynamodb, table, 1, 0, 0)
    assert dict(found) == scores
    assert [score for _, score in found] == sorted(scores.values(), reverse=distance == "DOT_PRODUCT")
    assert search(dynamodb, table, 1, 0, 0, TopK=2) == found[:2]


def test_cosine_ignores_length_and_euclidean_does_not(dynamodb: Any, make: Make) -> None:
    table = make(vector_index(), vector_index("far", DistanceFunction="EUCLIDEAN"))
    dynamodb.put_item(TableName=table, Item=item("long", 10, 0, 0))
    dynamodb.put_item(TableName=table, Item=item("near", 0.9, 0.1, 0))
    assert keys(dynamodb, table) == ["long", "near"]
    assert search(dynamodb, table, index="far")[1] == ("long", 9.0)


def test_a_zero_query_has_cosine_distance_one_from_every_vector(dynamodb: Any, make: Make) -> None:
    table = make(vector_index())
    dynamodb.put_item(TableName=table, Item=item("a", 1, 0, 0))
    assert search(dynamodb, table, 0, 0, 0) == [("a", 1.0)]


@pytest.mark.parametrize("distance", ["COSINE", "EUCLIDEAN", "DOT_PRODUCT"])
def test_numbers_near_the_limits_of_f32_have_finite_scores(dynamodb: Any, make: Make, distance: str) -> None:
    table = make(vector_index(DistanceFunction=distance))
    dynamodb.put_item(TableName=table, Item=item("large", 3e38, 3e38, 0))
    dynamodb.put_item(TableName=table, Item=item("opposite", -3e38, -3e38, 0))
    dynamodb.put_item(TableName=table, Item=item("one", 1, 0, 0))
    found = search(dynamodb, table, 3e38, 3e38, 0)
    assert found[0][0] == "large"
    assert found[2][0] == "opposite"
    assert max(abs(score) for _, score in found) <= 3.4028234663852886e38


def test_an_empty_index_finds_nothing(dynamodb: Any, make: Make) -> None:
    for distance in ("COSINE", "EUCLIDEAN", "DOT_PRODUCT"):
        assert search(dynamodb, make(vector_index(DistanceFunction=distance))) == []


def test_the_hash_value_selects_a_partition(dynamodb: Any, table: str) -> None:
    assert keys(dynamodb, table, **condition("tenant = :t", t="t")) == ["a", "b"]
    assert keys(dynamodb, table, **condition("tenant = :t", t="s")) == ["c"]
    assert keys(dynamodb, table, **condition("tenant = :t", t="none")) == []
    assert keys(dynamodb, table, index="plain") == ["a", "c", "b"]


@pytest.mark.parametrize(
    "expression",
    [
        "tenant = :t AND #m = :m",
        "#m=:m and tenant=:t",
        "(tenant = :t AND (#m = :m))",
        ":m = #m AND :t = tenant",
        "  tenant\n=\t:t   AND  #m = :m ",
    ],
)
def test_inline_filters_restrict_the_results(dynamodb: Any, table: str, expression: str) -> None:
    request = condition(expression, t="t", m="n") | {"ExpressionAttributeNames": {"#m": "model"}}
    assert keys(dynamodb, table, **request) == ["b"]


def test_filters_work_without_a_hash_key(dynamodb: Any, make: Make) -> None:
    table = make(vector_index(filters=["model", "colour"]))
    dynamodb.put_item(TableName=table, Item=item("a", 1, 0, 0, model="m", colour="red"))
    dynamodb.put_item(TableName=table, Item=item("b", 1, 0, 0, model="m"))
    assert keys(dynamodb, table, **condition("model = :m", m="m")) == ["a", "b"]
    assert keys(dynamodb, table, **condition("model = :m AND colour = :c", m="m", c="red")) == ["a"]
    assert keys(dynamodb, table, **condition("colour = :c", c="m")) == []
    assert sorted(keys(dynamodb, table)) == ["a", "b"]


@pytest.mark.parametrize(
    ("expression", "values", "found"),
    [
        ("tenant = :t AND price < :five", {}, "ab"),
        ("tenant = :t AND price <= :five", {}, "abc"),
        ("tenant = :t AND price > :five", {}, "d"),
        ("tenant = :t AND :five < price", {}, "d"),
        ("tenant = :t AND price >= :one AND price < :five", {}, "ab"),
        ("tenant = :t AND price BETWEEN :one AND :five", {}, "abc"),
        ("tenant = :t AND price IN (:one, :ten)", {}, "ad"),
        ("tenant = :t AND price <> :five", {}, "abde"),
        ("tenant = :t AND NOT price <> :five", {}, "c"),
        ("tenant = :t AND NOT (price < :five OR brand = :acme)", {}, "de"),
        ("tenant = :t AND (brand = :acme OR price = :ten)", {}, "abcd"),
        ("brand = :acme AND price < :five OR price = :ten", {"hash_key": None}, "abd"),
        ("NOT brand = :acme AND NOT price > :five", {"hash_key": None}, "e"),
        ("tenant = :t AND brand > :acme", {}, "de"),
    ],
)
def test_filters_support_comparisons_and_boolean_operators(
    dynamodb: Any, make: Make, expression: str, values: dict[str, Any], found: str
) -> None:
    """The prices are 1, 2.5, 5 and 10; `e` has no price."""
    schema = {"hash_key": "tenant", "filters": ["price", "brand"]} | values
    table = make(
        vector_index(**schema),
        AttributeDefinitions=attributes(pk="S", price="N", brand="S", tenant="S")
        if schema["hash_key"]
        else attributes(pk="S", price="N", brand="S"),
    )
    for name, price, brand in (
        ("a", "1", "acme"),
        ("b", "2.5", "acme"),
        ("c", "5.0", "acme"),
        ("d", "10", "beta"),
        ("e", None, "beta"),
    ):
        one = item(name, 1, 0, 0, tenant="t", brand=brand)
        dynamodb.put_item(TableName=table, Item=one | ({"price": {"N": price}} if price else {}))
    known = {":t": {"S": "t"}, ":acme": {"S": "acme"}} | {
        f":{name}": {"N": number} for name, number in (("one", "1"), ("five", "5"), ("ten", "10"))
    }
    used = {name: value for name, value in known.items() if re.search(rf"{name}\b", expression)}
    request = {"SearchConditionExpression": expression, "ExpressionAttributeValues": used}
    assert "".join(sorted(keys(dynamodb, table, **request))) == found


def test_binaries_are_ordered_by_unsigned_bytes(dynamodb: Any, make: Make) -> None:
    table = make(vector_index(filters=["blob"]), AttributeDefinitions=attributes(pk="S", blob="B"))
    for name, blob in (("low", b"\x01"), ("high", b"\xff\x00")):
        dynamodb.put_item(TableName=table, Item=item(name, 1, 0, 0) | {"blob": {"B": blob}})
    request: dict[str, Any] = {
        "SearchConditionExpression": "#b > :b",
        "ExpressionAttributeNames": {"#b": "blob"},
        "ExpressionAttributeValues": {":b": {"B": b"\x7f"}},
    }
    assert keys(dynamodb, table, **request) == ["high"]


def test_numbers_and_binaries_are_equal_by_value(dynamodb: Any, make: Make) -> None:
    table = make(
        vector_index(hash_key="tenant", filters=["blob"]), AttributeDefinitions=attributes(pk="S", tenant="N", blob="B")
    )
    stored = item("a", 1, 0, 0) | {"tenant": {"N": "1"}, "blob": {"B": b"\x00\xff"}}
    dynamodb.put_item(TableName=table, Item=stored)
    request: dict[str, Any] = {
        "SearchConditionExpression": "tenant = :t AND #b = :b",
        "ExpressionAttributeNames": {"#b": "blob"},
        "ExpressionAttributeValues": {":t": {"N": "1.0"}, ":b": {"B": b"\x00\xff"}},
    }
    answer = dynamodb.search_vectors(
        TableName=table, IndexName="near", SearchVector=numbers((1, 0, 0)), TopK=1, **request
    )
    assert answer["SearchResults"][0]["Item"] == {name: stored[name] for name in ("pk", "tenant", "blob")}
    request["ExpressionAttributeValues"][":b"] = {"B": b"\x00"}
    assert keys(dynamodb, table, **request) == []


def found_item(client: Any, table: str, **request: Any) -> dict[str, Any]:
    answer = client.search_vectors(
        **{"TableName": table, "IndexName": "near", "SearchVector": numbers((1, 0, 0)), "TopK": 1, **request}
    )
    held: dict[str, Any] = answer["SearchResults"][0]["Item"]
    return held


@pytest.mark.parametrize(
    ("projection", "names"),
    [
        ({"ProjectionType": "ALL"}, {"pk", "tenant", "model", "title", "tags"}),
        ({"ProjectionType": "KEYS_ONLY"}, {"pk", "tenant", "model"}),
        ({"ProjectionType": "INCLUDE", "NonKeyAttributes": ["title"]}, {"pk", "tenant", "model", "title"}),
    ],
)
def test_projections_return_the_projected_attributes(
    dynamodb: Any, make: Make, projection: dict[str, Any], names: set[str]
) -> None:
    table = make(vector_index(hash_key="tenant", filters=["model"], Projection=projection))
    stored = item("a", 1, 0, 0, tenant="t", model="m", title="first") | {"tags": {"L": [{"S": "x"}, {"S": "y"}]}}
    dynamodb.put_item(TableName=table, Item=stored)
    in_t = condition("tenant = :t", t="t")
    assert found_item(dynamodb, table, **in_t) == {name: stored[name] for name in names}
    wanted = {"ProjectionExpression": "pk, #t, tags[1], absent", "ExpressionAttributeNames": {"#t": "title"}}
    shown = found_item(dynamodb, table, **in_t, **wanted)
    assert shown.keys() == {"pk", "title", "tags"} & names
    assert shown.get("tags") in (None, {"L": [{"S": "y"}]})


def test_the_vector_is_returned_only_on_request_and_in_f32(dynamodb: Any, make: Make) -> None:
    table = make(vector_index(Projection={"ProjectionType": "KEYS_ONLY"}))
    dynamodb.put_item(TableName=table, Item=item("a", 0.1234567890123, 0.6, 0))
    assert found_item(dynamodb, table).keys() == {"pk"}
    shown = found_item(dynamodb, table, ProjectionExpression="pk, v")
    assert shown == {"pk": {"S": "a"}, "v": {"L": [{"N": "0.12345679"}, {"N": "0.6"}, {"N": "0.0"}]}}


@pytest.mark.parametrize("level", ["TOTAL", "INDEXES"])
def test_capacity_is_reported_on_request(dynamodb: Any, make: Make, level: str) -> None:
    table = make(vector_index(Dimensions=300))
    for number in range(4):
        dynamodb.put_item(TableName=table, Item=item(f"k{number}", *([1.0] * 300)))
    request: dict[str, Any] = {
        "TableName": table,
        "IndexName": "near",
        "SearchVector": numbers([1.0] * 300),
        "TopK": 1,
    }
    answer = dynamodb.search_vectors(**request, ReturnConsumedCapacity=level)
    assert answer["ConsumedCapacity"] == {"VectorSearchRequestBytes": 4 * 300 * 4}
    assert "ConsumedCapacity" not in dynamodb.search_vectors(**request)
    assert "ConsumedCapacity" not in dynamodb.search_vectors(**request, ReturnConsumedCapacity="NONE")


def test_a_search_costs_at_least_a_kilobyte(dynamodb: Any, make: Make) -> None:
    answer = dynamodb.search_vectors(
        TableName=make(vector_index()),
        IndexName="near",
        SearchVector=numbers((1, 0, 0)),
        TopK=1,
        ReturnConsumedCapacity="TOTAL",
    )
    assert answer["ConsumedCapacity"] == {"VectorSearchRequestBytes": 1024}


def test_the_table_may_be_named_by_its_arn(dynamodb: Any, table: str) -> None:
    arn = f"arn:aws:dynamodb:{REGION}:123456789012:table/{table}"
    assert keys(dynamodb, arn, index="plain") == ["a", "c", "b"]


def test_topk_is_limited_to_100(dynamodb: Any, make: Make) -> None:
    table = make(vector_index())
    for start in range(0, 120, 20):
        puts = [{"PutRequest": {"Item": item(f"k{start + at}", 1, start + at, 0)}} for at in range(20)]
        dynamodb.batch_write_item(RequestItems={table: puts})
    assert keys(dynamodb, table, 1, 0, 0, TopK=100) == [f"k{number}" for number in range(100)]


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (
            {"TopK": 101},
            "Provided TopK value '101' is out of valid range. The value must be between 1 and 100 inclusive",
        ),
        (
            {"TopK": 0},
            "1 validation error detected: Value '0' at 'topK' failed to satisfy constraint: "
            "Member must have value greater than or equal to 1",
        ),
        ({"IndexName": "other"}, "The table does not have the specified index: other"),
        (
            {"SearchVector": numbers((1, 0))},
            "Input search vector dimension 2 does not match vector index dimension 3",
        ),
        (
            {"SearchVector": [{"L": numbers((1, 0, 0))}]},
            "Search vector contains invalid values. All values in the search vector must be a 32-bit floating-point "
            "number attribute",
        ),
        (
            {"SearchVector": [{"N": "1"}, {"N": "0"}, {"N": "1e39"}]},
            "Search vector contains invalid values. All values in the search vector must be a 32-bit floating-point "
            "number attribute",
        ),
        (
            {"SearchVector": [{"N": "1"}, {"N": "nan"}, {"N": "0"}]},
            "Search vector contains invalid values. All values in the search vector must be a 32-bit floating-point "
            "number attribute",
        ),
        ({}, "SearchConditionExpression must be provided when SearchSchema has a HASH key"),
        (
            condition("model = :m", m="m"),
            "SearchConditionExpression must have all HASH attributes in configured SearchSchema",
        ),
        (
            condition("tenant = :t AND title = :x", t="t", x="first"),
            "SearchConditionExpression must not contain any attributes that is not in SearchSchema. "
            "Invalid attribute: title",
        ),
        (condition("tenant < :t", t="t"), INVALID + "Invalid comparator used in SearchConditionExpression"),
        (
            condition("tenant = :t OR model = :m", t="t", m="m"),
            INVALID + "Invalid operator used in SearchConditionExpression",
        ),
        (
            condition("tenant = :t AND begins_with(model, :m)", t="t", m="m"),
            INVALID + "Invalid operator used in SearchConditionExpression",
        ),
        (
            condition("(tenant = :t AND model = :m) OR tenant = :t", t="t", m="m"),
            INVALID + "Invalid operator used in SearchConditionExpression",
        ),
        (
            condition("tenant BETWEEN :t AND :u", t="t", u="u"),
            INVALID + "Invalid operator used in SearchConditionExpression",
        ),
        (
            condition("tenant IN (:t)", t="t"),
            INVALID + "Invalid operator used in SearchConditionExpression",
        ),
        (
            condition("NOT tenant = :t", t="t"),
            INVALID + "Invalid operator used in SearchConditionExpression",
        ),
        (
            condition("tenant = model"),
            INVALID + "Invalid operator used in SearchConditionExpression",
        ),
        (
            condition("tenant = :t AND tenant = :u", t="t", u="u"),
            "SearchConditionExpression must only contain one condition per attribute",
        ),
        (
            condition("tenant.id = :t", t="t"),
            "SearchConditionExpression cannot have conditions on nested attributes",
        ),
        (condition(""), INVALID + "The expression can not be empty;"),
        (condition("tenant = :t AND", t="t"), INVALID + 'Syntax error; token: "<EOF>"'),
        (condition("tenant :t", t="t"), INVALID + 'Syntax error; token: ":t"'),
        (condition("(tenant = :t", t="t"), INVALID + 'Syntax error; token: "<EOF>"'),
        (condition("tenant = :t OR", t="t"), INVALID + 'Syntax error; token: "<EOF>"'),
        (condition("tenant = :t AND model IN :m", t="t", m="m"), INVALID + 'Syntax error; token: ":m"'),
        (condition("tenant = :t AND model BETWEEN :m, :t", t="t", m="m"), INVALID + 'Syntax error; token: ","'),
        (
            condition("tenant = :t AND model BETWEEN :m AND tenant", t="t", m="m"),
            INVALID + "Invalid operator used in SearchConditionExpression",
        ),
        (condition("tenant = :t)(", t="t"), INVALID + 'Syntax error; token: ")"'),
        (condition("tenant = :t ; x", t="t"), INVALID + 'Syntax error; token: ";"'),
        (
            condition("tenant = :t", other="t"),
            INVALID + "An expression attribute value used in expression is not defined; attribute value: :t",
        ),
        (
            condition("#t = :t", t="t"),
            INVALID + "An expression attribute name used in the document path is not defined; attribute name: #t",
        ),
        (
            condition("collection = :t", t="t"),
            INVALID + "Attribute name is a reserved keyword; reserved keyword: collection",
        ),
        (
            condition("tenant = :t", t="t", u="u"),
            "Value provided in ExpressionAttributeValues unused in expressions: keys: {:u}",
        ),
        (
            condition("tenant = :t", t="t") | {"ExpressionAttributeNames": {"#u": "u"}},
            "Value provided in ExpressionAttributeNames unused in expressions: keys: {#u}",
        ),
        (
            condition("tenant = :t", t="t") | {"ProjectionExpression": "#u"},
            "Invalid ProjectionExpression: An expression attribute name used in the document path is not defined; "
            "attribute name: #u",
        ),
        (
            {"SearchConditionExpression": "tenant = :t", "ExpressionAttributeValues": {":t": {"N": "1"}}},
            "Type of 'tenant' attribute in SearchConditionExpression (N) does not match type in search schema (S)",
        ),
        (
            condition("tenant = :t", t=""),
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an "
            "empty string value. Key: tenant",
        ),
        (
            condition("tenant = :t", t="t") | {"ReturnConsumedCapacity": "SOME"},
            "1 validation error detected: Value 'SOME' at 'returnConsumedCapacity' failed to satisfy constraint: "
            "Member must satisfy enum value set: [INDEXES, TOTAL, NONE]",
        ),
    ],
)
def test_an_invalid_request_is_refused(dynamodb: Any, table: str, request_: dict[str, Any], message: str) -> None:
    assert validation_error(lambda: search(dynamodb, table, **request_)) == message


def test_an_unknown_table_is_refused(dynamodb: Any) -> None:
    code, message = error_from(lambda: search(dynamodb, "no-such-table"))
    assert (code, message) == ("ResourceNotFoundException", "Requested resource not found")


def test_topk_is_checked_before_the_table(dynamodb: Any) -> None:
    assert validation_error(lambda: search(dynamodb, "no-such-table", TopK=1000)).startswith(
        "Provided TopK value '1000'"
    )
