"""Entry point of the fetch function, which other functions invoke directly."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.fetch.bootstrap import image_fetcher

logger = Logger(service="fetch")


@logger.inject_lambda_context
def handler(event: Any, context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - the logger takes it
    """Fetch one image; `functions.fetch.image_fetcher` documents requests and responses."""
    response = image_fetcher().handle(event)
    # A URL may contain a token, so neither it nor the image is logged.
    logged = ("code", "cause", "bytes", "media_type")
    logger.info("image %s", response["status"], extra={name: response[name] for name in logged if name in response})
    return response
