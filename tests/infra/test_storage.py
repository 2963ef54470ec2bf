"""The bucket and the table as the template defines them."""

from typing import Any

import pytest
from aws_cdk.assertions import Match, Template

from infra import app
from shared.domain import table_schema
from shared.domain.features import FEATURE_DIMENSIONS, LOCAL_DIMENSIONS
from shared.domain.images import REJECTED_TAG
from shared.domain.people.faces import FACE_DIMENSIONS
from tests.infra.reading import listed, only, resources, text


def test_the_bucket_is_private_and_encrypted(template: Template) -> None:
    template.has_resource_properties(
        "AWS::S3::Bucket",
        {
            "PublicAccessBlockConfiguration": {
                "BlockPublicAcls": True,
                "BlockPublicPolicy": True,
                "IgnorePublicAcls": True,
                "RestrictPublicBuckets": True,
            },
            "BucketEncryption": {
                "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
            },
            "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
            "VersioningConfiguration": Match.absent(),
        },
    )


def test_bucket_and_queues_require_tls(document: dict[str, Any]) -> None:
    policies = resources(document, "AWS::S3::BucketPolicy") | resources(document, "AWS::SQS::QueuePolicy")
    assert len(policies) == 5
    for policy in policies.values():
        assert {
            "Effect": "Deny",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            "Principal": {"AWS": "*"},
        }.items() <= policy["PolicyDocument"]["Statement"][0].items()


def test_no_policy_grants_public_access(document: dict[str, Any]) -> None:
    for kind in ("AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy"):
        for policy in resources(document, kind).values():
            for statement in policy["PolicyDocument"]["Statement"]:
                if statement["Effect"] == "Allow":
                    assert statement["Principal"]["Service"] in {"s3.amazonaws.com", "events.amazonaws.com"}
                    assert "Condition" in statement


def test_only_the_apis_own_page_may_post_to_the_bucket(document: dict[str, Any]) -> None:
    (rule,) = only(document, "AWS::S3::Bucket")["CorsConfiguration"]["CorsRules"]
    assert rule["AllowedMethods"] == ["POST"]
    assert [text(origin) for origin in rule["AllowedOrigins"]] == ["<Api>"]


def test_only_rejected_and_unfinished_uploads_expire(document: dict[str, Any]) -> None:
    rules = {rule["Id"]: rule for rule in only(document, "AWS::S3::Bucket")["LifecycleConfiguration"]["Rules"]}
    assert all(rule["Status"] == "Enabled" for rule in rules.values())
    assert rules["unfinished-uploads"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    key, value = REJECTED_TAG
    assert rules["rejected-uploads"]["TagFilters"] == [{"Key": key, "Value": value}]
    assert rules["rejected-uploads"]["Prefix"] == "uploads/"
    assert {name for name, rule in rules.items() if "ExpirationInDays" in rule} == {"rejected-uploads"}


def test_upload_notifications_depend_on_the_queue_policy(document: dict[str, Any]) -> None:
    bucket = only(document, "AWS::S3::Bucket")
    entries = bucket["NotificationConfiguration"]["QueueConfigurations"]
    assert [entry["Event"] for entry in entries] == ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]
    for entry in entries:
        assert text(entry["Queue"]) == "<IngestionQueue>"
        assert entry["Filter"]["S3Key"]["Rules"] == [{"Name": "prefix", "Value": "uploads/"}]
    (raw,) = [resource for resource in document["Resources"].values() if resource["Type"] == "AWS::S3::Bucket"]
    assert [text({"Ref": name}) for name in listed(raw["DependsOn"])] == ["<IngestionQueuePolicy>"]


def test_the_table_is_on_demand_recoverable_and_encrypted_with_the_free_key(template: Template) -> None:
    template.resource_count_is("AWS::DynamoDB::GlobalTable", 0)
    template.has_resource_properties(
        "AWS::DynamoDB::Table",
        {
            "BillingMode": "PAY_PER_REQUEST",
            "SSESpecification": Match.absent(),
            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
            "TimeToLiveSpecification": {"AttributeName": table_schema.TTL_ATTRIBUTE, "Enabled": True},
            "KeySchema": [
                {"AttributeName": table_schema.PARTITION_KEY, "KeyType": "HASH"},
                {"AttributeName": table_schema.SORT_KEY, "KeyType": "RANGE"},
            ],
        },
    )


