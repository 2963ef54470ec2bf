"""Estimates of what a command will cost, shown before it starts."""

from collections.abc import Mapping
from typing import Final

from infra import prices

CENT: Final = 0.01
INDEX_WRITES: Final = 3
"""Secondary indexes that most records are in: by time of indexing, by date taken, by pixels."""


def indexing_cost(memory_mb: int) -> dict[str, float]:
    """Return the dollars for one new image by service, without its storage and the search for its near-duplicates."""
    return {
        "DynamoDB table": prices.WRITES_PER_IMAGE * prices.TABLE_WRITE + prices.READS_PER_IMAGE * prices.TABLE_READ,
        "DynamoDB vectors": _vector_cost(),
        "S3": (prices.PUTS_PER_IMAGE + 2 / prices.LIST_PAGE_SIZE) * prices.S3_PUT
        + prices.GETS_PER_IMAGE * prices.S3_GET,
        "Lambda": _compute_cost(memory_mb),
        "SQS and events": prices.SQS_REQUESTS_PER_IMAGE * prices.SQS_REQUEST + prices.BUS_EVENT,
    }


def reindexing_cost(memory_mb: int) -> dict[str, float]:
    """Return the dollars for describing one stored image with another model, by service."""
    return {
        "DynamoDB table": prices.WRITES_PER_VECTOR * prices.TABLE_WRITE + prices.READS_PER_IMAGE * prices.TABLE_READ,
        "DynamoDB vectors": _vector_cost(),
        "S3": prices.S3_PUT + prices.S3_GET,
        "Lambda": _compute_cost(memory_mb),
        "SQS": prices.SQS_REQUESTS_PER_IMAGE * prices.SQS_REQUEST,
    }


def dating_cost(memory_mb: int) -> dict[str, float]:
    """Return the dollars for reading when one stored image was taken, by service: all its indexes are written again."""
    return {
        "DynamoDB table": (prices.WRITES_PER_VECTOR + INDEX_WRITES) * prices.TABLE_WRITE
        + prices.READS_PER_IMAGE * prices.TABLE_READ,
        "DynamoDB vectors": _vector_cost(),
        "S3": prices.S3_GET,
        "Lambda": _compute_cost(memory_mb),
        "SQS": prices.SQS_REQUESTS_PER_IMAGE * prices.SQS_REQUEST,
    }


def faces_cost(memory_mb: int) -> dict[str, float]:
    """Return the dollars for looking for faces in one stored image, by service, without what stores those found."""
    return {
        "DynamoDB table": prices.READS_PER_IMAGE * prices.TABLE_READ,
        "S3": prices.S3_GET,
        "Lambda": _compute_cost(memory_mb),
        "SQS": prices.SQS_REQUESTS_PER_IMAGE * prices.SQS_REQUEST,
    }


def cleanup_cost() -> dict[str, float]:
    """Return the dollars for moving one image's vector into its record and removing the old one, by service."""
    return {
        "DynamoDB table": 2 * prices.WRITES_PER_VECTOR * prices.TABLE_WRITE,
        "DynamoDB vectors": 2 * _vector_cost(),
    }


def estimate(count: int, per_image: Mapping[str, float], condition: str = "") -> str:
    """Format the cost of `count` images, one line per service."""
    total = count * sum(per_image.values())
    basis = f"estimated cost{condition} ({prices.REGION}, prices of {prices.AS_OF})"
    if total < CENT:
        return f"{basis}: less than a cent"
    rows = {name: count * dollars for name, dollars in per_image.items()} | {"total": total}
    return "\n".join([f"{basis}:", *(f"  {name:17} {format_dollars(value):>9}" for name, value in rows.items())])


def format_dollars(dollars: float) -> str:
    return f"${dollars:,.2f}" if dollars >= CENT else "< $0.01"


def _vector_cost() -> float:
    return prices.VECTOR_BYTES_PER_IMAGE / 2**30 * prices.VECTOR_WRITE_GB


def _compute_cost(memory_mb: int) -> float:
    return prices.SECONDS_PER_IMAGE * memory_mb / 1024 * prices.LAMBDA_GB_SECOND + prices.LAMBDA_REQUEST
