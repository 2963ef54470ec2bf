"""Entry point of the fetch function, which other functions invoke directly."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.fetch.bootstrap import image_fetcher

logger = Logger(service="fetch")
metrics = Metrics(namespace="PicTrace", service="fetch")


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: Any, context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - the logger takes it
    """Fetch one image; `functions.fetch.image_fetcher` has the shapes of requests and answers."""
    answer = image_fetcher().answer(event)
    # An address may carry a token, so neither it nor the image is logged.
    shown = ("code", "cause", "bytes", "media_type")
    logger.info("image %s", answer["status"], extra={name: answer[name] for name in shown if name in answer})
    metrics.add_metric(name=f"fetch_{answer['status']}", unit=MetricUnit.Count, value=1)
    metrics.add_metric(name="fetch_bytes", unit=MetricUnit.Bytes, value=answer.get("bytes", 0))
    return answer
