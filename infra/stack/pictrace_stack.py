"""The whole stack, and the permissions of each function."""

from aws_cdk import CfnOutput, RemovalPolicy, Stack
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.prices import LAMBDA_GB_SECOND, LAMBDA_GB_SECOND_X86
from infra.stack.api import SearchApi, TokenIssuer
from infra.stack.assets import check_next_model
from infra.stack.budget import Budget
from infra.stack.dashboard import Dashboard
from infra.stack.fetch import MEMORY_MB as FETCH_MEMORY_MB
from infra.stack.fetch import Fetching
from infra.stack.ingest import Ingestion
from infra.stack.monitoring import Monitoring
from infra.stack.settings import LOG_RETENTION, Stage
from infra.stack.storage import VECTOR_INDEXES, Storage
from shared.domain import limits
from shared.domain.images import SIGNATURES_PREFIX, THUMBNAILS_PREFIX, UPLOADS_PREFIX
from shared.domain.table_schema import (
    ANNOTATED_INDEX,
    DUPLICATES_INDEX,
    KEYS_PARTITION,
    LISTING_INDEX,
    PIXELS_INDEX,
    TAKEN_INDEX,
)

NEXT_MODEL_DIR = "/opt/next_model"
FACES_DIR = "/opt/faces"
TABLE_ACTIONS = (
    "GetItem",
    "BatchGetItem",
    "ConditionCheckItem",
    "PutItem",
    "UpdateItem",
    "DeleteItem",
    "BatchWriteItem",
    "Query",
)
"""What the ingest and the api function may do with the table."""


