"""What a command will cost, before it does anything."""

from collections.abc import Mapping
from typing import Final

from infra import prices

CENT: Final = 0.01


def indexing(memory_mb: int) -> dict[str, float]:
    """Dollars for one new image by service; its storage and the search for its near-duplicates come on top."""
    return {
        "DynamoDB table": prices.WRITES_AN_IMAGE * prices.TABLE_WRITE + prices.READS_AN_IMAGE * prices.TABLE_READ,
        "DynamoDB vectors": _vectors(),
        "S3": (prices.PUTS_AN_IMAGE + 2 / prices.LISTED_AT_ONCE) * prices.S3_PUT + prices.GETS_AN_IMAGE * prices.S3_GET,
        "Lambda": _compute(memory_mb),
        "SQS and events": prices.SQS_REQUESTS_AN_IMAGE * prices.SQS_REQUEST + prices.BUS_EVENT,
    }


def reindexing(memory_mb: int) -> dict[str, float]:
    """Dollars for describing one stored image by another model."""
    return {
        "DynamoDB table": prices.WRITES_A_VECTOR * prices.TABLE_WRITE + prices.READS_AN_IMAGE * prices.TABLE_READ,
        "DynamoDB vectors": _vectors(),
        "S3": prices.S3_PUT + prices.S3_GET,
        "Lambda": _compute(memory_mb),
        "SQS": prices.SQS_REQUESTS_AN_IMAGE * prices.SQS_REQUEST,
    }


def cleaning() -> dict[str, float]:
    """Dollars for moving one image's vector into its record and removing the old one."""
    return {
        "DynamoDB table": 2 * prices.WRITES_A_VECTOR * prices.TABLE_WRITE,
        "DynamoDB vectors": 2 * _vectors(),
    }


def estimate(count: int, each: Mapping[str, float], condition: str = "") -> str:
    """What so many images cost, a line for each service."""
    together = count * sum(each.values())
    basis = f"estimated cost{condition} ({prices.REGION}, prices of {prices.AS_OF})"
    if together < CENT:
        return f"{basis}: less than a cent"
    rows = {name: count * dollars for name, dollars in each.items()} | {"together": together}
    return "\n".join([f"{basis}:", *(f"  {name:17} {amount(value):>9}" for name, value in rows.items())])


def amount(dollars: float) -> str:
    return f"${dollars:,.2f}" if dollars >= CENT else "< $0.01"


def _vectors() -> float:
    return prices.VECTOR_BYTES_AN_IMAGE / 2**30 * prices.VECTOR_WRITE_GB


def _compute(memory_mb: int) -> float:
    return prices.SECONDS_AN_IMAGE * memory_mb / 1024 * prices.LAMBDA_GB_SECOND + prices.LAMBDA_REQUEST
