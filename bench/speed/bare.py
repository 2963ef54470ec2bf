"""A handler that only imports the heaviest libraries of the api function, as a baseline for its cold start."""

import aws_lambda_powertools  # noqa: F401
import boto3  # noqa: F401
import cv2  # noqa: F401
import fastapi  # noqa: F401
import mangum  # noqa: F401
import numpy  # noqa: F401  # noqa: ICN001


def handler(_event: object, _context: object) -> dict[str, int]:
    return {"statusCode": 200}
