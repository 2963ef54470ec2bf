"""Metrics of the api function's responses."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit


def measure(metrics: Metrics, answer: Mapping[str, Any]) -> None:
    """Count a request; for a search also record its duration and the bytes of the vector indexes that it examined.

    Args:
        answer: the response to API Gateway.
    """
    metrics.add_metric(name="requests", unit=MetricUnit.Count, value=1)
    body = answer.get("body") or ""
    if answer["statusCode"] != HTTPStatus.OK or answer.get("isBase64Encoded") or '"took_ms"' not in body:
        return
    found: Any = json.loads(body)
    match found:
        case {"took_ms": {"total": total}, "bytes_examined": examined}:
            metrics.add_metric(name="searches", unit=MetricUnit.Count, value=1)
            metrics.add_metric(name="search_ms", unit=MetricUnit.Milliseconds, value=total)
            metrics.add_metric(name="search_bytes", unit=MetricUnit.Bytes, value=examined or 0)
