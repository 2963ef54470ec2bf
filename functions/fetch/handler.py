"""Entry point of the fetch function, which other functions invoke directly."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.fetch.bootstrap import image_fetcher

logger = Logger(service="fetch")


@logger.inject_lambda_context
def handler(event: Any, context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - the logger takes it
    """Fetch one image; `functions.fetch.image_fetcher` has the shapes of requests and answers."""
    answer = image_fetcher().answer(event)
    # An address may carry a token, so neither it nor the image is logged.
    shown = ("code", "cause", "bytes", "media_type")
    logger.info("image %s", answer["status"], extra={name: answer[name] for name in shown if name in answer})
    return answer
