"""From an uploaded object to the ingest function: one queue, one dead-letter queue."""

from collections.abc import Sequence
from typing import Final, cast

from aws_cdk import Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.stack.container_function import ContainerFunction
from shared.domain.events import PURGE_TRASH, SUBMITTED
from shared.domain.images import UPLOADS_PREFIX
from shared.domain.limits import BATCH_MESSAGES
from shared.domain.queue_times import INGEST_QUEUE

PEOPLE_CONCURRENCY: Final = 2
"""Tasks of persons at once, the least that SQS allows: with the images' own limit, they leave the API its share."""


class Ingestion(Construct):
    """The queue that the bucket notifies, and the function that empties it."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        bucket: s3.CfnBucket | None,
        existing_bucket: str | None,
        environment: dict[str, str],
        architecture: lambda_.Architecture,
        model: str,
        model_precision: str,
        face_model: str | None,
        memory_mb: int,
        max_concurrency: int,
        log_group: logs.ILogGroup,
        source_buckets: Sequence[str],
        source_topics: Sequence[str],
    ) -> None:
        super().__init__(scope, construct_id)
        self.dead_letters = sqs.Queue(
            self,
            "DeadLetters",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(INGEST_QUEUE.dead_letter_days),
        )
        self.queue = sqs.Queue(
            self,
            "Queue",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(INGEST_QUEUE.retention_days),
            visibility_timeout=Duration.seconds(INGEST_QUEUE.visibility_seconds),
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=INGEST_QUEUE.max_receives),
        )
        self.people_dead_letters = sqs.Queue(
            self,
            "PeopleDeadLetters",
            fifo=True,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(INGEST_QUEUE.dead_letter_days),
        )
        self.people_queue = sqs.Queue(
            self,
            "PeopleQueue",
            fifo=True,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(INGEST_QUEUE.retention_days),
            visibility_timeout=Duration.seconds(INGEST_QUEUE.visibility_seconds),
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=self.people_dead_letters, max_receive_count=INGEST_QUEUE.max_receives
            ),
        )
        self._source_buckets = source_buckets
        self._admit(existing_bucket)
        if bucket:
            self._notify(bucket)
        self.bus = events.EventBus(self, "Bus", description="Images submitted to PicTrace, and their outcomes")
        self._subscribe(source_topics)
        events.Rule(
            self,
            "Purge",
            description="Purges the trash",
            schedule=events.Schedule.rate(Duration.days(1)),
            targets=[
                targets.SqsQueue(
                    self.queue,
                    dead_letter_queue=self.dead_letters,
                    message=events.RuleTargetInput.from_object(PURGE_TRASH),
                )
            ],
        )
        self.function = ContainerFunction(
            self,
            "Function",
            name="ingest",
            description="Indexes uploaded images",
            architecture=architecture,
            model=model,
            model_precision=model_precision,
            face_model=face_model,
            memory_mb=memory_mb,
            timeout=Duration.seconds(INGEST_QUEUE.function_seconds),
            environment=environment
            | {
                "PICTRACE_BUS": self.bus.event_bus_name,
                "PICTRACE_QUEUE": self.queue.queue_url,
                "PICTRACE_DEAD_LETTERS": self.dead_letters.queue_url,
                "PICTRACE_PEOPLE_QUEUE": self.people_queue.queue_url,
            },
            log_group=log_group,
            # Each message of a purge, a scan or an erasure sends the one that goes on, 2,000 of them for a trash of
            # 100,000 images. Lambda would stop after 16, and leave the rest to the dead-letter queue:
            # https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
            recursive_loop=lambda_.RecursiveLoop.ALLOW,
        )
        self.function.add_event_source(
            sources.SqsEventSource(
                self.queue,
                batch_size=BATCH_MESSAGES,
                max_concurrency=max_concurrency,
                report_batch_item_failures=True,
            )
        )

        # One message at a time, so that a failure holds up no other collection, and the order of each is kept.
        self.function.add_event_source(
            sources.SqsEventSource(
                self.people_queue, batch_size=1, max_concurrency=PEOPLE_CONCURRENCY, report_batch_item_failures=True
            )
        )

    def _subscribe(self, source_topics: Sequence[str]) -> None:
        """Let other services and roles of the account send, each by a policy that names it."""
        target = targets.SqsQueue(self.queue, dead_letter_queue=self.dead_letters)
        events.Rule(
            self,
            "Submitted",
            event_bus=self.bus,
            description="Images that other systems submit",
            event_pattern=events.EventPattern(detail_type=[SUBMITTED]),
            targets=[target],
        )
        if self._source_buckets:
            events.Rule(
                self,
                "SourceBuckets",
                description="Objects in source buckets whose events arrive on the account's bus",
                event_pattern=events.EventPattern(
                    source=["aws.s3"],
                    detail_type=["Object Created", "Object Deleted"],
                    detail={"bucket": {"name": list(self._source_buckets)}},
                ),
                targets=[target],
            )
        for arn in source_topics:
            topic = sns.Topic.from_topic_arn(self, self._topic_id(arn), arn)
            topic.add_subscription(subscriptions.SqsSubscription(self.queue, dead_letter_queue=self.dead_letters))

    def _topic_id(self, arn: str) -> str:
        """Return the name of a topic, or if another region or account has one of this name, more of its ARN."""
        _, region, account, name = arn.rsplit(":", 3)
        named = f"Topic{name}"
        return named if self.node.try_find_child(named) is None else f"{named}-{account}-{region}"

    def _admit(self, existing_bucket: str | None) -> None:
        """Let the buckets send to the queue.

        S3 tests the queue when the stack's own bucket is created, so the policy must exist before and cannot refer to
        the bucket. It names the account and the prefix that CloudFormation gives the bucket's name.
        """
        stack = Stack.of(self)
        own = existing_bucket or f"{stack.stack_name.lower()}-*"
        self.queue.add_to_resource_policy(
            iam.PolicyStatement(
                sid="UploadsBucket",
                principals=[iam.ServicePrincipal("s3.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[self.queue.queue_arn],
                conditions={
                    "StringEquals": {"aws:SourceAccount": stack.account},
                    "ArnLike": {
                        "aws:SourceArn": [f"arn:{stack.partition}:s3:::{name}" for name in (own, *self._source_buckets)]
                    },
                },
            )
        )

    def _notify(self, bucket: s3.CfnBucket) -> None:
        """Let the bucket notify the queue by a property of its own; the CDK's method would add a Lambda function."""
        bucket.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            queue_configurations=[
                s3.CfnBucket.QueueConfigurationProperty(
                    event=event,
                    queue=self.queue.queue_arn,
                    filter=s3.CfnBucket.NotificationFilterProperty(
                        s3_key=s3.CfnBucket.S3KeyFilterProperty(
                            rules=[s3.CfnBucket.FilterRuleProperty(name="prefix", value=UPLOADS_PREFIX)]
                        )
                    ),
                )
                for event in ("s3:ObjectCreated:*", "s3:ObjectRemoved:*")
            ]
        )
        policy = self.queue.node.find_child("Policy").node.default_child
        bucket.add_resource_dependency(cast(sqs.CfnQueuePolicy, policy))
