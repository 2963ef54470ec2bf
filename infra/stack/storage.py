"""The bucket of images and the table of records."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3 as s3
from constructs import Construct

from shared.domain import table_schema
from shared.domain.features import FEATURE_DIMENSIONS, LOCAL_DIMENSIONS
from shared.domain.images import REJECTED_TAG, UPLOADS_PREFIX
from shared.domain.people.faces import FACE_DIMENSIONS

REJECTED_DAYS = 7


@dataclass(frozen=True, slots=True)
class VectorIndex:
    """A vector index: what it compares and how, and what searches filter by and return."""

    attribute: str
    dimensions: int
    distance: str = "COSINE"
    filters: Sequence[str] = table_schema.VECTOR_FILTERS
    projected: Sequence[str] = (*table_schema.RECORD_ATTRIBUTES, table_schema.LISTING_SORT, table_schema.SINCE)


VECTOR_INDEXES: Final = {
    table_schema.VECTOR_INDEX: VectorIndex(table_schema.VECTOR_ATTRIBUTE, FEATURE_DIMENSIONS),
    table_schema.LOCAL_INDEX: VectorIndex(table_schema.LOCAL_ATTRIBUTE, LOCAL_DIMENSIONS),
    table_schema.FACES_INDEX: VectorIndex(
        table_schema.FACE_ATTRIBUTE, FACE_DIMENSIONS, "EUCLIDEAN", table_schema.FACE_FILTERS, ("face_id",)
    ),
}
"""The vector indexes. The functions may search all of them, also one that is only being replaced: the rights on it are
there before the code that searches it, and for as long (docs/guides/upgrades.md)."""


class Storage(Construct):
    """The bucket, and the table with its indexes, or those of an earlier stack.

    The bucket keeps no old versions: a key is an upload's id and never used again, and an image that is removed
    must be gone. Its objects are encrypted with S3's own keys, and the table with DynamoDB's, so that presigned
    uploads need no permission for a key and requests are not charged for one
    (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/EncryptionAtRest.html).

    An existing bucket or table stays outside the stack; `python -m infra.operate adopt` gives it the settings defined
    here.

    Args:
        protected: whether DynamoDB refuses to delete the table.
        upload_origins: pages that may send a presigned POST to the bucket.
        existing_bucket: name of a bucket to use instead of a new one.
        existing_table: name of a table to use instead of a new one.

    Attributes:
        raw_bucket: the stack's own bucket; None if an existing one is used.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        removal_policy: RemovalPolicy,
        protected: bool,
        upload_origins: list[str],
        existing_bucket: str | None,
        existing_table: str | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.bucket: s3.IBucket
        self.raw_bucket: s3.CfnBucket | None = None
        if existing_bucket:
            self.bucket = s3.Bucket.from_bucket_name(self, "ExistingBucket", existing_bucket)
        else:
            own = self._make_bucket(removal_policy, upload_origins)
            self.bucket, self.raw_bucket = own, cast(s3.CfnBucket, own.node.default_child)
        if existing_table:
            self.table_name = existing_table
            self.table_arn = Stack.of(self).format_arn(
                service="dynamodb", resource="table", resource_name=existing_table
            )
        else:
            table = self._make_table(removal_policy, protected)
            self.table_name, self.table_arn = table.ref, table.attr_arn

    def _make_bucket(self, removal_policy: RemovalPolicy, upload_origins: list[str]) -> s3.Bucket:
        return s3.Bucket(
            self,
            "Bucket",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            removal_policy=removal_policy,
            cors=[
                s3.CorsRule(
                    allowed_methods=[s3.HttpMethods.POST],
                    allowed_origins=upload_origins,
                    allowed_headers=["*"],
                    max_age=3600,
                )
            ],
            lifecycle_rules=[
                s3.LifecycleRule(id="unfinished-uploads", abort_incomplete_multipart_upload_after=Duration.days(1)),
                s3.LifecycleRule(
                    id="rejected-uploads",
                    prefix=UPLOADS_PREFIX,
                    tag_filters=dict([REJECTED_TAG]),
                    expiration=Duration.days(REJECTED_DAYS),
                ),
            ],
        )

    def _make_table(self, removal_policy: RemovalPolicy, protected: bool) -> dynamodb.CfnTable:
        table = dynamodb.CfnTable(
            self,
            "Table",
            billing_mode="PAY_PER_REQUEST",
            key_schema=[_key(table_schema.PARTITION_KEY, "HASH"), _key(table_schema.SORT_KEY, "RANGE")],
            attribute_definitions=[
                dynamodb.CfnTable.AttributeDefinitionProperty(attribute_name=name, attribute_type="S")
                for name in dict.fromkeys(
                    (
                        table_schema.PARTITION_KEY,
                        table_schema.SORT_KEY,
                        table_schema.LISTING_PARTITION,
                        table_schema.LISTING_SORT,
                        table_schema.DUPLICATES_SORT,
                        table_schema.ANNOTATED_PARTITION,
                        table_schema.PIXELS_HASH,
                        table_schema.TAKEN_SORT,
                        table_schema.VECTOR_PARTITION,
                        *table_schema.VECTOR_FILTERS,
                        *table_schema.FACE_FILTERS,
                    )
                )
            ],
            global_secondary_indexes=[
                dynamodb.CfnTable.GlobalSecondaryIndexProperty(
                    index_name=table_schema.LISTING_INDEX,
                    key_schema=[_key(table_schema.LISTING_PARTITION, "HASH"), _key(table_schema.LISTING_SORT, "RANGE")],
                    projection=_include(*table_schema.RECORD_ATTRIBUTES, *table_schema.VECTOR_FILTERS),
                ),
                dynamodb.CfnTable.GlobalSecondaryIndexProperty(
                    index_name=table_schema.DUPLICATES_INDEX,
                    key_schema=[
                        _key(table_schema.LISTING_PARTITION, "HASH"),
                        _key(table_schema.DUPLICATES_SORT, "RANGE"),
                    ],
                    projection=_include(
                        *table_schema.RECORD_ATTRIBUTES, *table_schema.VECTOR_FILTERS, table_schema.LISTING_SORT
                    ),
                ),
                dynamodb.CfnTable.GlobalSecondaryIndexProperty(
                    index_name=table_schema.ANNOTATED_INDEX,
                    key_schema=[
                        _key(table_schema.ANNOTATED_PARTITION, "HASH"),
                        _key(table_schema.LISTING_SORT, "RANGE"),
                    ],
                    projection=_include(
                        *table_schema.RECORD_ATTRIBUTES,
                        *table_schema.VECTOR_FILTERS,
                        table_schema.LISTING_PARTITION,
                        *table_schema.ANNOTATIONS,
                    ),
                ),
                dynamodb.CfnTable.GlobalSecondaryIndexProperty(
                    index_name=table_schema.PIXELS_INDEX,
                    key_schema=[_key(table_schema.PIXELS_HASH, "HASH"), _key(table_schema.LISTING_PARTITION, "RANGE")],
                    projection=_include(
                        *table_schema.RECORD_ATTRIBUTES, *table_schema.VECTOR_FILTERS, table_schema.LISTING_SORT
                    ),
                ),
                dynamodb.CfnTable.GlobalSecondaryIndexProperty(
                    index_name=table_schema.TAKEN_INDEX,
                    key_schema=[_key(table_schema.LISTING_PARTITION, "HASH"), _key(table_schema.TAKEN_SORT, "RANGE")],
                    projection=_include(
                        *table_schema.RECORD_ATTRIBUTES,
                        *table_schema.VECTOR_FILTERS,
                        table_schema.LISTING_SORT,
                        *table_schema.ANNOTATIONS,
                    ),
                ),
            ],
            vector_indexes=[_vectors(name, index) for name, index in VECTOR_INDEXES.items()],
            time_to_live_specification=dynamodb.CfnTable.TimeToLiveSpecificationProperty(
                attribute_name=table_schema.TTL_ATTRIBUTE, enabled=True
            ),
            point_in_time_recovery_specification=dynamodb.CfnTable.PointInTimeRecoverySpecificationProperty(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection_enabled=protected,
        )
        table.apply_removal_policy(removal_policy)
        # The rule does not know vector indexes, and reports the attributes of their search schema as unused.
        table.add_metadata("cfn-lint", {"config": {"ignore_checks": ["E3039"]}})
        return table


def _key(name: str, kind: str) -> dynamodb.CfnTable.KeySchemaProperty:
    return dynamodb.CfnTable.KeySchemaProperty(attribute_name=name, key_type=kind)


def _vectors(name: str, index: VectorIndex) -> dynamodb.CfnTable.VectorIndexProperty:
    return dynamodb.CfnTable.VectorIndexProperty(
        index_name=name,
        vector_attribute=dynamodb.CfnTable.VectorAttributeProperty(attribute_name=index.attribute),
        dimensions=index.dimensions,
        distance_function=index.distance,
        search_schema=[
            _searched(table_schema.VECTOR_PARTITION, "HASH"),
            *(_searched(name, "INLINE_FILTER") for name in index.filters),
        ],
        projection=_include(*index.projected),
    )


def _searched(name: str, kind: str) -> dynamodb.CfnTable.SearchSchemaElementProperty:
    return dynamodb.CfnTable.SearchSchemaElementProperty(attribute_name=name, search_schema_element_type=kind)


def _include(*names: str) -> dynamodb.CfnTable.ProjectionProperty:
    return dynamodb.CfnTable.ProjectionProperty(projection_type="INCLUDE", non_key_attributes=list(names))