class PicTraceStack(Stack):
    """One deployment of PicTrace."""

    def __init__(self, scope: Construct, construct_id: str, *, stage: Stage, description: str) -> None:
        kept = stage.removal_policy == "retain"
        super().__init__(scope, construct_id, description=description, termination_protection=kept)
        removal = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if kept else RemovalPolicy.DESTROY
        architecture = lambda_.Architecture.ARM_64 if stage.architecture == "arm64" else lambda_.Architecture.X86_64

        def log_group(name: str) -> logs.LogGroup:
            return logs.LogGroup(
                self,
                name,
                retention=logs.RetentionDays[LOG_RETENTION[stage.log_retention_days]],
                removal_policy=removal,
            )

        api = apigateway.HttpApi(
            self,
            "Api",
            create_default_stage=False,
            cors_preflight=(
                apigateway.CorsPreflightOptions(
                    allow_origins=list(stage.allowed_origins),
                    allow_methods=[apigateway.CorsHttpMethod.ANY],
                    allow_headers=["authorization", "content-type", "x-api-key"],
                )
                if stage.allowed_origins
                else None
            ),
        )
        storage = Storage(
            self,
            "Storage",
            removal_policy=removal,
            protected=kept,
            upload_origins=[api.api_endpoint, *stage.allowed_origins],
            existing_bucket=stage.existing_bucket,
            existing_table=stage.existing_table,
        )
        fetching = Fetching(
            self,
            "Fetching",
            bucket_name=storage.bucket.bucket_name,
            architecture=architecture,
            log_group=log_group("FetchLogs"),
        )
        environment = {
            "PICTRACE_BUCKET": storage.bucket.bucket_name,
            "PICTRACE_TABLE": storage.table_name,
            "PICTRACE_FETCH_FUNCTION": fetching.function.function_name,
            "PICTRACE_MODEL_DIR": f"/opt/{stage.model}",
            "PICTRACE_TRASH_DAYS": str(stage.trash_days),
            "PICTRACE_SOURCE_BUCKETS": ",".join(stage.source_buckets),
            "POWERTOOLS_METRICS_NAMESPACE": "PicTrace",
            "POWERTOOLS_LOG_LEVEL": "INFO",
            "OPENCV_IO_MAX_IMAGE_PIXELS": str(limits.MAX_PIXELS),
            "OPENCV_IO_MAX_IMAGE_WIDTH": str(limits.MAX_SIDE),
            "OPENCV_IO_MAX_IMAGE_HEIGHT": str(limits.MAX_SIDE),
        }
        if stage.face_model:
            environment["PICTRACE_FACES_DIR"] = FACES_DIR
        if stage.next_model:
            check_next_model(stage.next_model)
            environment["PICTRACE_NEXT_MODEL_DIR"] = NEXT_MODEL_DIR
            CfnOutput(self, "NextModel", value=stage.next_model)
        ingestion = Ingestion(
            self,
            "Ingestion",
            bucket=storage.raw_bucket,
            existing_bucket=stage.existing_bucket,
            environment=environment | {"PICTRACE_PDQ": "on" if stage.pdq else "off"},
            architecture=architecture,
            model=stage.model,
            model_precision=stage.model_precision,
            face_model=stage.face_model,
            memory_mb=stage.ingest_memory_mb,
            max_concurrency=stage.max_concurrency,
            log_group=log_group("IngestLogs"),
            source_buckets=stage.source_buckets,
            source_topics=stage.source_topics,
        )
        search = SearchApi(
            self,
            "Search",
            api=api,
            environment=environment
            | {
                "PICTRACE_QUEUE": ingestion.queue.queue_url,
                "PICTRACE_PEOPLE_QUEUE": ingestion.people_queue.queue_url,
                "PICTRACE_SHOW_LOCATION_TO": stage.show_location_to,
            },
            architecture=architecture,
            model=stage.model,
            model_precision=stage.model_precision,
            face_model=stage.face_model,
            memory_mb=stage.api_memory_mb,
            rate_per_second=stage.api_rate_per_second,
            burst=stage.api_burst,
            token_issuer=(
                TokenIssuer(stage.jwt_issuer, stage.jwt_audience) if stage.jwt_issuer and stage.jwt_audience else None
            ),
            log_group=log_group("ApiLogs"),
            access_log_group=log_group("AccessLogs"),
        )
        functions: dict[str, lambda_.Function] = {
            "Ingest": ingestion.function,
            "Api": search.function,
            "Fetch": fetching.function,
        }
        monitoring = Monitoring(
            self,
            "Operations",
            queue=ingestion.queue,
            dead_letters=ingestion.dead_letters,
            people_dead_letters=ingestion.people_dead_letters,
            functions=functions,
            api=api,
            table=storage.table_name,
            email=stage.alarm_email,
        )
        dashboard = Dashboard(
            self,
            "Dashboard",
            queue=ingestion.queue,
            dead_letters=ingestion.dead_letters,
            functions=functions,
            memory_mb={"Ingest": stage.ingest_memory_mb, "Api": stage.api_memory_mb, "Fetch": FETCH_MEMORY_MB},
            gb_second=LAMBDA_GB_SECOND if stage.architecture == "arm64" else LAMBDA_GB_SECOND_X86,
            api=api,
            table=storage.table_name,
            alarms=monitoring.alarms,
        )
        if stage.alarm_email and stage.monthly_budget:
            Budget(self, "Budget", dollars=stage.monthly_budget, email=stage.alarm_email)
        self._grant(storage, ingestion, search, fetching)
        self._grant_sources(stage, ingestion, search)
        CfnOutput(self, "ApiUrl", value=api.api_endpoint)
        CfnOutput(self, "BucketName", value=storage.bucket.bucket_name)
        CfnOutput(self, "QueueUrl", value=ingestion.queue.queue_url)
        CfnOutput(self, "PeopleQueueUrl", value=ingestion.people_queue.queue_url)
        CfnOutput(self, "DeadLetterQueueUrl", value=ingestion.dead_letters.queue_url)
        CfnOutput(self, "PeopleDeadLetterQueueUrl", value=ingestion.people_dead_letters.queue_url)
        CfnOutput(self, "BusName", value=ingestion.bus.event_bus_name)
        CfnOutput(self, "TableName", value=storage.table_name)
        CfnOutput(self, "IngestFunctionName", value=ingestion.function.function_name)
        CfnOutput(self, "DashboardUrl", value=dashboard.url)
        CfnOutput(self, "AlarmRecipient", value=stage.alarm_email or "nobody: set alarm_email")
        if stage.source_buckets:
            CfnOutput(self, "SourceBuckets", value=",".join(stage.source_buckets))

    def _grant(self, storage: Storage, ingestion: Ingestion, search: SearchApi, fetching: Fetching) -> None:
        table, bucket = storage.table_arn, storage.bucket
        vectors = [f"{table}/index/{name}" for name in VECTOR_INDEXES]

        def under(*prefixes: str) -> list[str]:
            return [bucket.arn_for_objects(f"{prefix}*") for prefix in prefixes]

        _allow(ingestion.function, ["s3:GetObject", "s3:PutObjectTagging", "s3:DeleteObject"], under(UPLOADS_PREFIX))
        _allow(
            ingestion.function,
            ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
            under(SIGNATURES_PREFIX, THUMBNAILS_PREFIX),
        )
        _allow(
            ingestion.function,
            [f"dynamodb:{action}" for action in TABLE_ACTIONS],
            [table],
        )
        _allow(
            ingestion.function,
            ["dynamodb:Query"],
            [f"{table}/index/{name}" for name in (LISTING_INDEX, ANNOTATED_INDEX, DUPLICATES_INDEX, PIXELS_INDEX)],
        )
        _allow(ingestion.function, ["dynamodb:SearchVectors"], vectors)
        _allow(ingestion.function, ["events:PutEvents"], [ingestion.bus.event_bus_arn])
        _allow(
            ingestion.function,
            ["sqs:SendMessage"],
            [ingestion.queue.queue_arn, ingestion.dead_letters.queue_arn, ingestion.people_queue.queue_arn],
        )
        prefixes = (UPLOADS_PREFIX, SIGNATURES_PREFIX, THUMBNAILS_PREFIX)
        _tell_absent(ingestion.function, bucket.bucket_arn, *prefixes)

        _allow(fetching.function, ["s3:PutObject"], under(UPLOADS_PREFIX))
        for function in (ingestion.function, search.function):
            _allow(function, ["lambda:InvokeFunction"], [fetching.function.function_arn])

        _allow(search.function, ["sqs:SendMessage"], [ingestion.queue.queue_arn, ingestion.people_queue.queue_arn])
        _allow(search.function, ["s3:GetObject", "s3:DeleteObject"], under(*prefixes))
        _allow(search.function, ["s3:PutObject"], under(UPLOADS_PREFIX, THUMBNAILS_PREFIX))
        _tell_absent(search.function, bucket.bucket_arn, *prefixes)
        _allow(
            search.function,
            [f"dynamodb:{action}" for action in TABLE_ACTIONS],
            [table],
        )
        for function in (ingestion.function, search.function):
            _keep_from_keys(function, table)
        _allow(
            search.function,
            ["dynamodb:Query"],
            [
                f"{table}/index/{name}"
                for name in (LISTING_INDEX, TAKEN_INDEX, DUPLICATES_INDEX, ANNOTATED_INDEX, PIXELS_INDEX)
            ],
        )
        _allow(search.function, ["dynamodb:SearchVectors"], vectors)

    def _grant_sources(self, stage: Stage, ingestion: Ingestion, search: SearchApi) -> None:
        """Let both functions read the images in source buckets; nothing there is ever written or removed.

        Links that the api function signs are opened with its permissions, so it must decrypt as well.
        """
        for function in (ingestion.function, search.function):
            for name in stage.source_buckets:
                arn = f"arn:{self.partition}:s3:::{name}"
                _allow(function, ["s3:GetObject", "s3:GetObjectVersion"], [f"{arn}/*"])
                _tell_absent(function, arn, "")
            if stage.source_keys:
                _allow(function, ["kms:Decrypt"], list(stage.source_keys))


