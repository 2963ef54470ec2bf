"""What CloudWatch has of the table and its indexes."""

import re
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from infra.stack.storage import VECTOR_INDEXES
from shared.domain.table_schema import ANNOTATED_INDEX, DUPLICATES_INDEX, LISTING_INDEX, PIXELS_INDEX, TAKEN_INDEX

EXAMINED: Final = "VectorSearchRequestBytes"
REPLICATED: Final = "VectorWriteRequestBytes"
"""Bytes that searches of a vector index examine and that writes put into one, by table and index:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/VectorSearchMonitoring.html"""


def metric(name: str, table: str, period: Duration, **index: str) -> cloudwatch.Metric:
    """The sum of a metric of the table, or of one of its indexes."""
    return cloudwatch.Metric(
        namespace="AWS/DynamoDB",
        metric_name=name,
        dimensions_map={"TableName": table} | index,
        statistic="Sum",
        period=period,
    )


def vector_bytes(name: str, table: str, period: Duration) -> list[cloudwatch.IMetric]:
    """`EXAMINED` or `REPLICATED` of each vector index."""
    return [metric(name, table, period, VectorIndexName=index) for index in VECTOR_INDEXES]


def throttles(table: str, period: Duration) -> list[cloudwatch.IMetric]:
    """Requests that DynamoDB refused for now; a secondary index that cannot follow holds the table back."""
    return [
        metric("ReadThrottleEvents", table, period),
        metric("WriteThrottleEvents", table, period),
        *(
            metric("WriteThrottleEvents", table, period, GlobalSecondaryIndexName=index)
            for index in (LISTING_INDEX, DUPLICATES_INDEX, ANNOTATED_INDEX, PIXELS_INDEX, TAKEN_INDEX)
        ),
    ]


def added(
    metrics: list[cloudwatch.IMetric], label: str, period: Duration, factor: float = 1
) -> cloudwatch.MathExpression:
    """Their sum, times a factor; a metric of which there is nothing counts as zero.

    Args:
        label: other than that of any other sum on the same graph.
    """
    prefix = re.sub("[^a-z]+", "_", label.lower())
    named = {f"{prefix}{number}": one for number, one in enumerate(metrics)}
    total = " + ".join(f"FILL({name}, 0)" for name in named)
    return cloudwatch.MathExpression(
        expression=total if factor == 1 else f"({total}) / {round(1 / factor)}",
        using_metrics=named,
        label=label,
        period=period,
    )
