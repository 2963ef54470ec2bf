"""Vector indexes in CreateTable, UpdateTable, DescribeTable and CloudFormation."""

import json
from typing import Any

import pytest
from botocore.parsers import ResponseParserError

from tests.integration.vector_search.conftest import (
    REGION,
    Connect,
    Make,
    attributes,
    error_from,
    item,
    keys,
    search,
    validation_error,
    vector_index,
)

INVALID = "One or more parameter values were invalid: "


def described(dynamodb: Any, table: str) -> dict[str, Any]:
    answer: dict[str, Any] = dynamodb.describe_table(TableName=table)["Table"]
    return answer


def test_describe_table_shows_the_index(dynamodb: Any, make: Make) -> None:
    wanted = vector_index(
        hash_key="tenant", filters=["model"], Projection={"ProjectionType": "INCLUDE", "NonKeyAttributes": ["title"]}
    )
    table = make(wanted)
    dynamodb.put_item(TableName=table, Item=item("a", 1, 0, 0, tenant="t"))
    dynamodb.put_item(TableName=table, Item=item("b", 1, 0, 0))
    held = described(dynamodb, table)
    assert held["VectorIndexes"] == [
        wanted
        | {
            "IndexStatus": "ACTIVE",
            "ItemCount": 1,
            "IndexSizeBytes": 12,
            "IndexArn": f"arn:aws:dynamodb:{REGION}:123456789012:table/{table}/index/near",
        }
    ]
    assert {entry["AttributeName"] for entry in held["AttributeDefinitions"]} == {"pk", "tenant", "model"}


def test_create_table_returns_the_index(dynamodb: Any) -> None:
    answer = dynamodb.create_table(
        TableName="answered",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=attributes(pk="S"),
        BillingMode="PAY_PER_REQUEST",
        VectorIndexes=[vector_index()],
    )
    assert [index["IndexStatus"] for index in answer["TableDescription"]["VectorIndexes"]] == ["ACTIVE"]


def test_a_table_without_vector_indexes_shows_none(dynamodb: Any, make: Make) -> None:
    assert "VectorIndexes" not in described(dynamodb, make())


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (vector_index(Dimensions=4097), INVALID + "Number of dimensions must be between 1 and 4096 inclusive."),
        (vector_index(Dimensions=0), INVALID + "Number of dimensions must be between 1 and 4096 inclusive."),
        (
            vector_index(DistanceFunction="MANHATTAN"),
            "1 validation error detected: Value 'MANHATTAN' at 'vectorIndexes.1.member.distanceFunction' failed to "
            "satisfy constraint: Member must satisfy enum value set: [DOT_PRODUCT, COSINE, EUCLIDEAN]",
        ),
        (
            vector_index("ab"),
            "1 validation error detected: Value 'ab' at 'vectorIndexes.1.member.indexName' failed to satisfy "
            "constraint: Member must have length greater than or equal to 3",
        ),
        (
            vector_index("no spaces"),
            "1 validation error detected: Value 'no spaces' at 'vectorIndexes.1.member.indexName' failed to satisfy "
            "constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
        ),
        (
            vector_index(Projection=None),
            "1 validation error detected: Value null at 'vectorIndexes.1.member.projection' failed to satisfy "
            "constraint: Member must not be null",
        ),
        (
            vector_index(Projection={"ProjectionType": "INCLUDE"}),
            INVALID + "ProjectionType is INCLUDE, but NonKeyAttributes is not specified",
        ),
        (
            vector_index(Projection={"ProjectionType": "ALL", "NonKeyAttributes": ["title"]}),
            INVALID + "ProjectionType is ALL, but NonKeyAttributes is specified",
        ),
        (
            vector_index(VectorAttribute={"AttributeName": "pk"}),
            INVALID + "Conflicting attribute definition for 'pk'. An attribute cannot be defined in "
            "AttributeDefinitions when used as a VectorAttribute.",
        ),
        (
            vector_index(filters=[f"f{number}" for number in range(19)]),
            INVALID + "SearchSchema can have at most 18 INLINE_FILTER elements",
        ),
        (
            vector_index(SearchSchema=[{"AttributeName": one, "SearchSchemaElementType": "HASH"} for one in "ab"]),
            INVALID + "SearchSchema can have at most 1 HASH element",
        ),
    ],
)
def test_an_invalid_index_is_refused(dynamodb: Any, make: Make, index: dict[str, Any], message: str) -> None:
    before = dynamodb.list_tables()["TableNames"]
    assert validation_error(lambda: make(index)) == message
    assert dynamodb.list_tables()["TableNames"] == before