@pytest.mark.parametrize(
    ("place", "name", "attribute", "dimensions"),
    [
        (0, table_schema.VECTOR_INDEX, table_schema.VECTOR_ATTRIBUTE, FEATURE_DIMENSIONS),
        (1, table_schema.LOCAL_INDEX, table_schema.LOCAL_ATTRIBUTE, LOCAL_DIMENSIONS),
    ],
)
def test_the_vector_indexes_match_those_that_the_code_searches(
    document: dict[str, Any], place: int, name: str, attribute: str, dimensions: int
) -> None:
    table = only(document, "AWS::DynamoDB::Table")
    assert len(table["VectorIndexes"]) == 3
    index = table["VectorIndexes"][place]
    assert index == {
        "IndexName": name,
        "VectorAttribute": {"AttributeName": attribute},
        "Dimensions": dimensions,
        "DistanceFunction": "COSINE",
        "SearchSchema": [
            {"AttributeName": table_schema.VECTOR_PARTITION, "SearchSchemaElementType": "HASH"},
            *(
                {"AttributeName": name, "SearchSchemaElementType": "INLINE_FILTER"}
                for name in table_schema.VECTOR_FILTERS
            ),
        ],
        "Projection": {
            "ProjectionType": "INCLUDE",
            "NonKeyAttributes": [*table_schema.RECORD_ATTRIBUTES, table_schema.LISTING_SORT, table_schema.SINCE],
        },
    }
    declared = {entry["AttributeName"] for entry in table["AttributeDefinitions"]}
    sorts = {
        *(table_schema.SORT_KEY, table_schema.LISTING_SORT, table_schema.DUPLICATES_SORT),
        table_schema.TAKEN_SORT,
    }
    keys = {
        table_schema.PARTITION_KEY,
        table_schema.LISTING_PARTITION,
        table_schema.ANNOTATED_PARTITION,
        table_schema.PIXELS_HASH,
        *sorts,
    }
    assert declared == keys | {entry["AttributeName"] for entry in index["SearchSchema"]} | {*table_schema.FACE_FILTERS}


def test_the_index_of_faces_compares_by_euclidean_distance(document: dict[str, Any]) -> None:
    index = only(document, "AWS::DynamoDB::Table")["VectorIndexes"][2]
    assert index["IndexName"] == table_schema.FACES_INDEX
    assert (index["Dimensions"], index["DistanceFunction"]) == (FACE_DIMENSIONS, "EUCLIDEAN")
    searched = {element["AttributeName"]: element["SearchSchemaElementType"] for element in index["SearchSchema"]}
    assert searched == {"collection": "HASH", "face_model": "INLINE_FILTER"}
    assert index["Projection"] == {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["face_id"]}


def test_the_listing_indexes_project_every_shown_attribute(document: dict[str, Any]) -> None:
    newest, duplicates, annotated, pixels, taken = only(document, "AWS::DynamoDB::Table")["GlobalSecondaryIndexes"]
    shown = {*table_schema.RECORD_ATTRIBUTES, *table_schema.VECTOR_FILTERS}
    collection, dated = table_schema.LISTING_PARTITION, {*shown, table_schema.LISTING_SORT}
    for index, name, keys, included in (
        (newest, table_schema.LISTING_INDEX, [collection, table_schema.LISTING_SORT], shown),
        (duplicates, table_schema.DUPLICATES_INDEX, [collection, table_schema.DUPLICATES_SORT], dated),
        (pixels, table_schema.PIXELS_INDEX, [table_schema.PIXELS_HASH, collection], dated),
        (taken, table_schema.TAKEN_INDEX, [collection, table_schema.TAKEN_SORT], {*dated, *table_schema.ANNOTATIONS}),
    ):
        assert index["IndexName"] == name
        assert [entry["AttributeName"] for entry in index["KeySchema"]] == keys
        assert set(index["Projection"]["NonKeyAttributes"]) == included
    assert annotated["IndexName"] == table_schema.ANNOTATED_INDEX
    keys = [table_schema.ANNOTATED_PARTITION, table_schema.LISTING_SORT]
    assert [entry["AttributeName"] for entry in annotated["KeySchema"]] == keys
    more = {*table_schema.ANNOTATIONS, table_schema.LISTING_PARTITION}
    assert set(annotated["Projection"]["NonKeyAttributes"]) == shown | more


def test_data_is_retained_unless_the_removal_policy_says_otherwise(document: dict[str, Any]) -> None:
    kinds = ("AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::Logs::LogGroup")
    policies = {"retain": ("RetainExceptOnCreate", "Retain"), "destroy": ("Delete", "Delete")}
    for given, wanted in ((document, "retain"), (app.template({"removal_policy": "destroy"}), "destroy")):
        stores = [resource for resource in given["Resources"].values() if resource["Type"] in kinds]
        assert len(stores) == 6
        assert {(store["DeletionPolicy"], store["UpdateReplacePolicy"]) for store in stores} == {policies[wanted]}
