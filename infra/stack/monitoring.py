"""Alarms that notify the operator of problems."""

import math
from typing import cast

from aws_cdk import Annotations, Duration, Stack
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.prices import VECTOR_SEARCH_GB
from infra.stack.table_metrics import EXAMINED, added, throttles, vector_bytes
from shared.domain.queue_times import INGEST_QUEUE

PERIOD = Duration.minutes(5)
HOUR = Duration.hours(1)
LATENCY_MS = 5_000
"""A search takes a third of a second; a page that waits for five seconds looks broken. Under steady traffic, cold
starts are fewer than one call in twenty."""
SEARCH_GB_AN_HOUR = 100
"""A search examines a quarter of a megabyte of an index, so this is a hundred searches a second, or an index that has
become far more expensive to search."""
BACKLOG_MINUTES = math.ceil(INGEST_QUEUE.retried_age_seconds / 60)
"""Longer than a single message takes with all its retries, even if its function dies."""

REDRIVE = "`python -m infra.operate redrive` shows them and, once their cause is fixed, sends them back."


class Monitoring(Construct):
    """Alarms, which send mail if an address is configured."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        queue: sqs.Queue,
        dead_letters: sqs.Queue,
        people_dead_letters: sqs.Queue,
        functions: dict[str, lambda_.Function],
        api: apigateway.HttpApi,
        table: str,
        email: str | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.alarms: list[cloudwatch.IAlarm] = [
            self._alarm(
                "DeadLettersNotEmpty",
                dead_letters.metric_approximate_number_of_messages_visible(period=PERIOD, statistic="Maximum"),
                f"Messages that failed {INGEST_QUEUE.max_receives} times wait in the dead-letter queue. {REDRIVE}",
            ),
            self._alarm(
                "PeopleDeadLettersNotEmpty",
                people_dead_letters.metric_approximate_number_of_messages_visible(period=PERIOD, statistic="Maximum"),
                f"Tasks on faces and persons that failed {INGEST_QUEUE.max_receives} times wait in their dead-letter "
                f"queue. {REDRIVE}",
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
            self._alarm(
                "ApiLatency",
                api.metric_latency(period=PERIOD, statistic="p95"),
                f"For a quarter of an hour, one call in twenty has taken {LATENCY_MS / 1000:g} s or more.",
                threshold=LATENCY_MS,
                periods=3,
            ),
            *(
                self._alarm(
                    f"{name}Throttles",
                    function.metric_throttles(period=PERIOD),
                    f"Lambda refuses to start the function {name.lower()}: the account's concurrency is used up.",
                )
                for name, function in functions.items()
            ),
            self._alarm(
                "TableThrottles",
                added(throttles(table, PERIOD), "throttled", PERIOD),
                "DynamoDB refuses reads or writes of the table for now.",
            ),
            self._alarm(
                "SearchBytes",
                added(vector_bytes(EXAMINED, table, HOUR), "examined", HOUR),
                f"Searches examine {SEARCH_GB_AN_HOUR} GB of the vector indexes an hour, which costs "
                f"${SEARCH_GB_AN_HOUR * 24 * 30 * VECTOR_SEARCH_GB:.0f} a month if it goes on.",
                threshold=SEARCH_GB_AN_HOUR * 2**30,
            ),
        ]
        if email:
            topic = sns.Topic(self, "Alarms", enforce_ssl=True)
            # A topic with a policy of its own no longer accepts messages from the account's alarms by default.
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
            for alarm in self.alarms:
                cast(cloudwatch.Alarm, alarm).add_alarm_action(actions.SnsAction(topic))
        else:
            Annotations.of(self).add_warning_v2(
                "pictrace:alarms-notify-nobody",
                "The alarms notify nobody. Set alarm_email in cdk.json, or -c alarm_email=you@example.org.",
            )

    def _alarm(
        self, name: str, metric: cloudwatch.IMetric, description: str, threshold: int = 1, periods: int = 1
    ) -> cloudwatch.Alarm:
        return cloudwatch.Alarm(
            self,
            name,
            metric=metric,
            alarm_description=description,
            threshold=threshold,
            evaluation_periods=periods,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
