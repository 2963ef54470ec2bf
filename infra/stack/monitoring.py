"""What tells an operator that something is wrong."""

import math

from aws_cdk import Duration, Stack
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from shared.domain.queue_times import INGEST_QUEUE

PERIOD = Duration.minutes(5)
BACKLOG_MINUTES = math.ceil(INGEST_QUEUE.retried_age_seconds / 60)
"""One message that is retried, also one whose function died, does not make a backlog."""


class Operations(Construct):
    """Alarms; they send mail where an address is given."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        queue: sqs.Queue,
        dead_letters: sqs.Queue,
        functions: dict[str, lambda_.Function],
        api: apigateway.HttpApi,
        email: str | None,
    ) -> None:
        super().__init__(scope, construct_id)
        alarms = [
            self._alarm(
                "DeadLettersNotEmpty",
                dead_letters.metric_approximate_number_of_messages_visible(period=PERIOD, statistic="Maximum"),
                f"Messages that failed {INGEST_QUEUE.max_receives} times wait in the dead-letter queue.",
            ),
            self._alarm(
                "Backlog",
                queue.metric_approximate_age_of_oldest_message(period=PERIOD, statistic="Maximum"),
                f"Images have waited for more than {BACKLOG_MINUTES} minutes to be indexed.",
                threshold=60 * BACKLOG_MINUTES,
            ),
            self._alarm(
                "ApiServerErrors",
                api.metric_server_error(period=PERIOD, statistic="Sum"),
                "The API answers with 5xx.",
            ),
            *(
                self._alarm(
                    f"{name}Errors",
                    function.metric_errors(period=PERIOD),
                    f"The function {name.lower()} raises errors.",
                )
                for name, function in functions.items()
            ),
        ]
        if email:
            topic = sns.Topic(self, "Alarms", enforce_ssl=True)
            # A topic with a policy of its own no longer takes messages from the account's alarms by default.
            topic.add_to_resource_policy(
                iam.PolicyStatement(
                    sid="AlarmsOfThisAccount",
                    principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                    actions=["sns:Publish"],
                    resources=[topic.topic_arn],
                    conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
                )
            )
            topic.add_subscription(subscriptions.EmailSubscription(email))
            for alarm in alarms:
                alarm.add_alarm_action(actions.SnsAction(topic))

    def _alarm(self, name: str, metric: cloudwatch.IMetric, description: str, threshold: int = 1) -> cloudwatch.Alarm:
        return cloudwatch.Alarm(
            self,
            name,
            metric=metric,
            alarm_description=description,
            threshold=threshold,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