def _allow(function: lambda_.Function, actions: list[str], resources: list[str]) -> None:
    function.add_to_role_policy(iam.PolicyStatement(actions=actions, resources=resources))


def _keep_from_keys(function: lambda_.Function, table: str) -> None:
    """Deny the functions creating, changing and removing API keys, which only operators may."""
    function.add_to_role_policy(
        iam.PolicyStatement(
            effect=iam.Effect.DENY,
            actions=[f"dynamodb:{action}" for action in ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem")],
            resources=[table],
            conditions={"ForAnyValue:StringEquals": {"dynamodb:LeadingKeys": [KEYS_PARTITION]}},
        )
    )


def _tell_absent(function: lambda_.Function, bucket_arn: str, *prefixes: str) -> None:
    """Let a function see that an object is absent: without permission to list, S3 answers 403 instead of 404.

    What the prefix of this condition is where an object is asked for and not a list, AWS documents nowhere. It seems to
    be the object's key; if it were none, `IfExists` lets the function be told all the same.
    """
    function.add_to_role_policy(
        iam.PolicyStatement(
            actions=["s3:ListBucket"],
            resources=[bucket_arn],
            conditions={"StringLikeIfExists": {"s3:prefix": [f"{prefix}*" for prefix in prefixes]}},
        )
    )
