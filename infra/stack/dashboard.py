"""The CloudWatch dashboard: the deployment's health and its costs."""

from collections.abc import Mapping
from typing import Final

from aws_cdk import Duration, Stack
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra import prices
from infra.stack.table_metrics import EXAMINED, REPLICATED, added, metric, throttles, vector_bytes

PERIOD: Final = Duration.minutes(5)
LONG: Final = Duration.hours(6)
"""AWS publishes estimated charges a few times a day."""
WIDE: Final = 12
GB: Final = 2**30
COSTS: Final = """**Cost.** Left: the whole account's this month, of all services; switch it on once, under *Billing
preferences*, *Alerts*. Right: this deployment's over the time shown, at the prices of {as_of} ({region}), without S3,
queues, logs and storage, which have no metric for it: see docs/measurements/cost.md."""


class Dashboard(Construct):
    """Queue, errors, throttles, durations, bytes that searches examine, cost.

    Attributes:
        url: address of the dashboard.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        queue: sqs.Queue,
        dead_letters: sqs.Queue,
        functions: Mapping[str, lambda_.Function],
        memory_mb: Mapping[str, int],
        gb_second: float,
        api: apigateway.HttpApi,
        table: str,
        alarms: list[cloudwatch.IAlarm],
    ) -> None:
        super().__init__(scope, construct_id)
        dashboard = cloudwatch.Dashboard(self, "Dashboard", default_interval=Duration.days(1))
        dashboard.add_widgets(cloudwatch.AlarmStatusWidget(title="Alarms", alarms=alarms, width=2 * WIDE, height=3))
        dashboard.add_widgets(
            _graph(
                "Queue: age of the oldest message, s",
                [queue.metric_approximate_age_of_oldest_message(period=PERIOD, statistic="Maximum", label="age")],
            ),
            _graph(
                "Messages that wait, and dead ones",
                [
                    queue.metric_approximate_number_of_messages_visible(period=PERIOD, label="waiting"),
                    dead_letters.metric_approximate_number_of_messages_visible(period=PERIOD, label="dead"),
                ],
            ),
        )
        dashboard.add_widgets(
            _graph(
                "Errors",
                [
                    *(one.metric_errors(period=PERIOD, label=name) for name, one in functions.items()),
                    api.metric_server_error(period=PERIOD, statistic="Sum", label="API 5xx"),
                ],
            ),
            _graph(
                "Throttles",
                [
                    *(one.metric_throttles(period=PERIOD, label=name) for name, one in functions.items()),
                    added(throttles(table, PERIOD), "table", PERIOD),
                ],
            ),
        )
        dashboard.add_widgets(
            _graph(
                "Durations of functions, ms: the slowest in a hundred",
                [one.metric_duration(period=PERIOD, statistic="p99", label=name) for name, one in functions.items()],
            ),
            _graph(
                "API: latency, ms",
                [
                    api.metric_latency(period=PERIOD, statistic=statistic, label=statistic)
                    for statistic in ("p50", "p95", "p99")
                ],
                [api.metric_count(period=PERIOD, statistic="Sum", label="calls")],
            ),
        )
        dashboard.add_widgets(
            _graph("Bytes that searches examine", vector_bytes(EXAMINED, table, PERIOD)),
            _graph("Bytes that writes put into vector indexes", vector_bytes(REPLICATED, table, PERIOD)),
        )
        dashboard.add_widgets(
            cloudwatch.TextWidget(
                markdown=COSTS.format(as_of=prices.AS_OF, region=prices.REGION), width=2 * WIDE, height=2
            )
        )
        dashboard.add_widgets(
            cloudwatch.SingleValueWidget(title="The account this month, $", metrics=[_charges()], width=6, height=4),
            cloudwatch.SingleValueWidget(
                title="This deployment over the time shown, $",
                metrics=_costs(functions, memory_mb, gb_second, api, table),
                set_period_to_time_range=True,
                width=18,
                height=4,
            ),
        )
        stack = Stack.of(self)
        self.url = (
            f"https://{stack.region}.console.aws.amazon.com/cloudwatch/home?region={stack.region}"
            f"#dashboards/dashboard/{dashboard.dashboard_name}"
        )


def _graph(
    title: str, left: list[cloudwatch.IMetric], right: list[cloudwatch.IMetric] | None = None
) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=left, right=right or [], width=WIDE, height=6)


def _charges() -> cloudwatch.Metric:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/monitor_estimated_charges_with_cloudwatch.html"""
    return cloudwatch.Metric(
        namespace="AWS/Billing",
        metric_name="EstimatedCharges",
        dimensions_map={"Currency": "USD"},
        statistic="Maximum",
        period=LONG,
        region="us-east-1",
        label="all services",
    )


def _costs(
    functions: Mapping[str, lambda_.Function],
    memory_mb: Mapping[str, int],
    gb_second: float,
    api: apigateway.HttpApi,
    table: str,
) -> list[cloudwatch.IMetric]:
    computing = [
        added(
            [one.metric_duration(period=PERIOD, statistic="Sum")],
            f"{name}: computing",
            PERIOD,
            memory_mb[name] / 1024 / 1000 * gb_second,
        )
        for name, one in functions.items()
    ]
    return [
        *computing,
        added(vector_bytes(EXAMINED, table, PERIOD), "searches of vectors", PERIOD, prices.VECTOR_SEARCH_GB / GB),
        added(vector_bytes(REPLICATED, table, PERIOD), "writes of vectors", PERIOD, prices.VECTOR_WRITE_GB / GB),
        added([metric("ConsumedWriteCapacityUnits", table, PERIOD)], "table: writes", PERIOD, prices.TABLE_WRITE),
        added([metric("ConsumedReadCapacityUnits", table, PERIOD)], "table: reads", PERIOD, prices.TABLE_READ),
        added([api.metric_count(period=PERIOD, statistic="Sum")], "API calls", PERIOD, prices.HTTP_API_REQUEST),
    ]
