"""The bill of a month, per component, and of two other ways to go."""

from dataclasses import replace
from typing import Final

from bench.cost.use import (
    ALARMS,
    ANSWER_BYTES,
    BATCH,
    EXAMINED_BYTES,
    GB,
    HOURS_MONTH,
    IMAGE_GB,
    INDEXED_BYTES,
    ITEM_BYTES,
    LOG_BYTES_A_PICTURE,
    LOG_BYTES_A_SEARCH,
    ORIGINAL_BYTES,
    SIGNATURE_BYTES,
    TRACED,
    Use,
)
from infra import prices

VECTOR_UNITS: Final = 13
"""Write units of a record, and KB of it, that its vectors are."""

Lines = dict[str, float]
"""Dollars by component."""


def ingesting(use: Use, pictures: float) -> Lines:
    """Pictures uploaded through the API's own form: its call, one question for the state, and everything after."""
    asked = prices.HTTP_API_REQUEST + prices.LAMBDA_REQUEST + 0.015 * use.api_gb * prices.LAMBDA_GB_SECOND
    each = {
        "DynamoDB: vectors": use.picture_vectors * prices.VECTOR_WRITE
        + use.picture_searches * EXAMINED_BYTES / GB * prices.VECTOR_SEARCH_GB,
        "DynamoDB: records": use.picture_write_units * prices.TABLE_WRITE + prices.READS_A_PICTURE * prices.TABLE_READ,
        "S3: the upload": prices.S3_PUT,
        "S3: signature": use.picture_puts * prices.S3_PUT,
        "S3: reading": use.picture_gets * prices.S3_GET,
        "Lambda: computing": use.picture_seconds * use.ingest_gb * prices.LAMBDA_GB_SECOND
        + prices.LAMBDA_REQUEST / BATCH,
        "API: form and state": 2 * asked + prices.TABLE_WRITE + prices.TABLE_READ,
        "SQS and events": (1 + 2 / BATCH) * prices.SQS_REQUEST + prices.BUS_EVENT,
        "logs and traces": LOG_BYTES_A_PICTURE / GB * prices.LOGS_GB + TRACED * prices.TRACE,
    }
    return {name: pictures * dollars for name, dollars in each.items()}


def searching(use: Use, searches: float) -> Lines:
    """Searches with a picture in the request."""
    each = {
        "S3: signatures": use.search_gets * prices.S3_GET,
        "Lambda: computing": use.search_seconds * use.api_gb * prices.LAMBDA_GB_SECOND + prices.LAMBDA_REQUEST,
        "API Gateway": prices.HTTP_API_REQUEST,
        "DynamoDB: vectors": use.search_searches * EXAMINED_BYTES / GB * prices.VECTOR_SEARCH_GB,
        "DynamoDB: records": 5 * 2 * prices.TABLE_READ,
        "logs, traces, transfer": LOG_BYTES_A_SEARCH / GB * prices.LOGS_GB
        + TRACED * prices.TRACE
        + ANSWER_BYTES / GB * prices.TRANSFER_OUT_GB,
    }
    return {name: searches * dollars for name, dollars in each.items()}


def keeping(use: Use, pictures: float) -> Lines:
    """A month of storage."""
    return {
        "S3: pictures as uploaded": pictures * ORIGINAL_BYTES / GB * prices.S3_GB_MONTH,
        "S3: signatures": pictures * SIGNATURE_BYTES / GB * prices.S3_GB_MONTH,
        "DynamoDB: records": pictures * (ITEM_BYTES + 1_000) / GB * prices.TABLE_GB_MONTH,
        "DynamoDB: recovery": pictures * ITEM_BYTES / GB * prices.TABLE_BACKUP_GB_MONTH,
        "DynamoDB: vectors": use.picture_vectors * pictures * INDEXED_BYTES / GB * prices.VECTOR_GB_MONTH,
    }


def idle() -> Lines:
    """A month in which nothing happens and nothing is stored."""
    return {"alarms": ALARMS * prices.ALARM_MONTH, "container images": IMAGE_GB * prices.IMAGE_GB_MONTH}


def on_a_server(use: Use, pictures: float, searches: float) -> Lines:
    """The same program on servers that always run, two at least (one may fail), vectors in memory on each."""
    memory = 1.5 * use.picture_vectors * pictures * 4 * 2048 / GB
    busy = pictures * use.picture_seconds + searches * use.search_seconds
    servers = max(2, -(-memory // 12) * 2, -(-busy / (HOURS_MONTH * 3600 * 4 * 0.5) // 1))
    stored = pictures * (SIGNATURE_BYTES + ITEM_BYTES) / GB
    return {
        "servers": servers * HOURS_MONTH * prices.SERVER_HOUR,
        "load balancer": HOURS_MONTH * prices.BALANCER_HOUR,
        "disks": servers * (30 + stored) * prices.DISK_GB_MONTH,
        "S3: pictures as uploaded": pictures * ORIGINAL_BYTES / GB * prices.S3_GB_MONTH + pictures * prices.S3_PUT,
    }


def with_a_service(use: Use, pictures: float, searches: float) -> Lines:
    """This program with its vectors in a managed service (Pinecone, serverless) and not in DynamoDB."""
    lean = replace(
        use,
        picture_vectors=0,
        picture_searches=0,
        search_searches=0,
        picture_write_units=use.picture_write_units - VECTOR_UNITS,
    )
    rest = sum(sum(lines.values()) for lines in (ingesting(lean, pictures), searching(lean, searches)))
    stored = use.picture_vectors * pictures * (4 * 2048 + 500) / GB
    queries = use.search_searches * searches + use.picture_searches * pictures
    service = (
        use.picture_vectors * pictures * 9 * prices.SERVICE_WRITE
        + queries * max(0.25, stored / max(1, use.picture_vectors)) * prices.SERVICE_READ
        + stored * prices.SERVICE_GB_MONTH
    )
    kept = sum(keeping(lean, pictures).values()) - pictures * VECTOR_UNITS * 1_000 / GB * prices.TABLE_GB_MONTH
    return {"the service": max(service, prices.SERVICE_LEAST_MONTH), "everything else": rest + kept}


def bill(use: Use, pictures: int, searches: int) -> str:
    """A month's bill as text."""
    ours = [
        ("ingest", ingesting(use, pictures)),
        ("searches", searching(use, searches)),
        ("storage", keeping(use, pictures)),
        ("idle", idle()),
    ]
    total = sum(sum(lines.values()) for _, lines in ours)
    rows = [f"{pictures:,} pictures taken in and kept, {searches:,} searches, one month, {prices.REGION}:", ""]
    for name, lines in ours:
        rows.append(f"{name:28} {sum(lines.values()):12,.2f}")
        rows += [f"  {part:26} {dollars:12,.2f}" for part, dollars in lines.items()]
    rows += [f"{'together':28} {total:12,.2f}", ""]
    for name, lines in (
        ("on servers that always run", on_a_server(use, pictures, searches)),
        ("with a managed vector service", with_a_service(use, pictures, searches)),
    ):
        rows.append(f"{name:28} {sum(lines.values()):12,.2f}")
    return "\n".join(rows)
