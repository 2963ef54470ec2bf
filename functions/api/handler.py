"""Entry point of the api function: handles events of an API Gateway HTTP API, payload format 2.0."""

import gc

gc.disable()  # until all is imported: there is no garbage to find yet, and looking takes a tenth of a cold start

import base64
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.typing import LambdaContext
from mangum import Mangum

from functions.api.bootstrap import application
from functions.api.problems import respond
from functions.api.telemetry import measure

gc.freeze()  # later collections need not look at modules either
gc.enable()

logger = Logger(service="api")
metrics = Metrics(namespace="PicTrace", service="api")


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Handle one HTTP request."""
    if event.get("isBase64Encoded") and not _is_base64(event.get("body") or ""):
        answer = _malformed_body()
    else:
        answer = Mangum(application(), lifespan="off")(event, context)
    measure(metrics, answer)
    return answer


def _is_base64(body: str) -> bool:
    """Return whether a body is valid base64; for an invalid one Mangum would raise or drop characters."""
    try:
        base64.b64decode(body, validate=True)
    except ValueError:
        return False
    return True


def _malformed_body() -> dict[str, Any]:
    answer = respond("malformed-body", "The body is not standard base64 (RFC 4648, section 4).")
    return {
        "statusCode": answer.status_code,
        "headers": dict(answer.headers),
        "body": bytes(answer.body).decode(),
        "isBase64Encoded": False,
    }