def test_billing_must_be_on_demand(dynamodb: Any, make: Make) -> None:
    message = INVALID + "Vector indexes are only supported for PAY_PER_REQUEST tables"
    units = {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}
    assert (
        validation_error(lambda: make(vector_index(), BillingMode="PROVISIONED", ProvisionedThroughput=units))
        == message
    )
    table = make(vector_index())
    assert (
        validation_error(dynamodb.update_table, TableName=table, BillingMode="PROVISIONED", ProvisionedThroughput=units)
        == message
    )
    plain = make(BillingMode="PROVISIONED", ProvisionedThroughput=units)
    change = [{"Create": vector_index()}]
    assert validation_error(dynamodb.update_table, TableName=plain, VectorIndexUpdates=change) == message


def test_search_attributes_must_be_declared(make: Make) -> None:
    assert (
        validation_error(lambda: make(vector_index(hash_key="tenant"), AttributeDefinitions=attributes(pk="S")))
        == INVALID + "One element in SearchSchema is not defined in attribute definitions"
    )


def test_unused_attribute_definitions_are_still_refused(make: Make) -> None:
    assert "AttributeDefinitions" in validation_error(
        lambda: make(vector_index(hash_key="tenant"), AttributeDefinitions=attributes(pk="S", tenant="S", idle="S"))
    )


def test_a_table_has_at_most_five_vector_indexes(dynamodb: Any, make: Make) -> None:
    five = [vector_index(f"near-{number}") for number in range(5)]
    assert (
        validation_error(lambda: make(*five, vector_index()))
        == INVALID + "VectorIndex count exceeds the per-table limit of 5"
    )
    assert error_from(
        dynamodb.update_table, TableName=make(*five), VectorIndexUpdates=[{"Create": vector_index()}]
    ) == (
        "LimitExceededException",
        "Subscriber limit exceeded: Number of vector secondary indexes exceeds per-table limit of 5",
    )


def test_indexes_on_one_attribute_must_agree_on_its_dimensions(make: Make) -> None:
    assert validation_error(lambda: make(vector_index(), vector_index("near2", Dimensions=4))) == (
        INVALID + "Conflicting attribute definition for 'v'. All VectorIndexes on the same vector attribute must use "
        "the same dimensions."
    )


def test_index_names_are_unique(dynamodb: Any, make: Make) -> None:
    message = INVALID + "Duplicate index name: near"
    secondary = {
        "IndexName": "near",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    }
    assert validation_error(lambda: make(vector_index(), vector_index())) == message
    assert validation_error(lambda: make(vector_index(), GlobalSecondaryIndexes=[secondary])) == message
    table = make(vector_index())
    assert (
        validation_error(dynamodb.update_table, TableName=table, VectorIndexUpdates=[{"Create": vector_index()}])
        == "Attempting to create an index which already exists"
    )


def test_update_table_adds_an_index_over_existing_items(dynamodb: Any, make: Make) -> None:
    table = make()
    for one in (item("a", 1, 0, 0, tenant="t"), item("b", 0, 1, 0, tenant="t"), item("c", 1, 0, tenant="t"), item("d")):
        dynamodb.put_item(TableName=table, Item=one)
    assert (
        validation_error(
            dynamodb.update_table, TableName=table, VectorIndexUpdates=[{"Create": vector_index(hash_key="tenant")}]
        )
        == INVALID + "One element in SearchSchema is not defined in attribute definitions"
    )
    answer = dynamodb.update_table(
        TableName=table,
        AttributeDefinitions=attributes(tenant="S"),
        VectorIndexUpdates=[{"Create": vector_index(hash_key="tenant")}],
    )["TableDescription"]
    assert [index["ItemCount"] for index in answer["VectorIndexes"]] == [2]
    assert answer["AttributeDefinitions"] == attributes(pk="S", tenant="S")
    dynamodb.put_item(TableName=table, Item=item("e", 0, 0, 1, tenant="t"))
    condition = {"SearchConditionExpression": "tenant = :t", "ExpressionAttributeValues": {":t": {"S": "t"}}}
    assert keys(dynamodb, table, 0.9, 0.2, 0.1, **condition) == ["a", "b", "e"]


