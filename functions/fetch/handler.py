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
    """Fetch one image; `functions.fetch.image_fetcher` documents requests and responses."""
    response = image_fetcher().handle(event)
    # A URL may contain a token, so neither it nor the image is logged.
    logged = ("code", "cause", "bytes", "media_type")
    logger.info("image %s", response["status"], extra={name: response[name] for name in logged if name in response})
    metrics.add_metric(name=f"fetch_{response['status']}", unit=MetricUnit.Count, value=1)
    metrics.add_metric(name="fetch_bytes", unit=MetricUnit.Bytes, value=response.get("bytes", 0))
    return response
