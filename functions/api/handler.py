"""Entry point of the api function: API Gateway's HTTP API, payload format 2.0."""

import binascii
import json
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from mangum import Mangum

from functions.api import errors
from functions.api.bootstrap import application

logger = Logger(service="api")


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Answer one HTTP request."""
    adapter = Mangum(application(), lifespan="off")
    try:
        return adapter(event, context)  # type: ignore[arg-type]
    except (binascii.Error, UnicodeError):
        answer = errors.respond("malformed-body", "The body is not valid base64.")
        return {
            "statusCode": answer.status_code,
            "headers": {"content-type": errors.MEDIA_TYPE},
            "body": json.dumps(json.loads(bytes(answer.body))),
            "isBase64Encoded": False,
        }