def test_update_table_removes_an_index_and_keeps_the_items(dynamodb: Any, make: Make) -> None:
    table = make(vector_index())
    dynamodb.put_item(TableName=table, Item=item("a", 1, 0, 0))
    answer = dynamodb.update_table(TableName=table, VectorIndexUpdates=[{"Delete": {"IndexName": "near"}}])
    assert "VectorIndexes" not in answer["TableDescription"]
    assert validation_error(lambda: search(dynamodb, table)) == "The table does not have the specified index: near"
    assert dynamodb.get_item(TableName=table, Key={"pk": {"S": "a"}})["Item"] == item("a", 1, 0, 0)
    code, _ = error_from(dynamodb.update_table, TableName=table, VectorIndexUpdates=[{"Delete": {"IndexName": "near"}}])
    assert code == "ResourceNotFoundException"


def test_only_one_index_can_change_at_a_time(dynamodb: Any, make: Make) -> None:
    table = make()
    changes = [{"Create": vector_index("near-1")}, {"Create": vector_index("near-2")}]
    assert error_from(dynamodb.update_table, TableName=table, VectorIndexUpdates=changes) == (
        "LimitExceededException",
        "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table",
    )
    assert "VectorIndexes" not in described(dynamodb, table)


def test_query_and_scan_refuse_a_vector_index(dynamodb: Any, make: Make) -> None:
    table = make(vector_index())
    condition = {"KeyConditionExpression": "pk = :p", "ExpressionAttributeValues": {":p": {"S": "a"}}}
    assert (
        validation_error(dynamodb.query, TableName=table, IndexName="near", **condition)
        == "Query operation not supported on this index type."
    )
    assert (
        validation_error(dynamodb.scan, TableName=table, IndexName="near")
        == "Scan operation not supported on this index type"
    )


def _stack(index: dict[str, Any], billing: str = "PAY_PER_REQUEST") -> str:
    properties = {
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": attributes(pk="S", tenant="S"),
        "BillingMode": billing,
        "VectorIndexes": [index],
    }
    return json.dumps(
        {
            "Resources": {"Table": {"Type": "AWS::DynamoDB::Table", "Properties": properties}},
            "Outputs": {"Name": {"Value": {"Ref": "Table"}}},
        }
    )


def test_cloudformation_creates_the_indexes(dynamodb: Any, connect: Connect) -> None:
    cloudformation = connect("cloudformation")
    cloudformation.create_stack(
        StackName="vectors", TemplateBody=_stack(vector_index(hash_key="tenant", Dimensions="3"))
    )
    (output,) = cloudformation.describe_stacks(StackName="vectors")["Stacks"][0]["Outputs"]
    table = output["OutputValue"]
    assert [index["Dimensions"] for index in described(dynamodb, table)["VectorIndexes"]] == [3]
    dynamodb.put_item(TableName=table, Item=item("a", 1, 0, 0, tenant="t"))
    condition = {"SearchConditionExpression": "tenant = :t", "ExpressionAttributeValues": {":t": {"S": "t"}}}
    assert keys(dynamodb, table, **condition) == ["a"]


def test_cloudformation_applies_the_checks_of_create_table(dynamodb: Any, connect: Connect) -> None:
    before = dynamodb.list_tables()["TableNames"]
    template = _stack(vector_index(hash_key="tenant"), billing="PROVISIONED")
    # moto passes on the error of the refusing service in that service's protocol, not in CloudFormation's.
    with pytest.raises(ResponseParserError, match="Vector indexes are only supported for PAY_PER_REQUEST tables"):
        connect("cloudformation").create_stack(StackName="refused", TemplateBody=template)
    assert dynamodb.list_tables()["TableNames"] == before
