"""From an uploaded object to the ingest function: one queue, one dead-letter queue."""

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.assets import function_image
from infra.roles import function_role
from shared.domain.images import UPLOADS_PREFIX

TIMEOUT = Duration.seconds(60)
BATCH_SIZE = 5
MAX_RECEIVES = 5


class Ingestion(Construct):
    """The queue that the bucket notifies, and the function that empties it."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        bucket: s3.Bucket,
        account: str,
        environment: dict[str, str],
        architecture: lambda_.Architecture,
        memory_mb: int,
        max_concurrency: int,
        log_group: logs.ILogGroup,
    ) -> None:
        super().__init__(scope, construct_id)
        self.dead_letters = sqs.Queue(
            self,
            "DeadLetters",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        self.queue = sqs.Queue(
            self,
            "Queue",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(4),
            # https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html: six times the timeout.
            visibility_timeout=Duration.seconds(6 * int(TIMEOUT.to_seconds())),
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=MAX_RECEIVES),
        )
        self._notify(bucket, account)
        self.function = lambda_.DockerImageFunction(
            self,
            "Function",
            description="Indexes uploaded pictures",
            code=function_image("ingest", architecture),
            architecture=architecture,
            memory_size=memory_mb,
            timeout=TIMEOUT,
            environment=environment | {"POWERTOOLS_SERVICE_NAME": "ingest"},
            role=function_role(self, log_group),
            log_group=log_group,
        )
        self.function.add_event_source(
            sources.SqsEventSource(
                self.queue,
                batch_size=BATCH_SIZE,
                max_concurrency=max_concurrency,
                report_batch_item_failures=True,
            )
        )

    def _notify(self, bucket: s3.Bucket, account: str) -> None:
        """Let the bucket send, by its own property: the library's way would add a function of its own.

        The queue's policy names the account, not the bucket: the bucket cannot be made before the policy lets it
        send, so a policy that refers to the bucket would be a circle.
        """
        self.queue.add_to_resource_policy(
            iam.PolicyStatement(
                sid="BucketsOfThisAccount",
                principals=[iam.ServicePrincipal("s3.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[self.queue.queue_arn],
                conditions={"StringEquals": {"aws:SourceAccount": account}},
            )
        )
        raw = bucket.node.default_child
        if not isinstance(raw, s3.CfnBucket):
            raise TypeError("the bucket has no CloudFormation resource")
        raw.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            queue_configurations=[
                s3.CfnBucket.QueueConfigurationProperty(
                    event="s3:ObjectCreated:*",
                    queue=self.queue.queue_arn,
                    filter=s3.CfnBucket.NotificationFilterProperty(
                        s3_key=s3.CfnBucket.S3KeyFilterProperty(
                            rules=[s3.CfnBucket.FilterRuleProperty(name="prefix", value=UPLOADS_PREFIX)]
                        )
                    ),
                )
            ]
        )
        policy = self.queue.node.find_child("Policy").node.default_child
        if not isinstance(policy, sqs.CfnQueuePolicy):
            raise TypeError("the queue has no policy")
        raw.add_resource_dependency(policy)
